import json
import os

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader

from dataset import ISICDataset, get_pairs
from model import UNet
from train import EarlyStopping, SoftDiceBCELoss, eval_fn, train_fn

# Hyperparameters
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
LEARNING_RATE = 1e-3
BATCH_SIZE = 4
NUM_EPOCHS = 30
IMAGE_SIZE = 64
IMG_DIR = "../isic/images/"
MASK_DIR = "../isic/masks/"
SAVE_DIR = "../isic/checkpoints/"


def main():
    torch.manual_seed(42)
    os.makedirs(SAVE_DIR, exist_ok=True)
    pairs = get_pairs(IMG_DIR, MASK_DIR)
    train_pairs, rest = train_test_split(pairs, test_size=0.2, random_state=42)
    val_pairs, test_pairs = train_test_split(rest, test_size=0.5, random_state=42)

    train_loader = DataLoader(ISICDataset(train_pairs, IMAGE_SIZE, train=True), BATCH_SIZE, shuffle=True)
    val_loader = DataLoader(ISICDataset(val_pairs, IMAGE_SIZE), BATCH_SIZE, shuffle=False)
    test_loader = DataLoader(ISICDataset(test_pairs, IMAGE_SIZE), BATCH_SIZE, shuffle=False)

    model = UNet().to(DEVICE)
    loss_fn = SoftDiceBCELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    best_path = os.path.join(SAVE_DIR, "best_unet.pth")
    stopper = EarlyStopping(best_path, patience=8)

    history = {"train_loss": [], "val_loss": [], "val_dice": []}
    for epoch in range(NUM_EPOCHS):
        train_loss = train_fn(train_loader, model, optimizer, loss_fn, DEVICE)
        val = eval_fn(val_loader, model, loss_fn, DEVICE)
        history["train_loss"].append(train_loss)
        history["val_loss"].append(val["loss"])
        history["val_dice"].append(val["dice"])
        print(f"Epoch {epoch + 1}: train {train_loss:.4f} | val {val['loss']:.4f} | dice {val['dice']:.4f}")
        if stopper.step(val["dice"], model):
            print("Early stopping")
            break

    model.load_state_dict(torch.load(best_path, map_location=DEVICE))
    test = eval_fn(test_loader, model, loss_fn, DEVICE)
    print(f"Test Dice: {test['dice']:.4f}")
    history["test_loss"] = test["loss"]
    history["test_dice"] = test["dice"]
    with open(os.path.join(SAVE_DIR, "metrics.json"), "w") as f:
        json.dump(history, f, indent=2)

    for (img_path, _), mask in zip(test_pairs, test["masks"]):
        name = os.path.basename(img_path)
        Image.fromarray((mask * 255).astype(np.uint8)).save(os.path.join(SAVE_DIR, f"pred_{name}"))

    plt.figure(figsize=(6, 4))
    plt.plot(history["train_loss"], label="train loss")
    plt.plot(history["val_loss"], label="val loss")
    plt.legend()
    plt.tight_layout()
    plt.savefig(os.path.join(SAVE_DIR, "loss_curve.png"))


if __name__ == "__main__":
    main()
