# train.py
import numpy as np
import torch
from tqdm import tqdm


def dice_loss(logits, masks):
    probs = torch.softmax(logits, dim=1)
    inter = torch.sum(probs * masks)
    return 1 - (2 * inter + 1) / (torch.sum(probs) + torch.sum(masks) + 1)


def hard_dice(logits, masks):
    pred = (torch.softmax(logits, dim=1) >= 0.5).float()
    inter = torch.sum(pred * masks, dim=(1, 2, 3))
    union = torch.sum(pred, dim=(1, 2, 3)) + torch.sum(masks, dim=(1, 2, 3))
    return ((2 * inter + 1e-6) / (union + 1e-6)).mean().item()


def train_model(model, train_loader, val_loader, optimizer, scheduler, n_epochs, device):
    """Train and validate; returns the history."""
    history = {"train": [], "val": [], "dice": []}
    for epoch in range(n_epochs):
        model.train()
        losses = []
        for x, y in tqdm(train_loader, desc=f"epoch {epoch + 1} train"):
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            loss = dice_loss(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        history["train"].append(np.mean(losses))

        # validation
        model.eval()
        losses, dices = [], []
        with torch.no_grad():
            for x, y in tqdm(val_loader, desc=f"epoch {epoch + 1} val"):
                x, y = x.to(device), y.to(device)
                logits = model(x)
                losses.append(dice_loss(logits, y).item())
                dices.append(hard_dice(logits, y))
        history["val"].append(np.mean(losses))
        history["dice"].append(dices)
        scheduler.step()
        print(f"epoch {epoch + 1}: train {history['train'][-1]:.4f} val {history['val'][-1]:.4f}")
    return history


def test_model(model, loader, device):
    model.eval()
    dices = []
    with torch.no_grad():
        for x, y in tqdm(loader, desc="test"):
            dices.append(hard_dice(model(x.to(device)), y.to(device)))
    return dices
