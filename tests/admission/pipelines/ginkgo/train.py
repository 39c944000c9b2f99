"""Training utilities."""

from typing import Dict, List, Tuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader
from torchvision.ops import sigmoid_focal_loss
from tqdm import tqdm


def segmentation_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Focal loss, as the foreground is small."""
    return sigmoid_focal_loss(prediction, target, alpha=0.75, gamma=2.0, reduction="mean")


def dice_per_batch(prediction: Tensor, target: Tensor) -> float:
    binary = (prediction > 0.5).float()
    intersection = torch.sum(binary * target).item()
    total = torch.sum(binary).item() + torch.sum(target).item()
    return 1.0 if total == 0 else 2.0 * intersection / total


def train_epoch(model: nn.Module, loader: DataLoader, optimizer: Optimizer, device: torch.device, tag: str) -> float:
    model.train()
    losses: List[float] = []
    sizes: List[int] = []
    for images, masks in tqdm(loader, desc=f"{tag} training"):
        images, masks = images.to(device), masks.to(device)
        loss = segmentation_loss(model(images), masks)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item() * images.shape[0])
        sizes.append(images.shape[0])
    return sum(losses) / sum(sizes)


def validate_epoch(
    model: nn.Module, loader: DataLoader, device: torch.device, tag: str
) -> Tuple[float, List[float]]:
    model.eval()
    losses: List[float] = []
    sizes: List[int] = []
    dices: List[float] = []
    with torch.no_grad():
        for images, masks in tqdm(loader, desc=f"{tag} validation"):
            images, masks = images.to(device), masks.to(device)
            prediction = model(images)
            losses.append(segmentation_loss(prediction, masks).item() * images.shape[0])
            sizes.append(images.shape[0])
            dices.append(dice_per_batch(prediction, masks))
    return sum(losses) / sum(sizes), dices


def train_model(
    model: nn.Module,
    loaders: Tuple[DataLoader, DataLoader],
    optimizer: Optimizer,
    epochs: int,
    device: torch.device,
    weights_path: str,
) -> Dict[str, list]:
    results: Dict[str, list] = {"train_loss": [], "val_loss": [], "val_dice": []}
    best = float("-inf")
    for epoch in range(1, epochs + 1):
        tag = f"Epoch {epoch}/{epochs}"
        results["train_loss"].append(train_epoch(model, loaders[0], optimizer, device, tag))
        val_loss, val_dice = validate_epoch(model, loaders[1], device, tag)
        results["val_loss"].append(val_loss)
        results["val_dice"].append(val_dice)
        if -val_loss > best:
            best = -val_loss
            torch.save(model.state_dict(), weights_path)
    model.load_state_dict(torch.load(weights_path, map_location=device))
    return results


@torch.no_grad()
def test_model(model: nn.Module, loader: DataLoader, device: torch.device) -> List[float]:
    model.eval()
    return [
        dice_per_batch(model(images.to(device)), masks.to(device)) for images, masks in tqdm(loader, desc="Testing")
    ]
