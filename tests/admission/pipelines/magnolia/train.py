import copy

import numpy as np
import torch
from tqdm import tqdm


class EarlyStopping:
    """Keeps the weights with the best monitored value and stops when it no longer improves."""

    def __init__(self, patience=10, mode="min", min_delta=0.0):
        self.patience = patience
        self.sign = 1 if mode == "min" else -1
        self.min_delta = min_delta
        self.best = None
        self.best_weights = None
        self.counter = 0

    def step(self, value, model):
        """Returns True when training should stop."""
        value = self.sign * value
        if self.best is None or value < self.best - self.min_delta:
            self.best = value
            self.best_weights = copy.deepcopy(model.state_dict())
            self.counter = 0
        else:
            self.counter += 1
        return self.counter >= self.patience

    def restore(self, model):
        model.load_state_dict(self.best_weights)


def dice_loss(pred, target, smooth=1.0):
    pred = torch.sigmoid(pred)
    intersection = (pred * target).sum(dim=(1, 2, 3))
    return 1 - ((2.0 * intersection + smooth) / (pred.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3)) + smooth)).mean()


def dice_metric(pred, target, smooth=1e-6):
    pred = (torch.sigmoid(pred) > 0.5).float()
    target = (target > 0.5).float()
    intersection = (pred * target).sum(dim=(1, 2, 3))
    return ((2.0 * intersection + smooth) / (pred.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3)) + smooth)).mean().item()


def train_one_epoch(model, loader, optimizer, device, epoch):
    model.train()
    losses, weights = [], []
    for images, masks in tqdm(loader, desc=f"Epoch {epoch} [Train]"):
        images, masks = images.to(device), masks.to(device)
        loss = dice_loss(model(images), masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        weights.append(images.size(0))
    return np.average(losses, weights=weights)


@torch.no_grad()
def validate(model, loader, device, epoch):
    model.eval()
    losses, weights, dices = [], [], []
    for images, masks in tqdm(loader, desc=f"Epoch {epoch} [Val]"):
        images, masks = images.to(device), masks.to(device)
        outputs = model(images)
        losses.append(dice_loss(outputs, masks).item())
        weights.append(images.size(0))
        dices.append(dice_metric(outputs, masks))
    return np.average(losses, weights=weights), dices


def fit(model, train_loader, val_loader, optimizer, scheduler, num_epochs, device):
    history = {"train_loss": [], "val_loss": [], "val_dice": []}
    early_stopping = EarlyStopping(patience=15)
    for epoch in range(1, num_epochs + 1):
        train_loss = train_one_epoch(model, train_loader, optimizer, device, epoch)
        val_loss, val_dice = validate(model, val_loader, device, epoch)
        scheduler.step()
        history["train_loss"].append(train_loss)
        history["val_loss"].append(val_loss)
        history["val_dice"].append(val_dice)
        print(f"Epoch {epoch}: train_loss={train_loss:.4f} val_loss={val_loss:.4f} val_dice={np.mean(val_dice):.4f}")
        if early_stopping.step(np.mean(val_dice), model):
            print(f"Early stopping at epoch {epoch}")
            break
    early_stopping.restore(model)
    return history


@torch.no_grad()
def test(model, loader, device):
    model.eval()
    return [dice_metric(model(images.to(device)), masks.to(device)) for images, masks in tqdm(loader, desc="[Test]")]
