import json
import random
from pathlib import Path

import cv2
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.utils.data import DataLoader

from dataset import MRIDataset, RandomGeometry
from model import UNet
from train import run_epoch

settings = dict(
    image_dir="data/mri/images",
    mask_dir="data/mri/masks",
    result_dir="data/mri/results",
    size=80,
    batch_size=4,
    epochs=25,
    lr=1e-3,
    seed=5,
)


def main():
    random.seed(settings["seed"])
    np.random.seed(settings["seed"])
    torch.manual_seed(settings["seed"])
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    result_dir = Path(settings["result_dir"])
    result_dir.mkdir(parents=True, exist_ok=True)

    names = sorted(p.stem for p in Path(settings["image_dir"]).iterdir() if p.suffix == ".png")
    random.shuffle(names)
    n = len(names)
    train_names, val_names, test_names = names[:int(0.8 * n)], names[int(0.8 * n):int(0.9 * n)], names[int(0.9 * n):]

    def loader(part, **kwargs):
        shuffle = kwargs.pop("shuffle", False)
        dataset = MRIDataset(settings["image_dir"], settings["mask_dir"], part, settings["size"], **kwargs)
        return DataLoader(dataset, batch_size=settings["batch_size"], shuffle=shuffle)

    train_loader = loader(train_names, shuffle=True, geometry=RandomGeometry(seed=settings["seed"]))
    val_loader = loader(val_names)

    model = UNet().to(device)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=settings["lr"])
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[12, 20], gamma=0.3)

    best_loss = float("inf")
    history = []
    for epoch in range(1, settings["epochs"] + 1):
        train_loss, train_dice = run_epoch(model, train_loader, device, optimizer)
        val_loss, val_dice = run_epoch(model, val_loader, device)
        scheduler.step()
        history.append(dict(epoch=epoch, train_loss=train_loss, train_dice=train_dice,
                            val_loss=val_loss, val_dice=val_dice))
        print(f"epoch {epoch:3d}: loss {train_loss:.4f} / {val_loss:.4f}, dice {train_dice:.4f} / {val_dice:.4f}")
        if val_loss < best_loss:
            best_loss = val_loss
            torch.save(model.state_dict(), result_dir / "best.pth")

    model.load_state_dict(torch.load(result_dir / "best.pth", map_location=device))
    test_loader = loader(test_names)
    test_loss, test_dice = run_epoch(model, test_loader, device)
    print(f"test: loss {test_loss:.4f}, dice {test_dice:.4f}")

    with torch.no_grad():
        position = 0
        for image, _ in test_loader:
            for prediction in model(image.to(device)).cpu().numpy():
                out = (prediction[0] > 0.5).astype(np.uint8) * 255
                cv2.imwrite(str(result_dir / f"{test_names[position]}_pred.png"), out)
                position += 1

    with open(result_dir / "scores.json", "w") as handle:
        json.dump({"epochs": history, "test": {"loss": test_loss, "dice": test_dice}}, handle, indent=2)

    plt.figure()
    for key in ("train_loss", "val_loss"):
        plt.plot([h["epoch"] for h in history], [h[key] for h in history], label=key)
    plt.legend()
    plt.savefig(result_dir / "loss_curve.png")
    plt.close()


if __name__ == "__main__":
    main()
