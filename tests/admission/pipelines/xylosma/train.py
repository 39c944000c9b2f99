from pathlib import Path

import torch
from monai.losses import DiceFocalLoss
from monai.metrics import DiceMetric


class Engine:
    def __init__(self, model, device, lr, epochs, output):
        self.model = model
        self.device = device
        self.epochs = epochs
        self.checkpoint = Path(output) / "checkpoint_best.pt"
        self.criterion = DiceFocalLoss(sigmoid=True, gamma=2.0, lambda_dice=1.0, lambda_focal=1.0)
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.95, nesterov=True, weight_decay=3e-5)
        self.scheduler = torch.optim.lr_scheduler.PolynomialLR(self.optimizer, total_iters=epochs, power=0.9)
        self.amp = device.type == "cuda"
        self.scaler = torch.amp.GradScaler("cuda", enabled=self.amp)
        self.metric = DiceMetric(include_background=True, reduction="mean", ignore_empty=False)

    def train_epoch(self, loader):
        self.model.train()
        total, n = 0.0, 0
        for image, mask, _ in loader:
            image, mask = image.to(self.device), mask.to(self.device)
            self.optimizer.zero_grad(set_to_none=True)
            with torch.autocast(self.device.type, enabled=self.amp):
                out, aux = self.model(image)
                loss = self.criterion(out.float(), mask) + 0.3 * self.criterion(aux.float(), mask)
            self.scaler.scale(loss).backward()
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 12.0)
            self.scaler.step(self.optimizer)
            self.scaler.update()
            total += loss.item() * image.shape[0]
            n += image.shape[0]
        self.scheduler.step()
        return total / n

    @torch.no_grad()
    def evaluate(self, loader):
        self.model.eval()
        self.metric.reset()
        total, n, masks = 0.0, 0, {}
        for image, mask, names in loader:
            image, mask = image.to(self.device), mask.to(self.device)
            logits = self.model(image)
            total += self.criterion(logits, mask).item() * image.shape[0]
            n += image.shape[0]
            pred = (logits.sigmoid() > 0.5).float()
            self.metric(y_pred=pred, y=mask)
            masks.update({name: p[0].cpu().numpy() for name, p in zip(names, pred)})
        return total / n, self.metric.aggregate().item(), masks

    def fit(self, train_loader, val_loader):
        best, history = float("-inf"), []
        for epoch in range(1, self.epochs + 1):
            train_loss = self.train_epoch(train_loader)
            val_loss, val_dice, _ = self.evaluate(val_loader)
            history.append({"epoch": epoch, "train_loss": train_loss, "val_loss": val_loss, "val_dice": val_dice})
            print(history[-1])
            if val_dice > best:
                best = val_dice
                torch.save({"epoch": epoch, "model": self.model.state_dict(), "dice": best}, self.checkpoint)
        return history

    def load_best(self):
        state = torch.load(self.checkpoint, map_location=self.device)
        self.model.load_state_dict(state["model"])
        return state["epoch"], state["dice"]
