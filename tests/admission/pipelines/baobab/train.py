from __future__ import annotations

import logging
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader
from tqdm import tqdm

log = logging.getLogger(__name__)


class FocalDice(nn.Module):
    """Focal loss (gamma 2) and soft Dice loss over the batch, both on logits."""

    def __init__(self, gamma: float = 2.0, smooth: float = 1.0) -> None:
        super().__init__()
        self.gamma, self.smooth = gamma, smooth

    def forward(self, logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        bce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        focal = ((1 - torch.exp(-bce)) ** self.gamma * bce).mean()
        prob = torch.sigmoid(logits)
        overlap = (prob * target).sum()
        dice = (2 * overlap + self.smooth) / (prob.sum() + target.sum() + self.smooth)
        return focal + 1 - dice


class Engine:
    """Runs epochs, keeps the weights with the highest validation Dice, and tests them."""

    def __init__(self, model: nn.Module, config, loaders: dict[str, DataLoader], device: torch.device) -> None:
        self.model = model.to(device)
        self.config, self.loaders, self.device = config, loaders, device
        self.loss = FocalDice()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate)
        self.scheduler = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=config.learning_rate, total_steps=config.epochs * len(loaders["train"])
        )
        self.checkpoint = Path(config.save_dir) / "best_state_dict.pth"
        self.history: dict[str, list] = {"train": [], "val": [], "dice": []}

    def train(self, epoch: int) -> float:
        self.model.train()
        losses, weights = [], []
        for batch in tqdm(self.loaders["train"], desc=f"Training, epoch {epoch}"):
            images, masks = batch["image"].to(self.device), batch["mask"].to(self.device)
            self.optimizer.zero_grad()
            loss = self.loss(self.model(images), masks)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
            self.optimizer.step()
            self.scheduler.step()
            losses.append(loss.item())
            weights.append(len(images))
        return sum(a * b for a, b in zip(losses, weights)) / sum(weights)

    @torch.no_grad()
    def evaluate(self, part: str, text: str) -> tuple[float, list[float]]:
        self.model.eval()
        losses, weights, scores = [], [], []
        for batch in tqdm(self.loaders[part], desc=text):
            images, masks = batch["image"].to(self.device), batch["mask"].to(self.device)
            logits = self.model(images)
            losses.append(self.loss(logits, masks).item())
            weights.append(len(images))
            scores.append(self.dice(logits, masks))
        return sum(a * b for a, b in zip(losses, weights)) / sum(weights), scores

    @staticmethod
    def dice(logits: torch.Tensor, masks: torch.Tensor) -> float:
        found = torch.sigmoid(logits).round()
        overlap = (found * masks).sum(dim=(1, 2, 3))
        sizes = found.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3))
        return ((2 * overlap + 1e-7) / (sizes + 1e-7)).mean().item()

    def run(self) -> dict[str, list]:
        best = -1.0
        for epoch in range(1, self.config.epochs + 1):
            self.history["train"].append(self.train(epoch))
            loss, scores = self.evaluate("val", f"Validation, epoch {epoch}")
            self.history["val"].append(loss)
            self.history["dice"].append(scores)
            mean = sum(scores) / len(scores)
            log.info("epoch %d: train %.4f, val %.4f, dice %.4f", epoch, self.history["train"][-1], loss, mean)
            if mean > best:
                best = mean
                torch.save(self.model.state_dict(), self.checkpoint)
        return self.history

    def test(self) -> list[float]:
        self.model.load_state_dict(torch.load(self.checkpoint, map_location=self.device))
        return self.evaluate("test", "Test")[1]
