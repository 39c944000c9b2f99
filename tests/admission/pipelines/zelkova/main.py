import os

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import openpyxl
import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader

from dataset import DermDataset, compute_mean_std
from model import MiniUNet
from train import DiceCELoss, evaluate, train_step

# ------------------------------------------------------------------
# Settings
# ------------------------------------------------------------------
IMAGES_PATH = "YOUR_IMAGES_FOLDER"
MASKS_PATH = "YOUR_MASKS_FOLDER"
SAVE_PATH = "YOUR_RESULTS_FOLDER"
IMAGE_SIZE = 64
BATCH_SIZE = 4
MAX_EPOCHS = 50
PATIENCE = 10
LR = 1e-3
RANDOM_STATE = 21


def main():
    np.random.seed(RANDOM_STATE)
    torch.manual_seed(RANDOM_STATE)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    os.makedirs(SAVE_PATH, exist_ok=True)

    ids = sorted(os.path.splitext(name)[0] for name in os.listdir(IMAGES_PATH) if name.endswith(".png"))
    mean, std = compute_mean_std(IMAGES_PATH, ids, IMAGE_SIZE)
    print("mean", mean, "std", std)

    train_ids, temp_ids = train_test_split(ids, train_size=0.8, random_state=RANDOM_STATE)
    val_ids, test_ids = train_test_split(temp_ids, test_size=0.5, random_state=RANDOM_STATE)

    train_set = DermDataset(IMAGES_PATH, MASKS_PATH, train_ids, IMAGE_SIZE, mean, std, augment=True)
    val_set = DermDataset(IMAGES_PATH, MASKS_PATH, val_ids, IMAGE_SIZE, mean, std)
    test_set = DermDataset(IMAGES_PATH, MASKS_PATH, test_ids, IMAGE_SIZE, mean, std)
    train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=BATCH_SIZE, shuffle=False)
    test_loader = DataLoader(test_set, batch_size=1, shuffle=False)

    model = MiniUNet(in_channels=3, n_classes=1).to(device)
    criterion = DiceCELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)

    best_path = os.path.join(SAVE_PATH, "best_model.pth")
    best_loss, wait, log = float("inf"), 0, []
    for epoch in range(1, MAX_EPOCHS + 1):
        train_loss = train_step(model, train_loader, criterion, optimizer, device)
        val, _ = evaluate(model, val_loader, criterion, device)
        log.append((epoch, train_loss, val["loss"], val["dice"], val["iou"]))
        print(f"Epoch {epoch}/{MAX_EPOCHS} - train loss {train_loss:.4f} - val loss {val['loss']:.4f} - val dice {val['dice']:.4f}")
        if val["loss"] < best_loss:
            best_loss, wait = val["loss"], 0
            torch.save(model.state_dict(), best_path)
        else:
            wait += 1
            if wait >= PATIENCE:
                print("Early stopping")
                break

    model.load_state_dict(torch.load(best_path, map_location=device))
    test, predictions = evaluate(model, test_loader, criterion, device)
    print(f"Test: loss {test['loss']:.4f}, dice {test['dice']:.4f}, iou {test['iou']:.4f}")

    folder = os.path.join(SAVE_PATH, "test_predictions")
    os.makedirs(folder, exist_ok=True)
    for case_id, pred in predictions.items():
        Image.fromarray((pred * 255).astype(np.uint8)).save(os.path.join(folder, f"{case_id}_pred.png"))

    wb = openpyxl.Workbook()
    ws = wb.active
    ws.title = "Training"
    ws.append(["Epoch", "Train Loss", "Val Loss", "Val Dice", "Val IoU"])
    for row in log:
        ws.append(list(row))
    ws = wb.create_sheet("Test")
    ws.append(["Loss", "Dice", "IoU"])
    ws.append([test["loss"], test["dice"], test["iou"]])
    wb.save(os.path.join(SAVE_PATH, "metrics.xlsx"))

    plt.figure()
    plt.plot([r[0] for r in log], [r[1] for r in log], label="Train Loss")
    plt.plot([r[0] for r in log], [r[2] for r in log], label="Val Loss")
    plt.xlabel("Epoch")
    plt.ylabel("Loss")
    plt.legend()
    plt.savefig(os.path.join(SAVE_PATH, "loss_curve.png"))
    plt.close()


if __name__ == "__main__":
    main()
