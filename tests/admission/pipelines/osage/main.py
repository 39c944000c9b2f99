import csv
import os

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch
from PIL import Image
from torch.utils.data import DataLoader

from dataset import LesionSegmentation, find_ids
from model import UNet
from train import BCEJaccardLoss, evaluate, train_epoch

IMAGES = "./isic_subset/input"
MASKS = "./isic_subset/ground_truth"
RESULTS = "./isic_subset_unet"
MAX_EPOCHS = 40
BATCH = 4
SIZE = 72


def main():
    torch.manual_seed(8)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    os.makedirs(RESULTS, exist_ok=True)

    ids = find_ids(IMAGES)
    ids = [ids[i] for i in torch.randperm(len(ids)).tolist()]
    n_eval = max(1, len(ids) // 10)
    val_ids, test_ids, train_ids = ids[:n_eval], ids[n_eval:2 * n_eval], ids[2 * n_eval:]

    train_loader = DataLoader(LesionSegmentation(IMAGES, MASKS, train_ids, SIZE, True), BATCH, shuffle=True)
    val_loader = DataLoader(LesionSegmentation(IMAGES, MASKS, val_ids, SIZE, False), BATCH)
    test_loader = DataLoader(LesionSegmentation(IMAGES, MASKS, test_ids, SIZE, False), BATCH)

    model = UNet().to(device)
    criterion = BCEJaccardLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.99))

    best, history = -1.0, []
    model.train()
    for epoch in range(1, MAX_EPOCHS + 1):
        train_loss = train_epoch(model, train_loader, criterion, optimizer, device)
        val_loss, val_dice, val_iou, _ = evaluate(model, val_loader, criterion, device)
        history.append((epoch, train_loss, val_loss, val_dice, val_iou))
        print("epoch {} train {:.4f} val {:.4f} dice {:.4f} iou {:.4f}".format(*history[-1]))
        if val_iou > best:
            best = val_iou
            torch.save(model.state_dict(), os.path.join(RESULTS, "best.pt"))

    model.load_state_dict(torch.load(os.path.join(RESULTS, "best.pt"), map_location=device))
    test_loss, test_dice, test_iou, predictions = evaluate(model, test_loader, criterion, device)
    print(f"test dice {test_dice:.4f}, iou {test_iou:.4f}")

    with open(os.path.join(RESULTS, "history.csv"), "w", newline="") as f:
        w = csv.writer(f)
        w.writerow(["epoch", "train_loss", "val_loss", "val_dice", "val_iou"])
        w.writerows(history)
        w.writerow(["test", "", test_loss, test_dice, test_iou])
    for case, pred in predictions.items():
        Image.fromarray(pred.astype("uint8") * 255).save(os.path.join(RESULTS, f"{case}_pred.png"))

    plt.plot([h[0] for h in history], [h[1] for h in history], label="train")
    plt.plot([h[0] for h in history], [h[2] for h in history], label="val")
    plt.legend()
    plt.title("loss")
    plt.savefig(os.path.join(RESULTS, "loss.png"))


if __name__ == "__main__":
    main()
