import argparse
import os
import random

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader

from dataset import LesionDataset, list_case_ids
from model import UNet
from train import BCETverskyLoss, dice_per_case, evaluate, fit


def parse_args():
    parser = argparse.ArgumentParser(description="Skin lesion segmentation")
    parser.add_argument("--images", default="/path/to/images")
    parser.add_argument("--masks", default="/path/to/masks")
    parser.add_argument("--out", default="/path/to/output")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args()


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


@torch.no_grad()
def save_predictions(model, loader, device, folder):
    os.makedirs(folder, exist_ok=True)
    model.eval()
    rows = []
    for images, masks, ids in loader:
        logits = model(images.to(device))
        scores = dice_per_case(logits, masks.to(device)).cpu().tolist()
        preds = (torch.sigmoid(logits) > 0.5).cpu().numpy().astype(np.uint8)[:, 0] * 255
        for case_id, pred, score in zip(ids, preds, scores):
            Image.fromarray(pred).save(os.path.join(folder, f"{case_id}_pred.png"))
            rows.append({"case": case_id, "dice": score})
    return rows


def main():
    args = parse_args()
    set_seed(args.seed)
    os.makedirs(args.out, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    ids = list_case_ids(args.images)
    train_ids, rest = train_test_split(ids, test_size=0.2, random_state=args.seed)
    val_ids, test_ids = train_test_split(rest, test_size=0.5, random_state=args.seed)
    print(f"train {len(train_ids)}, validation {len(val_ids)}, test {len(test_ids)}")

    train_loader = DataLoader(LesionDataset(args.images, args.masks, train_ids, args.size, augment=True),
                              batch_size=args.batch_size, shuffle=True)
    val_loader = DataLoader(LesionDataset(args.images, args.masks, val_ids, args.size),
                            batch_size=args.batch_size)
    test_loader = DataLoader(LesionDataset(args.images, args.masks, test_ids, args.size),
                             batch_size=args.batch_size)

    model = UNet().to(device)
    criterion = BCETverskyLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)

    history, best_state, best_dice = fit(model, train_loader, val_loader, criterion, optimizer,
                                         scheduler, device, args.epochs)

    model.load_state_dict(best_state)
    torch.save(best_state, os.path.join(args.out, "best_model.pth"))

    test_loss, test_dice = evaluate(model, test_loader, criterion, device)
    rows = save_predictions(model, test_loader, device, os.path.join(args.out, "predictions"))
    print(f"Best validation Dice {best_dice:.4f} | test Dice {test_dice:.4f}")

    history = pd.DataFrame(history)
    with pd.ExcelWriter(os.path.join(args.out, "results.xlsx"), engine="openpyxl") as writer:
        history.to_excel(writer, sheet_name="epochs", index=False)
        pd.DataFrame([{"test_loss": test_loss, "test_dice": test_dice}]).to_excel(writer, sheet_name="test", index=False)
        pd.DataFrame(rows).to_excel(writer, sheet_name="test_cases", index=False)

    plt.figure(figsize=(7, 4))
    plt.plot(history["epoch"], history["train_loss"], label="train")
    plt.plot(history["epoch"], history["val_loss"], label="validation")
    plt.xlabel("epoch")
    plt.ylabel("loss")
    plt.legend()
    plt.tight_layout()
    plt.savefig(os.path.join(args.out, "loss_curve.png"), dpi=120)
    plt.close()


if __name__ == "__main__":
    main()
