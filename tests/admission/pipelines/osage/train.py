from contextlib import contextmanager

import torch
import torch.nn as nn


class BCEJaccardLoss(nn.Module):
    """Cross entropy combined with the logarithm of the soft Jaccard index."""

    def __init__(self, jaccard_weight=0.3, smooth=1.0):
        super().__init__()
        self.bce = nn.BCEWithLogitsLoss()
        self.w = jaccard_weight
        self.smooth = smooth

    def forward(self, logits, masks):
        p = torch.sigmoid(logits)
        inter = (p * masks).sum((1, 2, 3))
        union = (p + masks).sum((1, 2, 3)) - inter
        jaccard = (inter + self.smooth) / (union + self.smooth)
        return (1 - self.w) * self.bce(logits, masks) + self.w * torch.log(jaccard).mean()


@contextmanager
def evaluating(model):
    """Evaluation mode without gradients; the former mode is restored afterwards."""
    model.eval()
    was_training = model.training
    try:
        with torch.no_grad():
            yield model
    finally:
        model.train(was_training)


def train_epoch(model, loader, criterion, optimizer, device):
    total, n = 0.0, 0
    for images, masks, _ in loader:
        images, masks = images.to(device), masks.to(device)
        loss = criterion(model(images), masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(images)
        n += len(images)
    return total / n


def evaluate(model, loader, criterion, device):
    total, ious, dices, predictions = 0.0, [], [], {}
    with evaluating(model):
        for images, masks, ids in loader:
            images, masks = images.to(device), masks.to(device)
            logits = model(images)
            total += criterion(logits, masks).item() * len(images)
            for logit, mask, case in zip(logits, masks.bool(), ids):
                pred = torch.sigmoid(logit) > 0.5
                inter = torch.logical_and(pred, mask).sum().item()
                union = torch.logical_or(pred, mask).sum().item()
                ious.append((inter + 1e-6) / (union + 1e-6))
                dices.append((2 * inter + 1e-6) / (union + inter + 1e-6))
                predictions[case] = pred[0].cpu().numpy()
    n = len(dices)
    return total / n, sum(dices) / n, sum(ious) / n, predictions
