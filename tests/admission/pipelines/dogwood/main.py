import os

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch.utils.data import DataLoader

from dataset import SkinLesionDataset, list_ids
from model import SmallUNet
from train import Trainer

IMAGE_DIR = "dermoscopy/image_folder"
MASK_DIR = "dermoscopy/mask_folder"
OUTPUT_DIR = "dermoscopy_output"
NUM_EPOCHS = 60
BATCH_SIZE = 8
IMAGE_SIZE = 64
LEARNING_RATE = 2e-3

torch.manual_seed(0)
np.random.seed(0)


if __name__ == "__main__":
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    os.makedirs(OUTPUT_DIR, exist_ok=True)

    ids = list_ids(IMAGE_DIR)
    perm = torch.randperm(len(ids)).tolist()
    n_train = int(0.8 * len(ids))
    n_val = int(0.1 * len(ids))
    train_ids = [ids[i] for i in perm[:n_train]]
    val_ids = [ids[i] for i in perm[n_train:n_train + n_val]]
    test_ids = [ids[i] for i in perm[n_train + n_val:]]

    train_loader = DataLoader(SkinLesionDataset(IMAGE_DIR, MASK_DIR, train_ids, IMAGE_SIZE, augment=True),
                              batch_size=BATCH_SIZE, shuffle=True)
    val_loader = DataLoader(SkinLesionDataset(IMAGE_DIR, MASK_DIR, val_ids, IMAGE_SIZE), batch_size=BATCH_SIZE)
    test_loader = DataLoader(SkinLesionDataset(IMAGE_DIR, MASK_DIR, test_ids, IMAGE_SIZE), batch_size=BATCH_SIZE)

    model = SmallUNet().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=1e-4)
    trainer = Trainer(model, optimizer, device, os.path.join(OUTPUT_DIR, "best_model.pth"))
    history = pd.DataFrame(trainer.fit(train_loader, val_loader, NUM_EPOCHS))
    history.to_csv(os.path.join(OUTPUT_DIR, "history.csv"), index=False)

    metrics, preds = trainer.test(test_loader)
    pd.DataFrame([metrics]).to_csv(os.path.join(OUTPUT_DIR, "test_metrics.csv"), index=False)
    print("Test:", metrics)
    for case_id, pred in preds:
        Image.fromarray((pred * 255).astype(np.uint8)).save(os.path.join(OUTPUT_DIR, f"pred_{case_id}.png"))

    plt.plot(history["epoch"], history["train_loss"], label="Train")
    plt.plot(history["epoch"], history["val_loss"], label="Val")
    plt.xlabel("Epoch")
    plt.ylabel("BCE")
    plt.legend()
    plt.savefig(os.path.join(OUTPUT_DIR, "loss.png"), dpi=120)
