"""Everything that runs, as one experiment."""
import random
import time
from pathlib import Path

import numpy as np
import torch
from openpyxl import Workbook
from torch import nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from dataset import RGBSegmentationDataset


def seed_worker(worker_id):
    seed = torch.initial_seed() % 2**32
    np.random.seed(seed)
    random.seed(seed)


class Experiment:
    def __init__(self, model, splits, mask_folder, settings, output):
        self.settings = settings
        self.output = Path(output)
        self.output.mkdir(parents=True, exist_ok=True)
        self.device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
        self.model = model.to(self.device)
        self.criterion = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(settings["pos_weight"], device=self.device))
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=settings["lr"])
        side = settings["side"]
        self.loaders = {
            name: DataLoader(
                RGBSegmentationDataset(images, mask_folder, side, training=name == "train"),
                batch_size=settings["batch_size"],
                shuffle=name == "train",
                num_workers=settings["workers"],
                worker_init_fn=seed_worker,
            )
            for name, images in splits.items()
        }
        self.scheduler = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer,
            max_lr=settings["lr"],
            epochs=settings["epochs"],
            steps_per_epoch=len(self.loaders["train"]),
        )

    def _batches(self, name, text):
        for images, masks in tqdm(self.loaders[name], desc=text):
            yield images.to(self.device), masks.to(self.device)

    def train_epoch(self, epoch):
        self.model.train()
        losses = []
        for images, masks in self._batches("train", f"epoch {epoch} train"):
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(images), masks)
            loss.backward()
            self.optimizer.step()
            self.scheduler.step()
            losses.append((loss.item(), len(images)))
        return weighted_mean(losses)

    def validate_epoch(self, epoch):
        self.model.eval()
        losses, scores = [], []
        with torch.no_grad():
            for images, masks in self._batches("val", f"epoch {epoch} validation"):
                logits = self.model(images)
                losses.append((self.criterion(logits, masks).item(), len(images)))
                scores.append(self.dice(logits, masks))
        return weighted_mean(losses), scores

    def test(self):
        self.model.eval()
        with torch.no_grad():
            return [self.dice(self.model(images), masks) for images, masks in self._batches("test", "test")]

    @staticmethod
    def dice(logits, masks):
        predicted = (logits > 0).float()
        overlap = (predicted * masks).flatten(1).sum(1)
        total = predicted.flatten(1).sum(1) + masks.flatten(1).sum(1)
        return ((2 * overlap + 1e-6) / (total + 1e-6)).mean().item()

    def run(self):
        begin = time.time()
        train_losses, val_losses, val_scores = [], [], []
        for epoch in range(1, self.settings["epochs"] + 1):
            train_losses.append(self.train_epoch(epoch))
            loss, scores = self.validate_epoch(epoch)
            val_losses.append(loss)
            val_scores.append(scores)
            print(f"epoch {epoch}: train {train_losses[-1]:.4f}, val {loss:.4f}, dice {np.mean(scores):.4f}")
        print(f"total training time: {time.time() - begin:.1f} seconds")
        numbers = list(range(1, len(train_losses) + 1))
        self.write("train_losses.xlsx", [numbers, train_losses])
        self.write("val_losses.xlsx", [numbers, val_losses])
        self.write("validation_dice_scores.xlsx", val_scores)
        torch.save(self.model, self.output / "model.pth")
        torch.save(self.model.state_dict(), self.output / "model_state.pth")
        test_scores = self.test()
        self.write("test_dice_scores.xlsx", [test_scores])
        return test_scores

    def write(self, name, rows):
        book = Workbook()
        for row in rows:
            book.active.append(row)
        book.save(self.output / name)


def weighted_mean(pairs):
    return sum(value * n for value, n in pairs) / sum(n for _, n in pairs)
