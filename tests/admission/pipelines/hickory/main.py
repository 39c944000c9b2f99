import os
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from skimage import io
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader

from dataset import MRISegmentationDataset, intensity_statistics
from model import SEUNet
from train import run_epoch

image_dir = Path("./mri_data/imgs")
mask_dir = Path("./mri_data/labels")
result_dir = Path("./mri_results")
n_epochs = 35
batch_size = 4
image_size = 72
seed = 2024

if __name__ == "__main__":
    torch.manual_seed(seed)
    np.random.seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    os.makedirs(result_dir / "test_predictions", exist_ok=True)

    image_paths = sorted(image_dir.glob("*.png"))
    mean, std = intensity_statistics(image_paths)
    print(f"{len(image_paths)} cases, intensity {mean:.4f} +/- {std:.4f}")

    train_paths, held_out = train_test_split(image_paths, test_size=0.2, random_state=seed)
    val_paths, test_paths = train_test_split(held_out, test_size=0.5, random_state=seed)

    train_ds = MRISegmentationDataset(train_paths, mask_dir, image_size, mean, std, augment=True)
    val_ds = MRISegmentationDataset(val_paths, mask_dir, image_size, mean, std)
    test_ds = MRISegmentationDataset(test_paths, mask_dir, image_size, mean, std)
    train_dl = DataLoader(train_ds, batch_size=batch_size, shuffle=True)
    val_dl = DataLoader(val_ds, batch_size=batch_size)
    test_dl = DataLoader(test_ds, batch_size=batch_size)

    model = SEUNet().to(device)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=5e-4)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=4)

    log, best_loss = [], float("inf")
    for epoch in range(1, n_epochs + 1):
        train_loss, train_dice, _ = run_epoch(model, train_dl, device, optimizer)
        val_loss, val_dice, _ = run_epoch(model, val_dl, device)
        scheduler.step(val_loss)
        log.append(dict(epoch=epoch, train_loss=train_loss, train_dice=train_dice,
                        val_loss=val_loss, val_dice=val_dice))
        print(f"{epoch:3d}  train {train_loss:.4f}/{train_dice:.4f}  val {val_loss:.4f}/{val_dice:.4f}")
        if val_loss < best_loss:
            best_loss = val_loss
            torch.save(model.state_dict(), result_dir / "best_weights.pt")

    log = pd.DataFrame(log)
    log.to_csv(result_dir / "log.csv", index=False)

    model.load_state_dict(torch.load(result_dir / "best_weights.pt", map_location=device))
    test_loss, test_dice, outputs = run_epoch(model, test_dl, device)
    print(f"test loss {test_loss:.4f}, test dice {test_dice:.4f}")
    pd.DataFrame([{"test_loss": test_loss, "test_dice": test_dice}]).to_csv(result_dir / "test.csv", index=False)
    for name, mask in outputs.items():
        io.imsave(result_dir / "test_predictions" / f"{name}.png", mask.astype(np.uint8) * 255, check_contrast=False)

    log.plot(x="epoch", y=["train_loss", "val_loss"])
    plt.savefig(result_dir / "loss.png")
