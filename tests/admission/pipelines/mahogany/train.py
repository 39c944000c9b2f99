import torch
import torch.nn as nn
from sklearn.metrics import f1_score, jaccard_score


class DiceLoss(nn.Module):
    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = smooth

    def forward(self, logits, targets):
        probs = torch.sigmoid(logits)
        intersection = (probs * targets).sum(dim=(2, 3))
        cardinality = (probs + targets).sum(dim=(2, 3))
        return 1.0 - ((2.0 * intersection + self.smooth) / (cardinality + self.smooth)).mean()


def train_epoch(model, loader, criterion, optimizer, device):
    model.train()
    losses, sizes = [], []
    for images, masks, _ in loader:
        images, masks = images.to(device), masks.to(device)
        optimizer.zero_grad()
        loss = criterion(model(images), masks)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        sizes.append(images.size(0))
    return sum(l * s for l, s in zip(losses, sizes)) / sum(sizes)


@torch.no_grad()
def evaluate(model, loader, criterion, device):
    model.eval()
    loss_total, n = 0.0, 0
    dice, iou, predictions = [], [], {}
    for images, masks, names in loader:
        images, masks = images.to(device), masks.to(device)
        logits = model(images)
        loss_total += criterion(logits, masks).item() * images.size(0)
        n += images.size(0)
        preds = (torch.sigmoid(logits) > 0.5).cpu().numpy().astype("uint8")
        truth = masks.cpu().numpy().astype("uint8")
        for p, t, name in zip(preds, truth, names):
            dice.append(f1_score(t.ravel(), p.ravel(), zero_division=1.0))
            iou.append(jaccard_score(t.ravel(), p.ravel(), zero_division=1.0))
            predictions[name] = p[0]
    return {"loss": loss_total / n, "dice": sum(dice) / n, "iou": sum(iou) / n}, predictions
