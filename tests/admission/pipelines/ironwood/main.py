import copy
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import torch
from sklearn.model_selection import KFold
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from dataset import LesionData, case_names
from model import Net
from train import evaluate, train_epoch

matplotlib.use("Agg")
import matplotlib.pyplot as plt


@dataclass
class Config:
    images: str = "C:/Users/me/skin/images"
    masks: str = "C:/Users/me/skin/masks"
    save: str = "C:/Users/me/skin/ema_run"
    side: int = 80
    batch: int = 5
    epochs: int = 100
    rate: float = 1e-3
    decay: float = 0.9
    seed: int = 11


def mean(rows, key):
    return float(np.mean([row[key] for row in rows]))


def main(cfg):
    torch.manual_seed(cfg.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    save = Path(cfg.save)
    save.mkdir(parents=True, exist_ok=True)

    # ten folds: the first is the test part, the second the validation part
    names = np.array(case_names(cfg.images))
    folds = [fold for _, fold in KFold(10, shuffle=True, random_state=cfg.seed).split(names)]
    parts = {"test": names[folds[0]], "val": names[folds[1]], "train": names[np.concatenate(folds[2:])]}
    data = {k: LesionData(cfg.images, cfg.masks, v.tolist(), cfg.side, jitter=k == "train") for k, v in parts.items()}
    train_loader = DataLoader(data["train"], cfg.batch, shuffle=True)
    val_loader = DataLoader(data["val"], cfg.batch)
    test_loader = DataLoader(data["test"], cfg.batch)

    net = Net().to(device)
    averaged = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(cfg.decay))
    optimizer = torch.optim.NAdam(net.parameters(), lr=cfg.rate)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.98)

    epochs, best, kept = [], -1.0, None
    for epoch in range(cfg.epochs):
        train_loss = train_epoch(net, averaged, train_loader, optimizer, device)
        scheduler.step()
        rows, _ = evaluate(averaged, val_loader, device)
        epochs.append({"epoch": epoch, "train_loss": train_loss,
                       "val_loss": mean(rows, "loss"), "val_dice": mean(rows, "dice")})
        print(epochs[-1])
        if epochs[-1]["val_dice"] > best:
            best = epochs[-1]["val_dice"]
            kept = copy.deepcopy(averaged.module.state_dict())

    torch.save(kept, save / "best.pt")
    final = Net().to(device)
    final.load_state_dict(kept)
    rows, found = evaluate(final, test_loader, device)
    report = {"config": asdict(cfg), "epochs": epochs, "test": rows, "test_dice": mean(rows, "dice")}
    (save / "report.json").write_text(json.dumps(report, indent=1))
    print("test dice", report["test_dice"])
    for name, mask in found.items():
        cv2.imwrite(str(save / f"{name}_mask.png"), mask.astype(np.uint8) * 255)

    for key in ("train_loss", "val_loss"):
        plt.plot([e[key] for e in epochs], label=key)
    plt.legend()
    plt.savefig(save / "loss.png")


if __name__ == "__main__":
    main(Config())
