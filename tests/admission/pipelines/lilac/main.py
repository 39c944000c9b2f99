import copy
import json
import os

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image

from dataset import Part
from model import UNet
from train import Engine

images = "E:/studies/flair/images"
masks = "E:/studies/flair/masks"
save = "E:/studies/flair/results"

side, batch, rate, seed = 80, 3, 1e-3, 5
epochs = 120
patience = 15


def main():
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    os.makedirs(save, exist_ok=True)

    names = sorted(os.path.splitext(f)[0] for f in os.listdir(images) if f.endswith(".png"))
    rng.shuffle(names)
    cut1, cut2 = round(0.8 * len(names)), round(0.9 * len(names))
    train_part = Part(images, masks, names[:cut1], side, keep=True)
    val_part = Part(images, masks, names[cut1:cut2], side)
    test_part = Part(images, masks, names[cut2:], side)

    # normalised with the training part
    mean, std = train_part.statistics()
    for part in (train_part, val_part, test_part):
        part.mean, part.std = mean, std

    net = UNet().to(device)
    optimizer = torch.optim.RAdam(net.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=10, T_mult=2)
    engine = Engine(net, optimizer, device)

    log, best, best_epoch, best_weights = [], None, 0, None
    for epoch in range(1, epochs + 1):
        train_loss = engine.train(train_part.batches(batch, rng))
        val_loss, dices, _ = engine.score(val_part.batches(batch))
        schedule.step()
        val_dice = float(np.mean(list(dices.values())))
        log.append(dict(epoch=epoch, train=train_loss, validation=val_loss, dice=val_dice))
        print(f"{epoch:4d} {train_loss:8.4f} {val_loss:8.4f} {val_dice:8.4f}")
        if best is None or val_loss < best:
            best, best_epoch = val_loss, epoch
            best_weights = copy.deepcopy(net.state_dict())
        elif epoch - best_epoch >= patience:
            print("stopped early")
            break

    net.load_state_dict(best_weights)
    torch.save(best_weights, os.path.join(save, "weights.pt"))
    test_loss, dices, predictions = engine.score(test_part.batches(batch))
    test_dice = float(np.mean(list(dices.values())))
    print(f"test: loss {test_loss:.4f}, dice {test_dice:.4f}, weights of epoch {best_epoch}")
    with open(os.path.join(save, "scores.json"), "w") as file:
        json.dump({"epochs": log, "best_epoch": best_epoch, "test_loss": test_loss,
                   "test_dice": test_dice, "test_cases": dices}, file, indent=1)
    for name, prediction in predictions.items():
        Image.fromarray(np.uint8(255 * prediction)).save(os.path.join(save, name + ".png"))

    figure, axes = plt.subplots()
    axes.plot([row["epoch"] for row in log], [row["train"] for row in log], label="training")
    axes.plot([row["epoch"] for row in log], [row["validation"] for row in log], label="validation")
    axes.legend()
    figure.savefig(os.path.join(save, "loss.png"))


if __name__ == "__main__":
    main()
