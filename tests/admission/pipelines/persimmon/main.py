import logging
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import torch
from skimage import io
from torch.utils.data import DataLoader

from dataset import Slices, make_split
from model import NestedUNet
from train import assess, train_one_epoch

matplotlib.use("Agg")
import matplotlib.pyplot as plt

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
log = logging.getLogger("nested")

SETTINGS = """
images: /srv/tumour/slices
masks: /srv/tumour/outlines
results: /srv/tumour/nested
epochs: 60
batch: 6
size: 72
pad: 8
rate: 0.02
seed: 31
"""


def parse(text):
    """Lines of 'key: value'; numbers become numbers."""
    settings = {}
    for line in text.strip().splitlines():
        key, value = (part.strip() for part in line.split(":", 1))
        try:
            settings[key] = int(value)
        except ValueError:
            try:
                settings[key] = float(value)
            except ValueError:
                settings[key] = value
    return settings


def main():
    s = parse(SETTINGS)
    torch.manual_seed(s["seed"])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    results = Path(s["results"])
    (results / "masks").mkdir(parents=True, exist_ok=True)

    split = make_split(s["images"], s["seed"], results / "split.json")
    train_loader = DataLoader(Slices(s["images"], s["masks"], split["train"], s["size"], s["pad"]),
                              batch_size=s["batch"], shuffle=True)
    val_loader = DataLoader(Slices(s["images"], s["masks"], split["val"], s["size"]), batch_size=1)
    test_loader = DataLoader(Slices(s["images"], s["masks"], split["test"], s["size"]), batch_size=1)

    net = NestedUNet().to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=s["rate"], momentum=0.9, weight_decay=5e-4)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1.0, end_factor=0.01,
                                                  total_iters=s["epochs"] * len(train_loader))

    table, best = [], None
    for epoch in range(1, s["epochs"] + 1):
        train_loss = train_one_epoch(net, train_loader, optimizer, scheduler, device)
        rows, _ = assess(net, val_loader, device)
        means = pd.DataFrame(rows)[["loss", "dice", "iou"]].mean()
        table.append({"epoch": epoch, "train_loss": train_loss, **means.add_prefix("val_").to_dict()})
        log.info("epoch %d train %.4f val %.4f dice %.4f", epoch, train_loss, means["loss"], means["dice"])
        if best is None or means["dice"] > best:
            best = means["dice"]
            torch.save(net.state_dict(), results / "best.pt")

    table = pd.DataFrame(table)
    table.to_csv(results / "epochs.csv", index=False)

    net.load_state_dict(torch.load(results / "best.pt", map_location=device))
    rows, masks = assess(net, test_loader, device)
    test = pd.DataFrame(rows)
    test.to_csv(results / "test.csv", index=False)
    log.info("test dice %.4f, iou %.4f", test["dice"].mean(), test["iou"].mean())
    for name, mask in masks.items():
        io.imsave(results / "masks" / f"{name}.png", (mask * 255).astype(np.uint8), check_contrast=False)

    table.plot(x="epoch", y=["train_loss", "val_loss"], ylabel="loss")
    plt.savefig(results / "loss.png")


if __name__ == "__main__":
    main()
