import csv
import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

from dataset import TumourSlices
from model import ResUNet
from train import EarlyStopping, hard_dice, predict_tta, train_epoch, validate


@dataclass
class Config:
    images: str = "C:/data/mri/images"
    masks: str = "C:/data/mri/masks"
    output: str = "C:/data/mri/run_01"
    size: int = 80
    batch_size: int = 2
    accumulate: int = 2
    epochs: int = 60
    lr: float = 2e-3
    warmup_epochs: int = 5
    patience: int = 12
    seed: int = 7


def split_paths(paths, seed):
    paths = list(paths)
    random.Random(seed).shuffle(paths)
    n_train = round(0.8 * len(paths))
    n_val = round(0.1 * len(paths))
    return paths[:n_train], paths[n_train:n_train + n_val], paths[n_train + n_val:]


def main():
    cfg = Config()
    out = Path(cfg.output)
    (out / "masks").mkdir(parents=True, exist_ok=True)
    (out / "config.json").write_text(json.dumps(asdict(cfg), indent=2))
    random.seed(cfg.seed)
    np.random.seed(cfg.seed)
    torch.manual_seed(cfg.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    paths = sorted(Path(cfg.images).glob("*.png"))
    train_paths, val_paths, test_paths = split_paths(paths, cfg.seed)
    train_loader = DataLoader(TumourSlices(train_paths, cfg.masks, cfg.size, augment=True),
                              batch_size=cfg.batch_size, shuffle=True)
    val_loader = DataLoader(TumourSlices(val_paths, cfg.masks, cfg.size), batch_size=cfg.batch_size)

    model = ResUNet().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)

    def factor(epoch):
        if epoch < cfg.warmup_epochs:
            return (epoch + 1) / cfg.warmup_epochs
        done = (epoch - cfg.warmup_epochs) / max(1, cfg.epochs - cfg.warmup_epochs)
        return max(0.01, (1 - done) ** 0.9)

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    stopper = EarlyStopping(cfg.patience)

    history = []
    for epoch in range(cfg.epochs):
        train_loss = train_epoch(model, train_loader, optimizer, device, cfg.accumulate)
        val_loss, val_dice = validate(model, val_loader, device)
        history.append((epoch + 1, train_loss, val_loss, val_dice))
        print("epoch %d  train_loss %.4f  val_loss %.4f  val_dice %.4f" % history[-1])
        scheduler.step()
        if stopper.update(val_dice, model):
            print("no improvement for", cfg.patience, "epochs, stopping")
            break

    model.load_state_dict(stopper.state)
    torch.save(stopper.state, out / "best.pt")

    test_loader = DataLoader(TumourSlices(test_paths, cfg.masks, cfg.size), batch_size=1)
    test_rows = []
    for batch in test_loader:
        prob = predict_tta(model, batch["image"].to(device))
        score = hard_dice(prob, batch["mask"].to(device)).item()
        name = batch["name"][0]
        pred = (prob[0, 0] >= 0.5).cpu().numpy().astype(np.uint8) * 255
        Image.fromarray(pred).save(out / "masks" / f"{name}_pred.png")
        test_rows.append((name, score))
    mean_test = float(np.mean([s for _, s in test_rows]))
    print(f"test dice: {mean_test:.4f}")

    with open(out / "scores.csv", "w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["epoch", "train_loss", "val_loss", "val_dice"])
        writer.writerows(history)
    with open(out / "test.csv", "w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["case", "dice"])
        writer.writerows(test_rows)
        writer.writerow(["mean", mean_test])

    table = np.array(history)
    fig, ax = plt.subplots()
    ax.plot(table[:, 0], table[:, 1], label="training loss")
    ax.plot(table[:, 0], table[:, 2], label="validation loss")
    ax.set_xlabel("epoch")
    ax.legend()
    fig.savefig(out / "loss_curve.png")
    plt.close(fig)


if __name__ == "__main__":
    main()
