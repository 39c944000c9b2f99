from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import torch

from dataset import batches, index_cases, partition
from model import GNResUNet
from train import fit, test


def write_rows(rows, path):
    pd.DataFrame(rows).to_excel(path, header=False, index=False)


if __name__ == "__main__":
    # --- what to read and where to write ---
    image_path = "./images"
    mask_path = "./masks"
    save_path = "./acacia_run"
    # --- hyper-parameters ---
    image_size = 64
    batch_size = 4
    epochs = 30
    learning_rate = 2e-3
    seed = 7

    torch.manual_seed(seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    out = Path(save_path)
    out.mkdir(parents=True, exist_ok=True)

    train_cases, val_cases, test_cases = partition(index_cases(image_path, mask_path), seed)
    print(f"train {len(train_cases)} | val {len(val_cases)} | test {len(test_cases)}")

    model = GNResUNet().to(device)
    print("learnable parameters:", sum(p.numel() for p in model.parameters() if p.requires_grad))
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)

    started = perf_counter()
    log = fit(
        model,
        partial(batches, train_cases, image_size, batch_size, np.random.default_rng(seed)),
        partial(batches, val_cases, image_size, batch_size),
        optimizer,
        scheduler,
        epochs,
        device,
    )
    print(f"total training time: {perf_counter() - started:.1f} s")

    numbers = list(range(1, epochs + 1))
    write_rows([numbers, log["train"]], out / "train_losses.xlsx")
    write_rows([numbers, log["val"]], out / "val_losses.xlsx")
    write_rows(log["dice"], out / "validation_dice_scores.xlsx")
    torch.save(model, out / "model.pth")
    torch.save(model.state_dict(), out / "state_dict.pth")

    scores = test(model, batches(test_cases, image_size, batch_size), device)
    write_rows([scores], out / "test_dice_scores.xlsx")
    print(f"test dice {np.mean(scores):.4f}")
