"""Loops over the data."""
import torch
import torch.nn.functional as F
from tqdm.auto import tqdm


def bce_dice_loss(logits, target):
    bce = F.binary_cross_entropy_with_logits(logits, target)
    prob = torch.sigmoid(logits).view(logits.size(0), -1)
    target = target.view(target.size(0), -1)
    score = (2.0 * (prob * target).sum(1) + 1.0) / (prob.sum(1) + target.sum(1) + 1.0)
    return 0.5 * bce + 0.5 * (1.0 - score.mean())


@torch.no_grad()
def dice_metric(logits, target, threshold=0.5):
    prediction = torch.sigmoid(logits) > threshold
    target = target > 0.5
    intersection = (prediction & target).sum((1, 2, 3)).float()
    total = prediction.sum((1, 2, 3)) + target.sum((1, 2, 3))
    dice = torch.where(total == 0, torch.ones_like(intersection), 2.0 * intersection / total.clamp(min=1))
    return dice.mean().item()


class AverageMeter:
    def __init__(self):
        self.sum = 0.0
        self.count = 0

    def update(self, value, n=1):
        self.sum += value * n
        self.count += n

    @property
    def avg(self):
        return self.sum / max(self.count, 1)


def train_fn(model, loader, optimizer, device, epoch):
    model.train()
    meter = AverageMeter()
    bar = tqdm(loader, desc=f"Train {epoch}")
    for batch in bar:
        images, masks = batch["image"].to(device), batch["mask"].to(device)
        logits = model(images)
        loss = bce_dice_loss(logits, masks)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        meter.update(loss.item(), images.size(0))
        bar.set_postfix(loss=meter.avg)
    return meter.avg


@torch.no_grad()
def valid_fn(model, loader, device, epoch):
    model.eval()
    meter, dices = AverageMeter(), []
    for batch in tqdm(loader, desc=f"Valid {epoch}"):
        images, masks = batch["image"].to(device), batch["mask"].to(device)
        logits = model(images)
        meter.update(bce_dice_loss(logits, masks).item(), images.size(0))
        dices.append(dice_metric(logits, masks))
    return meter.avg, dices


@torch.no_grad()
def test_fn(model, loader, device):
    model.eval()
    dices = {}
    for batch in tqdm(loader, desc="Test"):
        logits = model(batch["image"].to(device))
        for i, case in enumerate(batch["id"]):
            dices[case] = dice_metric(logits[i : i + 1], batch["mask"][i : i + 1].to(device))
    return dices
