import csv
import os

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, random_split

from dataset import TileDataset
from model import LinkNet
from train import evaluate, train_one_epoch

IMAGES_DIR = "/mnt/storage/mri/png_images"
MASKS_DIR = "/mnt/storage/mri/png_masks"
RESULTS_DIR = "tile_results"
EPOCHS = 45
BATCH_SIZE = 8
TILE = 64


def main():
    torch.manual_seed(99)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    os.makedirs(RESULTS_DIR, exist_ok=True)

    dataset = TileDataset(IMAGES_DIR, MASKS_DIR, TILE)
    n_val = n_test = max(1, int(0.1 * len(dataset)))
    n_train = len(dataset) - n_val - n_test
    train_set, val_set, test_set = random_split(dataset, [n_train, n_val, n_test],
                                                generator=torch.Generator().manual_seed(99))
    train_loader = DataLoader(train_set, batch_size=BATCH_SIZE, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=BATCH_SIZE)
    test_loader = DataLoader(test_set, batch_size=BATCH_SIZE)
    print(f"tiles: {n_train} train / {n_val} val / {n_test} test")

    model = LinkNet().to(device)
    optimizer = torch.optim.Adamax(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=15, gamma=0.5)

    best_dice = -1.0
    history = []
    for epoch in range(1, EPOCHS + 1):
        train_loss = train_one_epoch(model, train_loader, optimizer, device)
        val_loss, val_dice, _ = evaluate(model, val_loader, device)
        scheduler.step()
        history.append([epoch, train_loss, val_loss, val_dice])
        print(f"epoch {epoch}: train loss {train_loss:.4f}, val loss {val_loss:.4f}, val dice {val_dice:.4f}")
        if val_dice > best_dice:
            best_dice = val_dice
            torch.save(model.state_dict(), os.path.join(RESULTS_DIR, "best.pt"))

    model.load_state_dict(torch.load(os.path.join(RESULTS_DIR, "best.pt"), map_location=device))
    test_loss, test_dice, predictions = evaluate(model, test_loader, device)
    print(f"test loss {test_loss:.4f}, test dice {test_dice:.4f}")

    with open(os.path.join(RESULTS_DIR, "scores.csv"), "w", newline="") as f:
        writer = csv.writer(f)
        writer.writerow(["epoch", "train_loss", "val_loss", "val_dice"])
        writer.writerows(history)
        writer.writerow(["test", "", test_loss, test_dice])
    for index, pred in predictions.items():
        out = Image.fromarray((pred * 255).astype(np.uint8))
        out.save(os.path.join(RESULTS_DIR, dataset.tile_name(index) + ".png"))

    history = np.array(history)
    plt.plot(history[:, 0], history[:, 1], label="train")
    plt.plot(history[:, 0], history[:, 2], label="val")
    plt.xlabel("epoch")
    plt.ylabel("Tversky loss")
    plt.legend()
    plt.savefig(os.path.join(RESULTS_DIR, "loss_curve.png"))


if __name__ == "__main__":
    main()
