import argparse
import csv
import os

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

from dataset import SliceDataset, collect, divide, positive_weight
from model import SeparableUNet
from train import test, train, warmup_cosine


def arguments():
    parser = argparse.ArgumentParser(description="Binary segmentation with a separable U-Net")
    parser.add_argument("--images", default="/data/brain/img")
    parser.add_argument("--masks", default="/data/brain/seg")
    parser.add_argument("--out", default="/data/brain/out")
    parser.add_argument("--epochs", type=int, default=80)
    parser.add_argument("--batch-size", type=int, default=2)
    parser.add_argument("--accumulate", type=int, default=2)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--size", type=int, default=80)
    parser.add_argument("--seed", type=int, default=3)
    return parser.parse_args()


def main():
    args = arguments()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    os.makedirs(args.out, exist_ok=True)

    parts = divide(collect(args.images), args.seed)
    loaders = []
    for part, names in zip(("train", "val", "test"), parts):
        data = SliceDataset(args.images, args.masks, names, args.size, part == "train")
        loaders.append(DataLoader(data, args.batch_size, shuffle=part == "train"))
    train_loader, val_loader, test_loader = loaders

    weight = positive_weight(args.masks, parts[0], args.size)
    criterion = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor([weight], device=device))
    model = SeparableUNet().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=1e-2)
    updates = -(-len(train_loader) // args.accumulate)
    scheduler = warmup_cosine(optimizer, warmup=updates, total=args.epochs * updates)

    checkpoint = os.path.join(args.out, "best.pt")
    best, history = -1.0, []
    for epoch in range(1, args.epochs + 1):
        train_loss = train(model, train_loader, criterion, optimizer, scheduler, device, args.accumulate)
        val_loss, scores, _ = test(model, val_loader, criterion, device)
        val_dice = float(np.mean(list(scores.values())))
        history.append((epoch, train_loss, val_loss, val_dice))
        print("epoch %d: train %.4f, val %.4f, dice %.4f" % history[-1])
        if val_dice > best:
            best = val_dice
            torch.save({"epoch": epoch, "model": model.state_dict()}, checkpoint)

    with open(os.path.join(args.out, "log.csv"), "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["epoch", "train_loss", "val_loss", "val_dice"])
        table.writerows(history)

    saved = torch.load(checkpoint, map_location=device)
    model.load_state_dict(saved["model"])
    test_loss, scores, predictions = test(model, test_loader, criterion, device)
    with open(os.path.join(args.out, "test.csv"), "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["case", "dice"])
        table.writerows(sorted(scores.items()))
        table.writerow(["mean", float(np.mean(list(scores.values())))])
    print("test loss %.4f, dice %.4f (weights of epoch %d)"
          % (test_loss, np.mean(list(scores.values())), saved["epoch"]))
    for name, prediction in predictions.items():
        Image.fromarray((prediction * 255).astype(np.uint8)).save(os.path.join(args.out, name + "_pred.png"))

    epochs, train_losses, val_losses, _ = zip(*history)
    plt.plot(epochs, train_losses, label="training")
    plt.plot(epochs, val_losses, label="validation")
    plt.legend()
    plt.xlabel("epoch")
    plt.ylabel("weighted cross entropy")
    plt.savefig(os.path.join(args.out, "curve.png"))


if __name__ == "__main__":
    main()
