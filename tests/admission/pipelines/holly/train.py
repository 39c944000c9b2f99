"""Training, validation and testing."""
from dataclasses import dataclass, field

import torch
from monai.losses import DiceLoss
from monai.metrics import DiceMetric
from tqdm import tqdm


@dataclass
class History:
    train_loss: list = field(default_factory=list)
    val_loss: list = field(default_factory=list)
    val_dice: list = field(default_factory=list)


LOSS = DiceLoss(sigmoid=True)


def binarize(logits):
    return (logits.sigmoid() > 0.5).float()


def train_epoch(model, loader, optimizer, device, epoch):
    model.train()
    total = 0.0
    for batch in tqdm(loader, desc=f"Epoch {epoch} training"):
        image, label = batch["image"].to(device), batch["label"].to(device)
        optimizer.zero_grad(set_to_none=True)
        loss = LOSS(model(image), label)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(image)
    return total / len(loader.dataset)


@torch.inference_mode()
def evaluate(model, loader, device, desc):
    """Mean loss and one Dice per batch."""
    model.eval()
    metric = DiceMetric(include_background=True, reduction="mean")
    total, dices = 0.0, []
    for batch in tqdm(loader, desc=desc):
        image, label = batch["image"].to(device), batch["label"].to(device)
        logits = model(image)
        total += LOSS(logits, label).item() * len(image)
        metric(y_pred=binarize(logits), y=label)
        dices.append(metric.aggregate().item())
        metric.reset()
    return total / len(loader.dataset), dices


def fit(model, train_loader, val_loader, optimizer, epochs, device):
    history = History()
    for epoch in range(1, epochs + 1):
        history.train_loss.append(train_epoch(model, train_loader, optimizer, device, epoch))
        loss, dices = evaluate(model, val_loader, device, f"Epoch {epoch} validation")
        history.val_loss.append(loss)
        history.val_dice.append(dices)
    return history
