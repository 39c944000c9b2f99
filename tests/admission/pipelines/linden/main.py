"""Configuration and entry point."""
import os
import random
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader

from dataset import SegDataset, compute_mean_std, get_train_transforms, get_valid_transforms, list_ids
from model import UNet
from train import test_fn, train_fn, valid_fn

cfg = SimpleNamespace(
    images_dir="/kaggle/input/segmentation/images",
    masks_dir="/kaggle/input/segmentation/masks",
    out_dir="/kaggle/working/out",
    image_size=96,
    train_batch_size=8,
    valid_batch_size=1,
    num_epochs=24,
    learning_rate=1e-4,
    seed=2024,
)


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def run():
    seed_everything(cfg.seed)
    os.makedirs(cfg.out_dir, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    ids = list_ids(cfg.images_dir)
    train_ids, holdout_ids = train_test_split(ids, test_size=0.2, random_state=cfg.seed)
    valid_ids, test_ids = train_test_split(holdout_ids, test_size=0.5, random_state=cfg.seed)
    mean, std = compute_mean_std(ids, cfg.images_dir)

    train_dataset = SegDataset(train_ids, cfg.images_dir, cfg.masks_dir, get_train_transforms(cfg.image_size, mean, std))
    valid_dataset = SegDataset(valid_ids, cfg.images_dir, cfg.masks_dir, get_valid_transforms(cfg.image_size, mean, std))
    test_dataset = SegDataset(test_ids, cfg.images_dir, cfg.masks_dir, get_valid_transforms(cfg.image_size, mean, std))
    train_loader = DataLoader(train_dataset, batch_size=cfg.train_batch_size, shuffle=True)
    valid_loader = DataLoader(valid_dataset, batch_size=cfg.valid_batch_size)
    test_loader = DataLoader(test_dataset, batch_size=cfg.valid_batch_size)
    print(f"{len(train_dataset)} training, {len(valid_dataset)} validation, {len(test_dataset)} test images")

    model = UNet().to(device)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=cfg.learning_rate)

    start = time.time()
    train_losses, valid_losses, valid_dices = [], [], []
    for epoch in range(1, cfg.num_epochs + 1):
        train_losses.append(train_fn(model, train_loader, optimizer, device, epoch))
        loss, dices = valid_fn(model, valid_loader, device, epoch)
        valid_losses.append(loss)
        valid_dices.append(dices)
    print(f"Training finished in {time.time() - start:.0f}s")

    numbers = np.arange(1, cfg.num_epochs + 1)
    pd.DataFrame(np.stack([numbers, train_losses])).to_excel(
        os.path.join(cfg.out_dir, "train_losses.xlsx"), header=False, index=False
    )
    pd.DataFrame(np.stack([numbers, valid_losses])).to_excel(
        os.path.join(cfg.out_dir, "val_losses.xlsx"), header=False, index=False
    )
    pd.DataFrame(valid_dices).to_excel(
        os.path.join(cfg.out_dir, "validation_dice_scores.xlsx"), header=False, index=False
    )
    torch.save(model, os.path.join(cfg.out_dir, "unet.pth"))
    torch.save(model.state_dict(), os.path.join(cfg.out_dir, "unet_state.pth"))

    dices = test_fn(model, test_loader, device)
    pd.DataFrame([list(dices.values())]).to_excel(
        os.path.join(cfg.out_dir, "test_dice_scores.xlsx"), header=False, index=False
    )
    print("Test Dice:", np.mean(list(dices.values())))


if __name__ == "__main__":
    run()
