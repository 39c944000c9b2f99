import copy

import torch
import torch.nn as nn


class EMA:
    """Exponential moving average of the weights; buffers are copied."""

    def __init__(self, model, decay=0.95):
        self.decay = decay
        self.model = copy.deepcopy(model).eval()
        for p in self.model.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for e, p in zip(self.model.parameters(), model.parameters()):
            e.mul_(self.decay).add_(p, alpha=1.0 - self.decay)
        for e, b in zip(self.model.buffers(), model.buffers()):
            e.copy_(b)


class BCEDice(nn.Module):
    def __init__(self, smooth=1.0):
        super().__init__()
        self.bce = nn.BCEWithLogitsLoss()
        self.smooth = smooth

    def forward(self, logits, target):
        p = torch.sigmoid(logits).flatten(1)
        t = target.flatten(1)
        dice = (2 * (p * t).sum(1) + self.smooth) / (p.sum(1) + t.sum(1) + self.smooth)
        return self.bce(logits, target) + (1 - dice).mean()


def dice_scores(logits, target):
    pred = (torch.sigmoid(logits) > 0.5).float().flatten(1)
    t = target.flatten(1)
    return (2 * (pred * t).sum(1) + 1e-6) / (pred.sum(1) + t.sum(1) + 1e-6)


def train_epoch(model, ema, loader, criterion, optimizer, device):
    model.train()
    total, seen = 0.0, 0
    for image, mask, _ in loader:
        image, mask = image.to(device), mask.to(device)
        optimizer.zero_grad()
        loss = criterion(model(image), mask)
        loss.backward()
        optimizer.step()
        ema.update(model)
        total += loss.item() * image.size(0)
        seen += image.size(0)
    return total / seen


@torch.no_grad()
def evaluate(model, loader, criterion, device):
    model.eval()
    total, seen, scores, predictions = 0.0, 0, [], {}
    for image, mask, ids in loader:
        image, mask = image.to(device), mask.to(device)
        logits = model(image)
        total += criterion(logits, mask).item() * image.size(0)
        seen += image.size(0)
        scores.extend(dice_scores(logits, mask).cpu().tolist())
        for case_id, p in zip(ids, (torch.sigmoid(logits) > 0.5).cpu()):
            predictions[case_id] = p[0].numpy()
    return {"loss": total / seen, "dice": sum(scores) / len(scores), "predictions": predictions}
