import logging
import os
import random

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch.utils.data import DataLoader

from dataset import CachedMRIDataset
from model import UNetSmall
from train import evaluate, train_one_epoch

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
log = logging.getLogger("segmentation")


class Settings:
    images = "/home/user/brain/images/"
    masks = "/home/user/brain/masks/"
    results = "/home/user/brain/results/"
    image_size = (64, 64)
    batch_size = 4
    epochs = 35
    lr = 1e-3
    seed = 99


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)


def main():
    s = Settings()
    seed_everything(s.seed)
    os.makedirs(s.results, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    names = sorted(os.path.splitext(f)[0] for f in os.listdir(s.images) if f.endswith(".png"))
    random.shuffle(names)
    n_train, n_val = int(len(names) * 0.8), int(len(names) * 0.1)
    parts = {"train": names[:n_train], "val": names[n_train:n_train + n_val], "test": names[n_train + n_val:]}
    cache_dir = os.path.join(s.results, "cache")
    loaders = {
        key: DataLoader(CachedMRIDataset(s.images, s.masks, cache_dir, part, s.image_size, train=(key == "train")),
                        batch_size=s.batch_size, shuffle=(key == "train"))
        for key, part in parts.items()
    }
    log.info("cases: %s", {k: len(v) for k, v in parts.items()})

    model = UNetSmall().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=s.lr)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=4)

    best_path = os.path.join(s.results, "best_model.pth")
    best_dice, history = -1.0, []
    for epoch in range(s.epochs):
        train_loss = train_one_epoch(model, loaders["train"], optimizer, device)
        val = evaluate(model, loaders["val"], device)
        scheduler.step(val["loss"])
        history.append({"epoch": epoch + 1, "train_loss": train_loss, "val_loss": val["loss"],
                        "val_dice": val["dice"], "val_iou": val["iou"]})
        log.info("epoch %d: train loss %.4f, val loss %.4f, val dice %.4f", epoch + 1, train_loss, val["loss"], val["dice"])
        if val["dice"] > best_dice:
            best_dice = val["dice"]
            torch.save(model.state_dict(), best_path)

    model.load_state_dict(torch.load(best_path, map_location=device))
    pred_dir = os.path.join(s.results, "predictions")
    os.makedirs(pred_dir, exist_ok=True)

    def save_batch(case_names, probs, _):
        for name, prob in zip(case_names, probs):
            array = (prob[0].numpy() > 0.5).astype(np.uint8) * 255
            Image.fromarray(array).save(os.path.join(pred_dir, name + "_pred.png"))

    test = evaluate(model, loaders["test"], device, on_batch=save_batch)
    log.info("test: %s", test)

    pd.DataFrame(history).to_csv(os.path.join(s.results, "history.csv"), index=False)
    pd.DataFrame([test]).to_csv(os.path.join(s.results, "test_scores.csv"), index=False)

    frame = pd.DataFrame(history)
    plt.figure()
    plt.plot(frame["epoch"], frame["train_loss"], label="Training")
    plt.plot(frame["epoch"], frame["val_loss"], label="Validation")
    plt.xlabel("Epoch")
    plt.ylabel("Loss")
    plt.legend()
    plt.savefig(os.path.join(s.results, "loss_curve.png"))
    plt.close()


if __name__ == "__main__":
    main()
