import os
import time

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader

from dataset import SegDataset, get_splits
from model import UNet3
from train import fit, test


def main():
    # ============ Paths ============
    root_images = "/content/drive/MyDrive/seg/images"
    root_masks = "/content/drive/MyDrive/seg/masks"
    save_path = "/content/drive/MyDrive/seg/results"

    # ======= Hyperparameters =======
    image_size = 64
    batch_size = 4
    num_epochs = 48
    learning_rate = 0.01
    step_size, gamma = 16, 0.3
    seed = 21

    torch.manual_seed(seed)
    np.random.seed(seed)
    os.makedirs(save_path, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    train_names, val_names, test_names = get_splits(root_images, seed)
    print(f"Training images: {len(train_names)}")
    print(f"Validation images: {len(val_names)}")
    print(f"Test images: {len(test_names)}")
    loaders = {}
    for key, names in {"train": train_names, "val": val_names, "test": test_names}.items():
        dataset = SegDataset(root_images, root_masks, names, image_size)
        loaders[key] = DataLoader(dataset, batch_size=batch_size, shuffle=(key == "train"))

    model = UNet3().to(device)
    print(f"Learnable parameters: {sum(p.numel() for p in model.parameters() if p.requires_grad)}")
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9, nesterov=True, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=step_size, gamma=gamma)

    start = time.time()
    history = fit(model, loaders["train"], loaders["val"], optimizer, scheduler, num_epochs, device)
    total = time.time() - start

    # Save losses and scores
    epochs = np.arange(1, len(history["train_loss"]) + 1)
    for key, name in (("train_loss", "train_losses"), ("val_loss", "val_losses")):
        pd.DataFrame(np.vstack([epochs, history[key]])).to_excel(f"{save_path}/{name}.xlsx", header=False, index=False)
    pd.DataFrame(history["val_dice"]).to_excel(f"{save_path}/validation_dice_scores.xlsx", header=False, index=False)

    # Save model
    torch.save(model, f"{save_path}/model_complete.pth")
    torch.save(model.state_dict(), f"{save_path}/model_state_dict.pth")

    # Test
    test_dice = test(model, loaders["test"], device)
    pd.DataFrame([test_dice]).to_excel(f"{save_path}/test_dice_scores.xlsx", header=False, index=False)
    print(f"Average test Dice: {np.mean(test_dice):.4f}")
    print(f"Total training time: {total:.2f} seconds")


if __name__ == "__main__":
    main()
