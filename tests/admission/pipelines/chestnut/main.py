import os
import random
import time

import numpy as np
import pandas as pd
import torch

from dataset import get_dataloaders
from model import AttentionUNet
from train import DiceBCELoss, evaluate_fn, test_fn, train_fn


def seeding(seed):
    random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.backends.cudnn.deterministic = True


def epoch_time(start_time, end_time):
    elapsed = end_time - start_time
    return int(elapsed / 60), int(elapsed - 60 * int(elapsed / 60))


if __name__ == "__main__":
    """ Seeding """
    seeding(42)

    """ Directories """
    image_dir = "../data/lesions/images"
    mask_dir = "../data/lesions/masks"
    save_dir = "files"
    os.makedirs(save_dir, exist_ok=True)

    """ Hyperparameters """
    image_size = 64
    batch_size = 4
    num_epochs = 60
    lr = 1e-4
    checkpoint_path = os.path.join(save_dir, "checkpoint.pth")

    """ Dataset and loader """
    train_loader, valid_loader, test_loader = get_dataloaders(image_dir, mask_dir, image_size, batch_size, seed=42)
    print(f"Dataset Size:\nTrain: {len(train_loader.dataset)} - Valid: {len(valid_loader.dataset)} "
          f"- Test: {len(test_loader.dataset)}\n")

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = AttentionUNet().to(device)
    print("Trainable parameters:", sum(p.numel() for p in model.parameters() if p.requires_grad))

    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "min", patience=5)
    loss_fn = DiceBCELoss()

    """ Training the model """
    best_valid_loss = float("inf")
    train_losses, valid_losses, valid_dices = [], [], []
    begin = time.time()
    for epoch in range(num_epochs):
        start_time = time.time()
        train_loss = train_fn(model, train_loader, optimizer, loss_fn, device, epoch + 1)
        valid_loss, dices = evaluate_fn(model, valid_loader, loss_fn, device, epoch + 1)
        scheduler.step(valid_loss)
        train_losses.append(train_loss)
        valid_losses.append(valid_loss)
        valid_dices.append(dices)

        if valid_loss < best_valid_loss:
            print(f"Valid loss improved from {best_valid_loss:2.4f} to {valid_loss:2.4f}. Saving checkpoint")
            best_valid_loss = valid_loss
            torch.save(model.state_dict(), checkpoint_path)

        mins, secs = epoch_time(start_time, time.time())
        print(f"Epoch: {epoch + 1:02} | Epoch Time: {mins}m {secs}s")
        print(f"\tTrain Loss: {train_loss:.3f}\n\t Val. Loss: {valid_loss:.3f}\n\t Val. Dice: {np.mean(dices):.3f}")
    print(f"Total training time: {time.time() - begin:.2f} s")

    """ Testing with the best checkpoint """
    model.load_state_dict(torch.load(checkpoint_path, map_location=device))
    test_dices = test_fn(model, test_loader, device)
    print(f"Test Dice: {np.mean(test_dices):1.4f}")

    """ Saving """
    epochs = np.arange(1, num_epochs + 1)
    pd.DataFrame([epochs, train_losses]).to_excel(f"{save_dir}/train_losses.xlsx", header=False, index=False)
    pd.DataFrame([epochs, valid_losses]).to_excel(f"{save_dir}/val_losses.xlsx", header=False, index=False)
    pd.DataFrame(valid_dices).to_excel(f"{save_dir}/validation_dice_scores.xlsx", header=False, index=False)
    pd.DataFrame([test_dices]).to_excel(f"{save_dir}/test_dice_scores.xlsx", header=False, index=False)
    torch.save(model, f"{save_dir}/model.pth")
