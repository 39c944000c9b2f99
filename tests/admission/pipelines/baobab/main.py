from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch.utils.data import DataLoader

from dataset import LesionDataset, intensity_range, scan, split
from model import MobileUNet
from train import Engine


@dataclass
class ExperimentConfig:
    image_dir: str = "/data/project/images"  # PNG images
    mask_dir: str = "/data/project/masks"  # PNG masks, NAME_seg.png
    save_dir: str = "/data/project/output"  # everything that is written
    image_size: int = 80  # side of the input
    batch_size: int = 5
    epochs: int = 45
    learning_rate: float = 3e-3  # highest rate of the cycle
    seed: int = 1234


def main(config: ExperimentConfig) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.manual_seed(config.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    save_dir = Path(config.save_dir)
    save_dir.mkdir(parents=True, exist_ok=True)

    parts = split(scan(config.image_dir, config.mask_dir), config.seed)
    window = intensity_range(parts["train"])
    datasets = {
        name: LesionDataset(part, config.image_size, window, augment=name == "train") for name, part in parts.items()
    }
    loaders = {
        name: DataLoader(data, batch_size=config.batch_size, shuffle=name == "train")
        for name, data in datasets.items()
    }
    for name in parts:
        print(f"{name}: {len(datasets[name])} images, {len(loaders[name])} batches")

    model = MobileUNet()
    print(f"Learnable parameters: {sum(p.numel() for p in model.parameters() if p.requires_grad):,}")
    engine = Engine(model, config, loaders, device)

    start = time.time()
    history = engine.run()
    print(f"Total training time: {time.time() - start:.1f} s")

    epochs = range(1, config.epochs + 1)
    tables = {
        "train_losses": [epochs, history["train"]],
        "val_losses": [epochs, history["val"]],
        "validation_dice_scores": history["dice"],
        "test_dice_scores": [engine.test()],
    }
    for name, rows in tables.items():
        pd.DataFrame(rows).to_excel(save_dir / f"{name}.xlsx", header=False, index=False)
    torch.save(engine.model, save_dir / "best_model.pth")
    scores = tables["test_dice_scores"][0]
    print(f"Mean test Dice: {sum(scores) / len(scores):.4f}")


if __name__ == "__main__":
    main(ExperimentConfig())
