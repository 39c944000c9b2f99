"""Run everything."""
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from monai.utils import set_determinism

from dataset import build_file_list, build_loader, split_files
from model import SegmentationUNet
from train import evaluate, fit


@dataclass
class Config:
    image_root: str = "/path/to/images"  # folder with the images
    mask_root: str = "/path/to/masks"  # folder with the masks
    output: str = "./monai_output"  # results
    size: int = 64
    batch_size: int = 4
    epochs: int = 16
    learning_rate: float = 2e-3
    seed: int = 123


def main(config: Config) -> None:
    set_determinism(config.seed)
    output = Path(config.output)
    output.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    files = build_file_list(Path(config.image_root), Path(config.mask_root))
    train_files, val_files, test_files = split_files(files, config.seed)
    print("Number of images:", len(train_files), len(val_files), len(test_files))
    train_loader = build_loader(train_files, config.size, config.batch_size, shuffle=True)
    test_loader = build_loader(test_files, config.size, config.batch_size, shuffle=False)

    model = SegmentationUNet().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)

    start = time.time()
    history = fit(model, train_loader, test_loader, optimizer, config.epochs, device)
    print(f"Training time: {time.time() - start:.1f} s")

    epochs = list(range(1, config.epochs + 1))
    pd.DataFrame([epochs, history.train_loss]).to_excel(output / "train_losses.xlsx", header=False, index=False)
    pd.DataFrame([epochs, history.val_loss]).to_excel(output / "val_losses.xlsx", header=False, index=False)
    pd.DataFrame(history.val_dice).to_excel(output / "validation_dice_scores.xlsx", header=False, index=False)

    torch.save(model.state_dict(), output / "weights.pth")

    _, dices = evaluate(model, test_loader, device, "Test")
    pd.DataFrame([dices]).to_excel(output / "test_dice_scores.xlsx", header=False, index=False)
    print(f"Test Dice {sum(dices) / len(dices):.4f}")


if __name__ == "__main__":
    main(Config())
