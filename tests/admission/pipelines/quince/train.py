import torch
import torch.nn as nn


class BCETverskyLoss(nn.Module):
    """Binary cross entropy combined with a Tversky term (alpha: false positives, beta: false negatives)."""

    def __init__(self, bce_weight=0.5, alpha=0.3, beta=0.7, smooth=1.0):
        super().__init__()
        self.bce = nn.BCEWithLogitsLoss()
        self.bce_weight = bce_weight
        self.alpha = alpha
        self.beta = beta
        self.smooth = smooth

    def forward(self, logits, targets):
        bce = self.bce(logits, targets)
        probs = torch.sigmoid(logits)
        tp = (probs * targets).sum(dim=(1, 2, 3))
        fp = (probs * (1 - targets)).sum(dim=(1, 2, 3))
        fn = ((1 - probs) * targets).sum(dim=(1, 2, 3))
        tversky = (tp + self.smooth) / (tp + self.alpha * fp + self.beta * fn + self.smooth)
        return self.bce_weight * bce + (1 - self.bce_weight) * tversky.mean()


def dice_per_case(logits, targets, threshold=0.5, eps=1e-6):
    preds = (torch.sigmoid(logits) > threshold).float()
    inter = (preds * targets).sum(dim=(1, 2, 3))
    total = preds.sum(dim=(1, 2, 3)) + targets.sum(dim=(1, 2, 3))
    return (2 * inter + eps) / (total + eps)


def train_one_epoch(model, loader, criterion, optimizer, device):
    model.train()
    total, count = 0.0, 0
    for images, masks, _ in loader:
        images, masks = images.to(device), masks.to(device)
        optimizer.zero_grad()
        loss = criterion(model(images), masks)
        loss.backward()
        optimizer.step()
        total += loss.item() * images.size(0)
        count += images.size(0)
    return total / count


@torch.no_grad()
def evaluate(model, loader, criterion, device):
    model.eval()
    total, dice, count = 0.0, 0.0, 0
    for images, masks, _ in loader:
        images, masks = images.to(device), masks.to(device)
        logits = model(images)
        total += criterion(logits, masks).item() * images.size(0)
        dice += dice_per_case(logits, masks).sum().item()
        count += images.size(0)
    return total / count, dice / count


def fit(model, train_loader, val_loader, criterion, optimizer, scheduler, device, epochs):
    history = []
    best_dice = -1.0
    best_state = None
    for epoch in range(1, epochs + 1):
        train_loss = train_one_epoch(model, train_loader, criterion, optimizer, device)
        val_loss, val_dice = evaluate(model, val_loader, criterion, device)
        lr = optimizer.param_groups[0]["lr"]
        scheduler.step()
        if val_dice > best_dice:
            best_dice = val_dice
            best_state = model.state_dict()
        history.append({"epoch": epoch, "lr": lr, "train_loss": train_loss,
                        "val_loss": val_loss, "val_dice": val_dice})
        print(f"Epoch {epoch:03d}/{epochs} | train {train_loss:.4f} | val {val_loss:.4f} | dice {val_dice:.4f}")
    return history, best_state, best_dice
