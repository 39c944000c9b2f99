"""A small sound pipeline. It has to reach every stage on a computer before anything is said of other scripts there."""

from __future__ import annotations

from pathlib import Path

from llmseg.files import make_folder, write_text

KNOWN_GOOD = {
    "model.py": """\
import torch
from torch import nn


class SmallNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU())
        self.up = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        return torch.sigmoid(self.up(self.down(x)))
""",
    "dataset.py": """\
import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class CaseDataset(Dataset):
    def __init__(self, names, image_dir, mask_dir):
        self.names, self.image_dir, self.mask_dir = names, image_dir, mask_dir

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        name = self.names[index]
        image = Image.open(os.path.join(self.image_dir, name + ".png")).convert("L").resize((48, 48))
        mask = Image.open(os.path.join(self.mask_dir, name + "_seg.png")).convert("L").resize((48, 48), Image.NEAREST)
        image = torch.from_numpy(np.array(image, dtype="float32") / 255)[None]
        return image, torch.from_numpy((np.array(mask) > 127).astype("float32"))[None]
""",
    "main.py": """\
import os

import pandas as pd
import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader

from dataset import CaseDataset
from model import SmallNet

image_dir = "./data/images"
mask_dir = "./data/masks"
save_dir = "./results"
num_epochs = 3


def score(net, loader):
    net.eval()
    losses, dice = [], []
    with torch.no_grad():
        for image, mask in loader:
            output = net(image)
            losses.append(torch.nn.functional.binary_cross_entropy(output, mask).item())
            found = (output > 0.5).float()
            dice.append((2 * (found * mask).sum() + 1e-6) / (found.sum() + mask.sum() + 1e-6))
    return sum(losses) / len(losses), [float(value) for value in dice]


if __name__ == "__main__":
    torch.manual_seed(1)
    os.makedirs(save_dir, exist_ok=True)
    names = sorted(name[:-4] for name in os.listdir(image_dir) if name.endswith(".png"))
    train, rest = train_test_split(names, test_size=0.2, random_state=1)
    val, test = train_test_split(rest, test_size=0.5, random_state=1)
    train_loader = DataLoader(CaseDataset(train, image_dir, mask_dir), batch_size=4, shuffle=True)
    val_loader = DataLoader(CaseDataset(val, image_dir, mask_dir))
    test_loader = DataLoader(CaseDataset(test, image_dir, mask_dir))
    net = SmallNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    best, rows = float("inf"), []
    for epoch in range(num_epochs):
        net.train()
        losses = []
        for image, mask in train_loader:
            optimizer.zero_grad()
            loss = torch.nn.functional.binary_cross_entropy(net(image), mask)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        val_loss, _ = score(net, val_loader)
        rows.append((epoch + 1, sum(losses) / len(losses), val_loss))
        if val_loss < best:
            best = val_loss
            torch.save(net.state_dict(), os.path.join(save_dir, "best.pth"))
    pd.DataFrame(rows, columns=["epoch", "train", "val"]).to_csv(os.path.join(save_dir, "losses.csv"), index=False)
    net.load_state_dict(torch.load(os.path.join(save_dir, "best.pth"), weights_only=True))
    _, dice = score(net, test_loader)
    print("test dice:", sum(dice) / len(dice))
""",
}
"""The text of each file."""


def write_known_good(folder: Path) -> None:
    """Write the files of the pipeline that is known to be good into a folder."""
    make_folder(folder)
    for name, text in KNOWN_GOOD.items():
        write_text(folder / name, text)
