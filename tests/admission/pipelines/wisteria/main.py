import copy
import json
from pathlib import Path

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

from dataset import SegmentationDataset, build_index
from model import AttentionUNet
from train import DiceBCELoss, mean_dice, predict, search_threshold, train_epoch

IMAGE_ROOT = "/data/tumour/images"
MASK_ROOT = "/data/tumour/labels"
OUTPUT = "/data/tumour/outputs"
SIZE = 64
BATCH_SIZE = 4
NUM_EPOCHS = 30
LEARNING_RATE = 3e-4
SEED = 1234


def split(index, seed):
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(index))
    n_val = n_test = int(round(0.1 * len(index)))
    n_train = len(index) - n_val - n_test
    pick = lambda part: [index[i] for i in part]
    return pick(order[:n_train]), pick(order[n_train:n_train + n_val]), pick(order[n_train + n_val:])


def main() -> None:
    torch.manual_seed(SEED)
    np.random.seed(SEED)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    output = Path(OUTPUT)
    output.mkdir(parents=True, exist_ok=True)

    train_index, val_index, test_index = split(build_index(IMAGE_ROOT, MASK_ROOT), SEED)
    train_loader = DataLoader(SegmentationDataset(train_index, SIZE, train=True), BATCH_SIZE, shuffle=True)
    val_loader = DataLoader(SegmentationDataset(val_index, SIZE), BATCH_SIZE)
    test_loader = DataLoader(SegmentationDataset(test_index, SIZE), BATCH_SIZE)

    model = AttentionUNet().to(device)
    loss_fn = DiceBCELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, weight_decay=1e-5)

    history = {"train_loss": [], "val_loss": [], "val_dice": []}
    best_dice, best_weights = -1.0, None
    for epoch in range(NUM_EPOCHS):
        train_loss = train_epoch(model, train_loader, loss_fn, optimizer, device)
        val_loss, probs, truths = predict(model, val_loader, loss_fn, device)
        val_dice = mean_dice(probs, truths)
        history["train_loss"].append(train_loss)
        history["val_loss"].append(val_loss)
        history["val_dice"].append(val_dice)
        print(f"Epoch {epoch + 1}: train {train_loss:.4f}, val {val_loss:.4f}, val Dice {val_dice:.4f}")
        if val_dice > best_dice:
            best_dice = val_dice
            best_weights = copy.deepcopy(model.state_dict())

    model.load_state_dict(best_weights)
    torch.save(best_weights, output / "best_model.pth")

    test_loss, probs, truths = predict(model, test_loader, loss_fn, device)
    threshold, curve = search_threshold(probs, truths)
    test_dice = curve[threshold]
    print(f"Test Dice {test_dice:.4f} (threshold {threshold})")

    masks_dir = output / "predicted_masks"
    masks_dir.mkdir(exist_ok=True)
    for (image_path, _), prob in zip(test_index, probs):
        Image.fromarray(((prob > threshold) * 255).astype(np.uint8)).save(masks_dir / f"{image_path.stem}_pred.png")

    results = {"history": history, "best_val_dice": best_dice,
               "test": {"loss": test_loss, "dice": test_dice, "threshold": threshold}}
    with open(output / "results.json", "w") as f:
        json.dump(results, f, indent=4)

    epochs = range(1, NUM_EPOCHS + 1)
    plt.figure(figsize=(8, 5))
    plt.plot(epochs, history["train_loss"], label="Train loss")
    plt.plot(epochs, history["val_loss"], label="Validation loss")
    plt.xlabel("Epoch")
    plt.ylabel("Loss")
    plt.legend()
    plt.savefig(output / "loss_curve.png", dpi=150)
    plt.close()


if __name__ == "__main__":
    main()
