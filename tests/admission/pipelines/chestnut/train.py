import torch
import torch.nn as nn
from tqdm import tqdm


class DiceBCELoss(nn.Module):
    """BCE with logits plus Dice loss."""

    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = smooth
        self.bce = nn.BCEWithLogitsLoss()

    def forward(self, inputs, targets):
        bce = self.bce(inputs, targets)
        inputs = torch.sigmoid(inputs).view(-1)
        targets = targets.view(-1)
        intersection = (inputs * targets).sum()
        dice_loss = 1 - (2.0 * intersection + self.smooth) / (inputs.sum() + targets.sum() + self.smooth)
        return bce + dice_loss


def dice_coef(outputs, masks, threshold=0.5, eps=1e-6):
    preds = (outputs > threshold).float()
    intersection = (preds * masks).sum(dim=(1, 2, 3))
    union = preds.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3))
    return ((2.0 * intersection + eps) / (union + eps)).mean().item()


def train_fn(model, loader, optimizer, loss_fn, device, epoch):
    epoch_loss = 0.0
    model.train()
    for x, y in tqdm(loader, desc=f"Epoch {epoch} - training"):
        x = x.to(device, dtype=torch.float32)
        y = y.to(device, dtype=torch.float32)
        optimizer.zero_grad()
        y_pred = model(x)
        loss = loss_fn(y_pred, y)
        loss.backward()
        optimizer.step()
        epoch_loss += loss.item()
    return epoch_loss / len(loader)


def evaluate_fn(model, loader, loss_fn, device, epoch):
    epoch_loss = 0.0
    dices = []
    model.eval()
    with torch.no_grad():
        for x, y in tqdm(loader, desc=f"Epoch {epoch} - validation"):
            x = x.to(device, dtype=torch.float32)
            y = y.to(device, dtype=torch.float32)
            y_pred = model(x)
            epoch_loss += loss_fn(y_pred, y).item()
            dices.append(dice_coef(y_pred, y))
    return epoch_loss / len(loader), dices


def test_fn(model, loader, device):
    dices = []
    model.eval()
    with torch.no_grad():
        for x, y in tqdm(loader, desc="Testing"):
            dices.append(dice_coef(model(x.to(device)), y.to(device)))
    return dices
