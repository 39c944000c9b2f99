import torch
import torch.nn as nn
from tqdm import tqdm


class EarlyStopping:
    """Saves the model when the monitored value improves, stops after `patience` epochs without."""

    def __init__(self, path, patience=10, mode="min"):
        self.path = path
        self.patience = patience
        self.mode = mode
        self.best = None
        self.counter = 0

    def _improved(self, value):
        if self.best is None:
            return True
        return value < self.best if self.mode == "min" else value > self.best

    def step(self, value, model):
        if self._improved(value):
            self.best = value
            self.counter = 0
            torch.save(model.state_dict(), self.path)
        else:
            self.counter += 1
        return self.counter >= self.patience


class SoftDiceBCELoss(nn.Module):
    def __init__(self, bce_weight=0.5):
        super().__init__()
        self.bce_weight = bce_weight
        self.bce = nn.BCEWithLogitsLoss()

    def forward(self, logits, targets):
        probs = torch.sigmoid(logits)
        num = 2.0 * (probs * targets).sum(dim=(1, 2, 3)) + 1.0
        den = probs.pow(2).sum(dim=(1, 2, 3)) + targets.pow(2).sum(dim=(1, 2, 3)) + 1.0
        return self.bce_weight * self.bce(logits, targets) + (1 - self.bce_weight) * (1 - num / den).mean()


def train_fn(loader, model, optimizer, loss_fn, device):
    model.train()
    running = 0.0
    for data, targets in tqdm(loader, leave=False):
        data, targets = data.to(device), targets.to(device)
        loss = loss_fn(model(data), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() * data.size(0)
    return running / len(loader.dataset)


def eval_fn(loader, model, loss_fn, device):
    model.eval()
    running, dice, masks = 0.0, 0.0, []
    with torch.no_grad():
        for data, targets in loader:
            data, targets = data.to(device), targets.to(device)
            logits = model(data)
            running += loss_fn(logits, targets).item() * data.size(0)
            preds = (torch.sigmoid(logits) > 0.5).float()
            inter = (preds * targets).sum(dim=(1, 2, 3))
            union = preds.sum(dim=(1, 2, 3)) + targets.sum(dim=(1, 2, 3))
            dice += ((2 * inter + 1e-8) / (union + 1e-8)).sum().item()
            masks.extend(preds[:, 0].cpu().numpy())
    n = len(loader.dataset)
    return {"loss": running / n, "dice": dice / n, "masks": masks}
