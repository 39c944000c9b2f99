"""U-Net experiment.

Usage: set the paths below, then run `python main.py`.
"""
import time
from pathlib import Path

import pandas as pd
import torch

from dataset import BatchStream, build_records, split_records, write_manifest
from model import InvertedUNet
from train import test_model, train_model

IMAGE_DIR = Path("~/data/images").expanduser()
MASK_DIR = Path("~/data/masks").expanduser()
SAVE_DIR = Path("~/data/unet_results").expanduser()
IMAGE_SIZE = 64
BATCH_SIZE = 4
EPOCHS = 24
LEARNING_RATE = 1e-3
SEED = 8


def main() -> None:
    torch.manual_seed(SEED)
    SAVE_DIR.mkdir(parents=True, exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    train_records, val_records, test_records = split_records(build_records(IMAGE_DIR, MASK_DIR), SEED)
    write_manifest(SAVE_DIR / "manifest.csv", train=train_records, val=val_records, test=test_records)
    print(f"train {len(train_records)}, val {len(val_records)}, test {len(test_records)} images")
    train_stream = BatchStream(train_records, IMAGE_SIZE, BATCH_SIZE, shuffle=True, seed=SEED)
    val_stream = BatchStream(val_records, IMAGE_SIZE, BATCH_SIZE)
    test_stream = BatchStream(test_records, IMAGE_SIZE, BATCH_SIZE)
    print(f"train {len(train_stream)}, val {len(val_stream)}, test {len(test_stream)} batches")

    model = InvertedUNet().to(device)
    print(f"{sum(p.numel() for p in model.parameters() if p.requires_grad)} learnable parameters")
    optimizer = torch.optim.NAdam(model.parameters(), lr=LEARNING_RATE)

    start = time.monotonic()
    curves = train_model(model, train_stream, val_stream, optimizer, EPOCHS, device, SAVE_DIR / "best_weights.pth")
    print(f"training took {time.monotonic() - start:.1f} s")

    epochs = list(range(1, EPOCHS + 1))
    frames = {"train_losses": [epochs, curves.train], "val_losses": [epochs, curves.val]}
    frames["validation_dice_scores"] = curves.dice
    threshold, scores = test_model(model, test_stream, device)
    frames["test_dice_scores"] = [scores]
    for name, rows in frames.items():
        pd.DataFrame(rows).to_excel(SAVE_DIR / f"{name}.xlsx", header=False, index=False)
    torch.save(model, SAVE_DIR / "model.pth")
    print(f"test dice {sum(scores) / len(scores):.4f} (threshold {threshold:.2f})")


if __name__ == "__main__":
    main()
