"""Main script."""

import os
import time

import pandas as pd
import torch

try:
    from torchinfo import summary
except ImportError:
    summary = None

from dataset import build_dataloaders
from model import PixelShuffleUNet
from train import test_model, train_model

# ------------------------------------------------------------------
# Configuration
# ------------------------------------------------------------------
CONFIG = {
    "image_folder": "/home/user/dataset/images",
    "mask_folder": "/home/user/dataset/masks",
    "save_folder": "/home/user/experiments/unet",
    "image_size": 64,
    "batch_size": 8,
    "num_epochs": 32,
    "learning_rate": 1e-3,
    "seed": 17,
}


def main() -> None:
    torch.manual_seed(CONFIG["seed"])
    save_folder = CONFIG["save_folder"]
    os.makedirs(save_folder, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    train_loader, val_loader, test_loader = build_dataloaders(
        CONFIG["image_folder"], CONFIG["mask_folder"], CONFIG["image_size"], CONFIG["batch_size"], CONFIG["seed"]
    )
    print(f"Batches: train {len(train_loader)}, validation {len(val_loader)}, test {len(test_loader)}")

    model = PixelShuffleUNet().to(device)
    if summary is not None:
        summary(model, input_size=(1, 1, CONFIG["image_size"], CONFIG["image_size"]), verbose=1)
    print("Learnable parameters:", sum(p.numel() for p in model.parameters() if p.requires_grad))
    optimizer = torch.optim.Adamax(model.parameters(), lr=CONFIG["learning_rate"])

    start = time.perf_counter()
    results = train_model(
        model,
        (train_loader, val_loader),
        optimizer,
        CONFIG["num_epochs"],
        device,
        os.path.join(save_folder, "weights.pth"),
    )
    duration = time.perf_counter() - start

    dices = test_model(model, test_loader, device)
    epochs = list(range(1, CONFIG["num_epochs"] + 1))
    for name, rows in [
        ("train_losses", [epochs, results["train_loss"]]),
        ("val_losses", [epochs, results["val_loss"]]),
        ("validation_dice_scores", results["val_dice"]),
        ("test_dice_scores", [dices]),
    ]:
        pd.DataFrame(rows).to_excel(os.path.join(save_folder, name + ".xlsx"), header=False, index=False)
    torch.save(model, os.path.join(save_folder, "model.pth"))
    print(f"Mean Dice on the test set: {sum(dices) / len(dices):.4f}")
    print(f"Total training time: {duration:.1f} s")


if __name__ == "__main__":
    main()
