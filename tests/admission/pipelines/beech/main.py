"""Entry point: sets all parameters, trains and tests."""

import os
import time

import torch

try:
    from torchinfo import summary
except ImportError:
    summary = None

from dataset import copy_split, create_loaders, find_pairs, set_seed, split_pairs
from model import UNet
from train import (
    BCEDiceLoss,
    plot_losses,
    plot_predictions,
    save_losses,
    save_model,
    save_scores,
    test,
    train_one_epoch,
    validate,
)

if __name__ == "__main__":
    # Folder of the images
    image_dir = "./data/images"
    # Folder of the masks
    mask_dir = "./data/masks"
    # What a mask's name has after the image's
    mask_suffix = "_seg"
    # Folder for all results
    save_dir = "./results"
    # Height and width of the network's input
    image_size = 64
    # Images per step
    batch_size = 4
    # Passes over the training data
    epochs = 20
    # Learning rate
    learning_rate = 1e-3
    # Seed of everything random
    seed = 42

    set_seed(seed)
    os.makedirs(save_dir, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    pairs = find_pairs(image_dir, mask_dir, mask_suffix)
    train_pairs, val_pairs, test_pairs = split_pairs(pairs, seed)
    for name, part in (("train", train_pairs), ("val", val_pairs), ("test", test_pairs)):
        copy_split(part, save_dir, name)
    print(f"Images: {len(train_pairs)} train, {len(val_pairs)} val, {len(test_pairs)} test")

    train_loader, val_loader, test_loader = create_loaders(
        train_pairs, val_pairs, test_pairs, image_size, batch_size
    )
    print(f"Batches: {len(train_loader)} train, {len(val_loader)} val, {len(test_loader)} test")

    model = UNet(in_channels=1, out_channels=1).to(device)
    if summary is not None:
        summary(model, input_size=(1, 1, image_size, image_size))
    learnable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print(f"Learnable parameters: {learnable}")

    criterion = BCEDiceLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=1e-5)

    train_losses, val_losses, val_dices = [], [], []
    start = time.time()
    for epoch in range(1, epochs + 1):
        train_losses.append(train_one_epoch(model, train_loader, criterion, optimizer, device, epoch, epochs))
        val_loss, dices = validate(model, val_loader, criterion, device, epoch, epochs)
        val_losses.append(val_loss)
        val_dices.append(dices)
        print(f"Epoch {epoch}: train loss {train_losses[-1]:.4f}, val loss {val_loss:.4f}")
    elapsed = time.time() - start

    save_losses(train_losses, os.path.join(save_dir, "train_losses.xlsx"))
    save_losses(val_losses, os.path.join(save_dir, "val_losses.xlsx"))
    save_scores(val_dices, os.path.join(save_dir, "validation_dice_scores.xlsx"))
    plot_losses(train_losses, val_losses, os.path.join(save_dir, "loss_curves.png"))
    save_model(model, save_dir)

    test_dices = test(model, test_loader, device, epochs)
    save_scores([test_dices], os.path.join(save_dir, "test_dice_scores.xlsx"))
    plot_predictions(model, test_loader.dataset, device, os.path.join(save_dir, "test_predictions.png"))
    print(f"Test Dice: {sum(test_dices) / len(test_dices):.4f}")
    print(f"Total training time: {elapsed:.1f} s")
