from typing import Dict, Tuple

import numpy as np
import torch
import torch.nn as nn
from torch import Tensor
from torch.utils.data import DataLoader


class DiceBCELoss(nn.Module):
    def __init__(self, smooth: float = 1.0) -> None:
        super().__init__()
        self.smooth = smooth
        self.bce = nn.BCEWithLogitsLoss()

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        prob = torch.sigmoid(logits)
        inter = (prob * target).sum(dim=(1, 2, 3))
        union = prob.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
        dice = (2 * inter + self.smooth) / (union + self.smooth)
        return self.bce(logits, target) + (1 - dice).mean()


def binary_dice(pred: np.ndarray, truth: np.ndarray) -> float:
    total = pred.sum() + truth.sum()
    if total == 0:
        return 1.0
    return float(2 * np.logical_and(pred, truth).sum() / total)


def train_epoch(model: nn.Module, loader: DataLoader, loss_fn: nn.Module,
                optimizer: torch.optim.Optimizer, device: torch.device) -> float:
    model.train()
    optimizer.zero_grad()
    total, n = 0.0, 0
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
        n += len(x)
    return total / n


@torch.no_grad()
def predict(model: nn.Module, loader: DataLoader, loss_fn: nn.Module,
            device: torch.device) -> Tuple[float, np.ndarray, np.ndarray]:
    """Mean loss, probabilities and truth of all cases of a loader."""
    model.eval()
    total, probs, truths = 0.0, [], []
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        logits = model(x)
        total += loss_fn(logits, y).item() * len(x)
        probs.append(torch.sigmoid(logits).cpu().numpy())
        truths.append(y.cpu().numpy() > 0.5)
    probs, truths = np.concatenate(probs)[:, 0], np.concatenate(truths)[:, 0]
    return total / len(probs), probs, truths


def mean_dice(probs: np.ndarray, truths: np.ndarray, threshold: float = 0.5) -> float:
    return float(np.mean([binary_dice(p > threshold, t) for p, t in zip(probs, truths)]))


def search_threshold(probs: np.ndarray, truths: np.ndarray) -> Tuple[float, Dict[float, float]]:
    grid = [round(float(t), 2) for t in np.arange(0.2, 0.81, 0.05)]
    curve = {t: mean_dice(probs, truths, t) for t in grid}
    return max(curve, key=curve.get), curve
