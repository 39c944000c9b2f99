import json
import os
import random

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Subset

from dataset import DermoscopyDataset, make_index
from model import DilatedUNet
from train import FocalTverskyLoss, train_one_epoch, validate

paths = dict(
    images="/home/user/datasets/derm/images",
    masks="/home/user/datasets/derm/segmentations",
    out="/home/user/experiments/derm_dilated",
)
hparams = dict(
    size=64,
    batch_size=4,
    accum_steps=2,
    lr=1e-3,
    max_epochs=50,
    patience=12,
    seed=21,
)


def main():
    random.seed(hparams["seed"])
    torch.manual_seed(hparams["seed"])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    os.makedirs(paths["out"], exist_ok=True)

    index = make_index(paths["images"], paths["masks"])
    augmented = DermoscopyDataset(index, hparams["size"], augment=True)
    plain = DermoscopyDataset(index, hparams["size"], augment=False)
    order = np.random.RandomState(hparams["seed"]).permutation(len(index)).tolist()
    a, b = int(0.8 * len(order)), int(0.9 * len(order))
    test_names = {index[i]["name"] for i in order[b:]}

    train_loader = DataLoader(Subset(augmented, order[:a]), hparams["batch_size"], shuffle=True)
    val_loader = DataLoader(Subset(plain, order[a:b]), hparams["batch_size"])
    test_loader = DataLoader(Subset(plain, order[b:]), hparams["batch_size"])

    model = DilatedUNet().to(device)
    criterion = FocalTverskyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=hparams["lr"])

    best, since, epochs = 0.0, 0, []
    checkpoint = os.path.join(paths["out"], "best.pth")
    torch.save(model.state_dict(), checkpoint)
    for epoch in range(1, hparams["max_epochs"] + 1):
        train_loss = train_one_epoch(model, train_loader, criterion, optimizer, device, hparams["accum_steps"])
        val_loss, val_dice = validate(model, val_loader, criterion, device)
        epochs.append({"epoch": epoch, "train_loss": train_loss, "val_loss": val_loss, "val_dice": val_dice})
        print(", ".join(f"{k}={v:.4f}" if isinstance(v, float) else f"{k}={v}" for k, v in epochs[-1].items()))
        since += 1
        if val_dice >= best:
            best, since = val_dice, 0
            torch.save(model.state_dict(), checkpoint)
        if since >= hparams["patience"]:
            print("no improvement, stopping")
            break

    model.load_state_dict(torch.load(checkpoint, map_location=device))
    predictions = {}
    test_loss, test_dice = validate(model, test_loader, criterion, device, predictions)
    assert set(predictions) == test_names
    print(f"Test: loss {test_loss:.4f}, Dice {test_dice:.4f}")
    with open(os.path.join(paths["out"], "scores.json"), "w") as f:
        json.dump({"epochs": epochs, "test_loss": test_loss, "test_dice": test_dice}, f, indent=2)
    for name, pred in predictions.items():
        Image.fromarray((pred * 255).astype("uint8")).save(os.path.join(paths["out"], f"{name}_prediction.png"))

    plt.plot([e["epoch"] for e in epochs], [e["train_loss"] for e in epochs], "o-", label="train")
    plt.plot([e["epoch"] for e in epochs], [e["val_loss"] for e in epochs], "o-", label="val")
    plt.legend()
    plt.savefig(os.path.join(paths["out"], "loss.png"))


if __name__ == "__main__":
    main()
