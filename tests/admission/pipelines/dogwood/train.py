import torch
import torch.nn.functional as F


class Trainer:
    def __init__(self, model, optimizer, device, checkpoint):
        self.model = model
        self.optimizer = optimizer
        self.device = device
        self.checkpoint = checkpoint
        self.best_iou = -1.0
        self.history = []

    def _batch(self, batch):
        return batch["image"].to(self.device), batch["mask"].to(self.device)

    def train_one_epoch(self, loader):
        self.model.train()
        total = 0.0
        for batch in loader:
            image, mask = self._batch(batch)
            self.optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(self.model(image), mask)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
            self.optimizer.step()
            total += loss.item() * image.shape[0]
        return total / len(loader.dataset)

    @torch.no_grad()
    def evaluate(self, loader):
        self.model.eval()
        total, ious, dices, preds = 0.0, [], [], []
        for batch in loader:
            image, mask = self._batch(batch)
            logits = self.model(image)
            total += F.binary_cross_entropy_with_logits(logits, mask).item() * image.shape[0]
            pred = torch.sigmoid(logits).round()
            for p, m, case_id in zip(pred, mask, batch["id"]):
                inter = (p * m).sum()
                ious.append(((inter + 1e-7) / (p.sum() + m.sum() - inter + 1e-7)).item())
                dices.append(((2 * inter + 1e-7) / (p.sum() + m.sum() + 1e-7)).item())
                preds.append((case_id, p[0].cpu().numpy()))
        n = len(loader.dataset)
        return {"loss": total / n, "iou": sum(ious) / n, "dice": sum(dices) / n}, preds

    def fit(self, train_loader, val_loader, epochs):
        for epoch in range(1, epochs + 1):
            train_loss = self.train_one_epoch(train_loader)
            metrics, _ = self.evaluate(val_loader)
            self.history.append({"epoch": epoch, "train_loss": train_loss,
                                 **{f"val_{k}": v for k, v in metrics.items()}})
            print(f"Epoch {epoch}: train_loss={train_loss:.4f} val_loss={metrics['loss']:.4f} "
                  f"val_iou={metrics['iou']:.4f}")
            if metrics["iou"] > self.best_iou:
                self.best_iou = metrics["iou"]
                torch.save(self.model.state_dict(), self.checkpoint)
        return self.history

    def test(self, loader):
        self.model.load_state_dict(torch.load(self.checkpoint, map_location=self.device))
        return self.evaluate(loader)
