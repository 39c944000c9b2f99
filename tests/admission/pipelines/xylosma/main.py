import argparse
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import torch
from PIL import Image
from torch.utils.data import DataLoader, Subset, random_split

from dataset import BrainDataset, training_transform
from model import DeepUNet
from train import Engine


def get_loaders(args):
    plain = BrainDataset(args.image_dir, args.mask_dir, args.size)
    augmented = BrainDataset(args.image_dir, args.mask_dir, args.size, training_transform())
    generator = torch.Generator().manual_seed(args.seed)
    n = len(plain)
    n_val, n_test = int(n * 0.1), int(n * 0.1)
    train_part, val_part, test_part = random_split(plain, [n - n_val - n_test, n_val, n_test], generator=generator)
    train_part = Subset(augmented, train_part.indices)
    train_loader = DataLoader(train_part, args.batch_size, shuffle=True, num_workers=args.workers)
    val_loader = DataLoader(val_part, args.batch_size, num_workers=args.workers)
    test_loader = DataLoader(test_part, args.batch_size)
    return train_loader, val_loader, test_loader


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--image_dir", type=str, default="../dataset/images")
    p.add_argument("--mask_dir", type=str, default="../dataset/masks")
    p.add_argument("--output", type=str, default="../dataset/output")
    p.add_argument("--epochs", type=int, default=100)
    p.add_argument("--batch_size", type=int, default=4)
    p.add_argument("--lr", type=float, default=0.01)
    p.add_argument("--size", type=int, default=64)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--seed", type=int, default=3407)
    args = p.parse_args()

    torch.manual_seed(args.seed)
    output = Path(args.output)
    output.mkdir(parents=True, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    train_loader, val_loader, test_loader = get_loaders(args)
    engine = Engine(DeepUNet().to(device), device, args.lr, args.epochs, output)
    history = pd.DataFrame(engine.fit(train_loader, val_loader))

    best_epoch, best_dice = engine.load_best()
    test_loss, test_dice, masks = engine.evaluate(test_loader)
    print(f"best epoch {best_epoch} (dice {best_dice:.4f}); test loss {test_loss:.4f}, test dice {test_dice:.4f}")

    for name, mask in masks.items():
        Image.fromarray((mask * 255).astype("uint8")).save(output / f"{name}_prediction.png")

    history.to_csv(output / "epochs.csv", index=False)
    pd.DataFrame([{"best_epoch": best_epoch, "val_dice": best_dice, "test_loss": test_loss,
                   "test_dice": test_dice}]).to_csv(output / "test.csv", index=False)

    plt.plot(history["epoch"], history["train_loss"], "b-", label="train (with auxiliary term)")
    plt.plot(history["epoch"], history["val_loss"], "r-", label="validation")
    plt.legend()
    plt.xlabel("epoch")
    plt.savefig(output / "loss_curve.png")
    plt.close()


if __name__ == "__main__":
    main()
