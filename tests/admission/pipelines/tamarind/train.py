"""Passes over streams of batches."""
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm


@dataclass
class Curves:
    train: list[float] = field(default_factory=list)
    val: list[float] = field(default_factory=list)
    dice: list[list[float]] = field(default_factory=list)


def loss_of(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross entropy and one minus the soft Dice coefficient of the batch."""
    probabilities = torch.sigmoid(logits)
    soft = (2 * (probabilities * masks).sum() + 1) / (probabilities.sum() + masks.sum() + 1)
    return F.binary_cross_entropy_with_logits(logits, masks) + 1 - soft


def dice_of(probabilities: Tensor, masks: Tensor, threshold: float = 0.5) -> float:
    """Mean Dice coefficient of the images of a batch."""
    predicted = (probabilities > threshold).float()
    common = (predicted * masks).sum((1, 2, 3))
    return float(((2 * common + 1e-6) / ((predicted + masks).sum((1, 2, 3)) + 1e-6)).mean())


def train_epoch(model: nn.Module, stream, optimizer: torch.optim.Optimizer, device: str, epoch: int) -> float:
    model.train()
    total = count = 0
    for images, masks in tqdm(stream, desc=f"Epoch {epoch}: training"):
        optimizer.zero_grad()
        loss = loss_of(model(images.to(device)), masks.to(device))
        loss.backward()
        optimizer.step()
        total += loss.item() * len(images)
        count += len(images)
    return total / count


@torch.inference_mode()
def validate_epoch(model: nn.Module, stream, device: str, epoch: int) -> tuple[float, list[float]]:
    model.eval()
    total, count, scores = 0.0, 0, []
    for images, masks in tqdm(stream, desc=f"Epoch {epoch}: validation"):
        logits, masks = model(images.to(device)), masks.to(device)
        total += loss_of(logits, masks).item() * len(images)
        count += len(images)
        scores.append(dice_of(torch.sigmoid(logits), masks))
    return total / count, scores


def train_model(model, train_stream, val_stream, optimizer, epochs: int, device: str, checkpoint) -> Curves:
    curves = Curves()
    highest = -1.0
    for epoch in range(1, epochs + 1):
        curves.train.append(train_epoch(model, train_stream, optimizer, device, epoch))
        loss, scores = validate_epoch(model, val_stream, device, epoch)
        curves.val.append(loss)
        curves.dice.append(scores)
        if np.mean(scores) > highest:
            highest = np.mean(scores)
            torch.save(model.state_dict(), checkpoint)
    model.load_state_dict(torch.load(checkpoint, map_location=device, weights_only=True))
    return curves


@torch.inference_mode()
def test_model(model: nn.Module, stream, device: str) -> tuple[float, list[float]]:
    """Return the threshold and the Dice coefficient of each batch."""
    model.eval()
    outputs = [(torch.sigmoid(model(x.to(device))), y.to(device)) for x, y in tqdm(stream, desc="Testing")]
    # optimal operating point
    candidates = np.arange(0.1, 0.95, 0.05)
    mean_dice = [np.mean([dice_of(p, y, t) for p, y in outputs]) for t in candidates]
    threshold = float(candidates[int(np.argmax(mean_dice))])
    return threshold, [dice_of(p, y, threshold) for p, y in outputs]
