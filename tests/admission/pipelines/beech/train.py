"""Training, validation and testing of the U-Net."""

import os
import random

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from tqdm import tqdm


class BCEDiceLoss(nn.Module):
    """Binary cross entropy plus soft Dice, both from logits."""

    def __init__(self, smooth=1.0):
        super().__init__()
        self.bce = nn.BCEWithLogitsLoss()
        self.smooth = smooth

    def forward(self, logits, targets):
        probs = torch.sigmoid(logits).flatten(1)
        flat = targets.flatten(1)
        intersection = (probs * flat).sum(dim=1)
        dice = (2.0 * intersection + self.smooth) / (probs.sum(dim=1) + flat.sum(dim=1) + self.smooth)
        return self.bce(logits, targets) + (1.0 - dice.mean())


def dice_score(logits, targets, threshold=0.5, eps=1e-7):
    """Mean Dice of the binary predictions of a batch."""
    preds = (torch.sigmoid(logits) > threshold).float().flatten(1)
    flat = targets.flatten(1)
    intersection = (preds * flat).sum(dim=1)
    return ((2.0 * intersection + eps) / (preds.sum(dim=1) + flat.sum(dim=1) + eps)).mean().item()


def train_one_epoch(model, loader, criterion, optimizer, device, epoch, epochs):
    model.train()
    total, count = 0.0, 0
    for images, masks, _ in tqdm(loader, desc=f"Epoch {epoch}/{epochs} [train]"):
        images, masks = images.to(device), masks.to(device)
        optimizer.zero_grad()
        loss = criterion(model(images), masks)
        loss.backward()
        optimizer.step()
        total += loss.item() * images.size(0)
        count += images.size(0)
    return total / count


@torch.no_grad()
def validate(model, loader, criterion, device, epoch, epochs):
    model.eval()
    total, count, dices = 0.0, 0, []
    for images, masks, _ in tqdm(loader, desc=f"Epoch {epoch}/{epochs} [validation]"):
        images, masks = images.to(device), masks.to(device)
        logits = model(images)
        total += criterion(logits, masks).item() * images.size(0)
        count += images.size(0)
        dices.append(dice_score(logits, masks))
    return total / count, dices


@torch.no_grad()
def test(model, loader, device, epochs):
    model.eval()
    dices = []
    for images, masks, _ in tqdm(loader, desc=f"After epoch {epochs} [test]"):
        dices.append(dice_score(model(images.to(device)), masks.to(device)))
    return dices


def save_losses(losses, path):
    """First row: epochs; second row: losses."""
    table = pd.DataFrame([list(range(1, len(losses) + 1)), losses])
    table.to_excel(path, header=False, index=False)


def save_scores(rows, path):
    """One row per epoch, one column per batch."""
    pd.DataFrame(rows).to_excel(path, header=False, index=False)


def plot_losses(train_losses, val_losses, path):
    epochs = range(1, len(train_losses) + 1)
    plt.figure(figsize=(8, 5))
    plt.plot(epochs, train_losses, label="Training loss")
    plt.plot(epochs, val_losses, label="Validation loss")
    plt.xlabel("Epoch")
    plt.ylabel("Loss")
    plt.legend()
    plt.savefig(path)
    plt.close()


@torch.no_grad()
def plot_predictions(model, dataset, device, path):
    """Five random cases of the test set."""
    model.eval()
    chosen = random.sample(range(len(dataset)), min(5, len(dataset)))
    figure, axes = plt.subplots(5, 3, figsize=(9, 15))
    for row, index in enumerate(chosen):
        image, mask, name = dataset[index]
        prediction = (torch.sigmoid(model(image[None].to(device)))[0, 0] > 0.5).cpu().numpy()
        pictures = [("Input image", image[0]), ("Ground truth", mask[0]), ("Prediction", prediction)]
        for column, (title, picture) in enumerate(pictures):
            axes[row, column].imshow(np.asarray(picture), cmap="gray")
            axes[row, column].set_title(f"{title}\n{name}")
            axes[row, column].axis("off")
    figure.savefig(path)
    plt.close(figure)


def save_model(model, save_dir):
    torch.save(model, os.path.join(save_dir, "model_full.pth"))
    torch.save(model.state_dict(), os.path.join(save_dir, "model_state_dict.pth"))
