import os

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.model_selection import train_test_split

from dataset import get_loaders
from model import UNetSmall
from train import DiceLoss, evaluate, train_epoch

# ----------------------------- configuration -----------------------------
IMAGE_PATH = "path/to/images"
MASK_PATH = "path/to/masks"
SAVE_PATH = "path/to/save"
CONFIG = {
    "epochs": 25,
    "batch_size": 4,
    "image_size": 64,
    "lr": 2e-3,
    "num_workers": 2,
    "seed": 42,
}


def main():
    torch.manual_seed(CONFIG["seed"])
    os.makedirs(SAVE_PATH, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    names = sorted(f for f in os.listdir(IMAGE_PATH) if f.endswith(".png"))
    train_names, tmp = train_test_split(names, train_size=0.8, random_state=CONFIG["seed"])
    val_names, test_names = train_test_split(tmp, train_size=0.5, random_state=CONFIG["seed"])
    train_loader, val_loader, test_loader = get_loaders(
        IMAGE_PATH, MASK_PATH, (train_names, val_names, test_names), CONFIG["image_size"],
        CONFIG["batch_size"], CONFIG["num_workers"], CONFIG["seed"])

    model = UNetSmall().to(device)
    criterion = DiceLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=CONFIG["lr"])
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[15, 20], gamma=0.3)

    records, best_dice = [], -np.inf
    best_file = os.path.join(SAVE_PATH, "model_best.pt")
    for epoch in range(1, CONFIG["epochs"] + 1):
        train_loss = train_epoch(model, train_loader, criterion, optimizer, device)
        val, _ = evaluate(model, val_loader, criterion, device)
        scheduler.step()
        records.append({"epoch": epoch, "train_loss": train_loss, "val_loss": val["loss"],
                        "val_dice": val["dice"], "val_iou": val["iou"]})
        print(f"Epoch {epoch:02d} | train {train_loss:.4f} | val {val['loss']:.4f} | Dice {val['dice']:.4f}")
        if val["dice"] > best_dice:
            best_dice = val["dice"]
            torch.save(model.state_dict(), best_file)

    df = pd.DataFrame(records)
    df.to_csv(os.path.join(SAVE_PATH, "training_log.csv"), index=False)

    model.load_state_dict(torch.load(best_file, map_location=device))
    test, predictions = evaluate(model, test_loader, criterion, device)
    pd.Series(test).to_json(os.path.join(SAVE_PATH, "test_results.json"))
    print("Test results:", test)
    for name, pred in predictions.items():
        Image.fromarray(pred * 255).save(os.path.join(SAVE_PATH, f"pred_{name}"))

    plt.plot(df["epoch"], df["train_loss"], label="Training")
    plt.plot(df["epoch"], df["val_loss"], label="Validation")
    plt.xlabel("Epoch")
    plt.ylabel("Dice loss")
    plt.legend()
    plt.savefig(os.path.join(SAVE_PATH, "loss_curve.png"))


if __name__ == "__main__":
    main()
