# main.py
import os
import shutil
import time

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import openpyxl
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader

from dataset import LesionDataset, list_images
from model import UNetSmall
from train import test_model, train_model

CONFIG = {
    "image_dir": "./dataset/images",
    "mask_dir": "./dataset/masks",
    "save_dir": "./runs",
    "size": 64,
    "batch_size": 4,
    "epochs": 15,
    "lr": 0.01,
    "momentum": 0.9,
    "seed": 7,
}


def write_rows(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([float(v) for v in row])
    book.save(path)


if __name__ == "__main__":
    cfg = CONFIG
    np.random.seed(cfg["seed"])
    torch.manual_seed(cfg["seed"])
    os.makedirs(cfg["save_dir"], exist_ok=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"

    names = list_images(cfg["image_dir"])
    train_names, other = train_test_split(names, train_size=0.8, random_state=cfg["seed"])
    val_names, test_names = train_test_split(other, train_size=0.5, random_state=cfg["seed"])
    print("images:", len(train_names), len(val_names), len(test_names))
    for part, part_names in zip(("train", "val", "test"), (train_names, val_names, test_names)):
        folder = os.path.join(cfg["save_dir"], part)
        os.makedirs(folder, exist_ok=True)
        for name in part_names:
            shutil.copy2(os.path.join(cfg["image_dir"], name), folder)
            shutil.copy2(os.path.join(cfg["mask_dir"], name.replace(".png", "_seg.png")), folder)

    def loader(part_names, shuffle):
        data = LesionDataset(part_names, cfg["image_dir"], cfg["mask_dir"], cfg["size"], augment=shuffle)
        return DataLoader(data, batch_size=cfg["batch_size"], shuffle=shuffle)

    train_loader = loader(train_names, True)
    val_loader = loader(val_names, False)
    test_loader = loader(test_names, False)

    net = UNetSmall().to(device)
    print(net)
    print("parameters:", sum(p.numel() for p in net.parameters()))

    sgd = torch.optim.SGD(net.parameters(), lr=cfg["lr"], momentum=cfg["momentum"])
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, T_max=cfg["epochs"])

    t0 = time.perf_counter()
    history = train_model(net, train_loader, val_loader, sgd, cosine, cfg["epochs"], device)
    seconds = time.perf_counter() - t0

    epochs = range(1, cfg["epochs"] + 1)
    write_rows(os.path.join(cfg["save_dir"], "train_losses.xlsx"), [epochs, history["train"]])
    write_rows(os.path.join(cfg["save_dir"], "val_losses.xlsx"), [epochs, history["val"]])
    write_rows(os.path.join(cfg["save_dir"], "validation_dice_scores.xlsx"), history["dice"])
    plt.plot(epochs, history["train"], label="train")
    plt.plot(epochs, history["val"], label="val")
    plt.legend()
    plt.savefig(os.path.join(cfg["save_dir"], "losses.png"))
    plt.close()

    torch.save(net, os.path.join(cfg["save_dir"], "net.pth"))
    torch.save(net.state_dict(), os.path.join(cfg["save_dir"], "net_weights.pth"))

    dices = test_model(net, test_loader, device)
    write_rows(os.path.join(cfg["save_dir"], "test_dice_scores.xlsx"), [dices])
    print("test dice:", np.mean(dices))
    print("training took", round(seconds, 1), "seconds")
