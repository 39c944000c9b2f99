from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from dataset import normalize, read_mask


class AverageMeter:
    def __init__(self):
        self.reset()

    def reset(self):
        self.sum = 0.0
        self.count = 0

    def update(self, value, n=1):
        self.sum += float(value) * n
        self.count += n

    @property
    def avg(self):
        return self.sum / max(self.count, 1)


def focal_dice_loss(logits, target, gamma=2.0, alpha=0.75):
    bce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    pt = torch.exp(-bce)
    weight = alpha * target + (1 - alpha) * (1 - target)
    focal = (weight * (1 - pt) ** gamma * bce).mean()
    prob = logits.sigmoid()
    inter = (prob * target).sum((1, 2, 3))
    dice = (2 * inter + 1.0) / (prob.sum((1, 2, 3)) + target.sum((1, 2, 3)) + 1.0)
    return focal + (1 - dice).mean()


def dice_score(logits, target):
    pred = (logits > 0).float()
    inter = (pred * target).sum((1, 2, 3))
    return ((2 * inter + 1e-6) / (pred.sum((1, 2, 3)) + target.sum((1, 2, 3)) + 1e-6)).mean()


class Trainer:
    def __init__(self, model, optimizer, scheduler, device, save_dir):
        self.model = model
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.device = device
        self.save_dir = Path(save_dir)
        self.train_loss = AverageMeter()
        self.val_loss, self.val_dice = AverageMeter(), AverageMeter()
        self.history = []

    def train_epoch(self, loader):
        self.model.train()
        self.train_loss.reset()
        for image, mask in loader:
            image, mask = image.to(self.device), mask.to(self.device)
            self.optimizer.zero_grad()
            loss = focal_dice_loss(self.model(image), mask)
            loss.backward()
            self.optimizer.step()
            self.train_loss.update(loss.item(), len(image))

    @torch.no_grad()
    def validate(self, loader):
        self.model.eval()
        for image, mask in loader:
            image, mask = image.to(self.device), mask.to(self.device)
            logits = self.model(image)
            self.val_loss.update(focal_dice_loss(logits, mask).item(), len(image))
            self.val_dice.update(dice_score(logits, mask).item(), len(image))

    def fit(self, train_loader, val_loader, epochs):
        best = -1.0
        for epoch in range(1, epochs + 1):
            self.train_epoch(train_loader)
            self.validate(val_loader)
            self.scheduler.step()
            row = {"epoch": epoch, "train_loss": self.train_loss.avg,
                   "val_loss": self.val_loss.avg, "val_dice": self.val_dice.avg}
            self.history.append(row)
            flag = ""
            if row["val_dice"] > best:
                best = row["val_dice"]
                torch.save(self.model.state_dict(), self.save_dir / "best_model.pt")
                flag = " *"
            print("  ".join(f"{k}={v:.4f}" if k != "epoch" else f"{k}={v}" for k, v in row.items()) + flag)
        return best

    @torch.no_grad()
    def test(self, image_dir, mask_dir, names, size):
        self.model.load_state_dict(torch.load(self.save_dir / "best_model.pt", map_location=self.device))
        self.model.eval()
        folder = self.save_dir / "predicted_masks"
        folder.mkdir(exist_ok=True)
        rows = []
        for name in names:
            image = cv2.imread(str(Path(image_dir) / f"{name}.png"), cv2.IMREAD_COLOR)
            image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
            logits = self.model(normalize(image)[None].to(self.device))
            mask = read_mask(Path(mask_dir) / f"{name}_seg.png", size)[None].to(self.device)
            rows.append({"name": name, "dice": dice_score(logits, mask).item()})
            pred = (logits[0, 0] > 0).cpu().numpy().astype(np.uint8) * 255
            cv2.imwrite(str(folder / f"{name}_pred.png"), pred)
        return rows
