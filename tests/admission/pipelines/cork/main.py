import json
import random
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import torch
from torch.utils.data import DataLoader

from dataset import TumourSet, find_pairs, split_pairs
from model import AttentionUNet
from train import fit_epoch, score

matplotlib.use("Agg")
from matplotlib import pyplot as plt

SETTINGS = {
    "data": {
        "images": "D:/mri/slices",
        "masks": "D:/mri/annotations",
        "side": 80,
        "max_cases": 16,
    },
    "training": {
        "epochs": 50,
        "batch": 4,
        "rate": 0.02,
        "momentum": 0.9,
        "weight_decay": 1e-4,
    },
    "output": "D:/mri/runs/attention",
    "seed": 7,
}


def run(settings):
    data, training = settings["data"], settings["training"]
    seed = settings["seed"]
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    out = Path(settings["output"])
    (out / "masks").mkdir(parents=True, exist_ok=True)

    pairs = find_pairs(data["images"], data["masks"], data["max_cases"])
    train, val, test = split_pairs(pairs, seed)
    print(f"{len(train)} training, {len(val)} validation, {len(test)} test cases")
    train_loader = DataLoader(TumourSet(train, data["side"], True), training["batch"], shuffle=True)
    val_loader = DataLoader(TumourSet(val, data["side"], False), 1)
    test_loader = DataLoader(TumourSet(test, data["side"], False), 1)

    net = AttentionUNet(1, 1).to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=training["rate"], momentum=training["momentum"],
                                weight_decay=training["weight_decay"], nesterov=True)
    schedule = torch.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=training["epochs"], power=0.9)

    log, best = [], float("-inf")
    for epoch in range(training["epochs"]):
        train_loss = fit_epoch(net, train_loader, optimizer, device)
        val_loss, val_dice, val_iou = score(net, val_loader, device)
        schedule.step()
        log.append({"epoch": epoch + 1, "train_loss": train_loss, "val_loss": val_loss,
                    "val_dice": val_dice, "val_iou": val_iou})
        print(log[-1])
        if val_dice > best:
            best = val_dice
            torch.save(net.state_dict(), out / "best.pth")

    net.load_state_dict(torch.load(out / "best.pth", map_location=device))
    found = {}
    test_loss, test_dice, test_iou = score(net, test_loader, device, keep=found)
    print(f"test: dice {test_dice:.4f}, IoU {test_iou:.4f}")
    for name, mask in found.items():
        cv2.imwrite(str(out / "masks" / f"{name}.png"), mask.astype(np.uint8) * 255)
    with open(out / "scores.json", "w") as handle:
        json.dump({"epochs": log, "test": {"loss": test_loss, "dice": test_dice, "iou": test_iou}}, handle, indent=1)

    fig, ax = plt.subplots()
    ax.plot([row["train_loss"] for row in log], label="training")
    ax.plot([row["val_loss"] for row in log], label="validation")
    ax.set_xlabel("epoch")
    ax.set_ylabel("loss")
    ax.legend()
    fig.savefig(out / "loss.png")


if __name__ == "__main__":
    run(SETTINGS)
