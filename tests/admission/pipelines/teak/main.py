from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import torch
from torch.utils.data import DataLoader

from dataset import SkinDataset
from model import SmallUNet
from train import Trainer

IMAGE_DIR = r"D:\datasets\skin\images"
MASK_DIR = r"D:\datasets\skin\masks"
SAVE_DIR = r"D:\datasets\skin\output"

IMG_SIZE = 96
BATCH_SIZE = 4
EPOCHS = 45
LR = 5e-4
SEED = 0


def main():
    torch.manual_seed(SEED)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    save_dir = Path(SAVE_DIR)
    save_dir.mkdir(parents=True, exist_ok=True)

    names = sorted(p.stem for p in Path(IMAGE_DIR).glob("*.png"))
    perm = torch.randperm(len(names), generator=torch.Generator().manual_seed(SEED)).tolist()
    a, b = int(len(names) * 0.8), int(len(names) * 0.9)
    train_names = [names[i] for i in perm[:a]]
    val_names = [names[i] for i in perm[a:b]]
    test_names = [names[i] for i in perm[b:]]

    train_loader = DataLoader(SkinDataset(IMAGE_DIR, MASK_DIR, train_names, IMG_SIZE, train=True),
                              batch_size=BATCH_SIZE, shuffle=True)
    val_loader = DataLoader(SkinDataset(IMAGE_DIR, MASK_DIR, val_names, IMG_SIZE), batch_size=BATCH_SIZE)

    model = SmallUNet().to(device)
    print("parameters:", sum(p.numel() for p in model.parameters()))
    optimizer = torch.optim.RAdam(model.parameters(), lr=LR)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=15, gamma=0.5)

    trainer = Trainer(model, optimizer, scheduler, device, save_dir)
    best = trainer.fit(train_loader, val_loader, EPOCHS)
    rows = trainer.test(IMAGE_DIR, MASK_DIR, test_names, IMG_SIZE)

    test = pd.DataFrame(rows)
    print(f"best validation dice {best:.4f}, test dice {test['dice'].mean():.4f}")
    epochs = pd.DataFrame(trainer.history)
    with pd.ExcelWriter(save_dir / "scores.xlsx") as writer:
        epochs.to_excel(writer, sheet_name="per_epoch", index=False)
        test.to_excel(writer, sheet_name="test", index=False)
        pd.DataFrame({"mean_test_dice": [test["dice"].mean()]}).to_excel(writer, sheet_name="summary", index=False)

    ax = epochs.plot(x="epoch", y=["train_loss", "val_loss"])
    ax.set_ylabel("loss")
    ax.figure.savefig(save_dir / "loss_curve.png")
    plt.close(ax.figure)


if __name__ == "__main__":
    main()
