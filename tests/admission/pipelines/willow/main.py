"""python main.py IMAGES MASKS OUT"""
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader

from dataset import InMemoryDataset, case_names
from model import RecursiveUNet
from train import learn, test

BATCH_SIZE = 2
EPOCHS = 10
LEARNING_RATE = 3e-4
SIZE = 64
SEED = 5


def main(images, masks, out):
    torch.manual_seed(SEED)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    names = case_names(images)[:16]  # subset for demonstration
    train_names, held = train_test_split(names, test_size=0.2, random_state=SEED)
    valid_names, test_names = train_test_split(held, test_size=0.5, random_state=SEED)
    parts = {"train": train_names, "valid": valid_names, "test": test_names}
    print({part: len(n) for part, n in parts.items()})

    def load(part):
        data = InMemoryDataset(parts[part], images, masks, SIZE)
        return DataLoader(data, batch_size=BATCH_SIZE, shuffle=part == "train")

    loaders = {part: load(part) for part in ("train", "valid")}

    net = RecursiveUNet().to(device)
    opt = torch.optim.NAdam(net.parameters(), lr=LEARNING_RATE)
    sched = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, mode="min", factor=0.5, patience=3)

    begin = time.time()
    train_curve, valid_curve, dice = learn(net, loaders, opt, sched, EPOCHS, device, out / "best.pth")
    print("time for training:", time.time() - begin)

    epochs = list(range(1, EPOCHS + 1))
    pd.DataFrame([epochs, train_curve]).to_excel(out / "train_losses.xlsx", header=False, index=False)
    pd.DataFrame([epochs, valid_curve]).to_excel(out / "val_losses.xlsx", header=False, index=False)
    pd.DataFrame(dice).to_excel(out / "validation_dice_scores.xlsx", header=False, index=False)
    torch.save(net, out / "net.pth")

    scores = test(net, load("test"), device)
    pd.DataFrame([scores]).to_excel(out / "test_dice_scores.xlsx", header=False, index=False)
    print("test dice:", np.mean(scores))


if __name__ == "__main__":
    main(*(sys.argv[1:4] or ("data/images", "data/masks", "out")))
