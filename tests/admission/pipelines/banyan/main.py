import copy
import csv
import json
import os
import random

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

from dataset import LesionDataset, list_cases
from model import ResUNet
from train import EMA, BCEDice, evaluate, train_epoch

IMAGES = "/path/to/lesions/images"
MASKS = "/path/to/lesions/masks"
SAVE = "./banyan_results"
EPOCHS = 40
BATCH = 4
SIZE = 96
LR = 1e-3
SEED = 1234


def main():
    random.seed(SEED)
    np.random.seed(SEED)
    torch.manual_seed(SEED)
    os.makedirs(os.path.join(SAVE, "predictions"), exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    cases = list_cases(IMAGES, MASKS)
    random.shuffle(cases)
    n_val = max(1, round(0.1 * len(cases)))
    n_test = max(1, round(0.1 * len(cases)))
    test_cases = cases[:n_test]
    val_cases = cases[n_test:n_test + n_val]
    train_cases = cases[n_test + n_val:]

    train_loader = DataLoader(LesionDataset(train_cases, SIZE, train=True), batch_size=BATCH, shuffle=True)
    val_loader = DataLoader(LesionDataset(val_cases, SIZE), batch_size=BATCH)
    test_loader = DataLoader(LesionDataset(test_cases, SIZE), batch_size=BATCH)

    model = ResUNet().to(device)
    ema = EMA(model)
    criterion = BCEDice()
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)

    rows, best, snapshots = [], -1.0, {}
    for epoch in range(1, EPOCHS + 1):
        train_loss = train_epoch(model, ema, train_loader, criterion, optimizer, device)
        val = evaluate(model, val_loader, criterion, device)
        scheduler.step()
        rows.append([epoch, train_loss, val["loss"], val["dice"]])
        print(f"[{epoch:03d}/{EPOCHS}] train {train_loss:.4f}  val {val['loss']:.4f}  dice {val['dice']:.4f}")
        if val["dice"] > best:
            best = val["dice"]
            snapshots = {
                "raw": copy.deepcopy(model.state_dict()),
                "ema": copy.deepcopy(ema.model.state_dict()),
            }
            torch.save(snapshots, os.path.join(SAVE, "best.pt"))

    with open(os.path.join(SAVE, "epochs.csv"), "w", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(["epoch", "train_loss", "val_loss", "val_dice"])
        writer.writerows(rows)

    results = {}
    for kind, state in snapshots.items():
        model.load_state_dict(state)
        results[kind] = evaluate(model, test_loader, criterion, device)
    kind = max(results, key=lambda k: results[k]["dice"])
    final = results[kind]
    print(f"test dice ({kind} weights): {final['dice']:.4f}")

    with open(os.path.join(SAVE, "test.json"), "w") as f:
        json.dump({"weights": kind, "test_loss": final["loss"], "test_dice": final["dice"]}, f, indent=2)
    for case_id, pred in final["predictions"].items():
        Image.fromarray(pred.astype(np.uint8) * 255).save(os.path.join(SAVE, "predictions", f"{case_id}_pred.png"))

    plt.figure()
    plt.plot([r[0] for r in rows], [r[1] for r in rows], label="train")
    plt.plot([r[0] for r in rows], [r[2] for r in rows], label="validation")
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.savefig(os.path.join(SAVE, "loss_curve.png"))


if __name__ == "__main__":
    main()
