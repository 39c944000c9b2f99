# Segmentation of skin lesions, everything is set here.
import os
import time

import cv2
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import openpyxl
import torch

from dataset import CaseReader, EvaluationPart, TrainingCache
from model import Net
from train import run_epoch, score

IMAGES = "path/to/your/images"
MASKS = "path/to/your/masks"
RESULTS = "path/to/your/results"
SIZE = 72
BATCH = 8
N_EPOCHS = 80
MAX_LR = 0.05
SEED = 123

if __name__ == "__main__":
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    os.makedirs(os.path.join(RESULTS, "pred"), exist_ok=True)

    reader = CaseReader(IMAGES, MASKS, SIZE)
    names = reader.names()
    shuffled = [names[i] for i in rng.permutation(len(names))]
    n_val = n_test = max(1, len(names) // 10)
    test_names = shuffled[:n_test]
    val_names = shuffled[n_test:n_test + n_val]
    train_names = shuffled[n_test + n_val:]

    cache = TrainingCache(reader, train_names)
    val_part = EvaluationPart(reader, val_names, cache.mean, cache.std)

    net = Net().to(device)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    steps = int(np.ceil(len(cache) / BATCH))
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=MAX_LR, total_steps=N_EPOCHS * steps)

    best_loss, best_weights, rows = float("inf"), None, []
    for epoch in range(1, N_EPOCHS + 1):
        t0 = time.time()
        train_loss = run_epoch(net, cache, optimizer, scheduler, BATCH, rng, device)
        val = score(net, val_part, cache.positive_weight, device)
        val_loss = float(np.mean([v[1] for v in val]))
        val_dice = float(np.mean([v[2] for v in val]))
        if val_loss < best_loss:
            best_loss = val_loss
            best_weights = {k: v.detach().clone() for k, v in net.state_dict().items()}
        rows.append([epoch, train_loss, val_loss, val_dice, time.time() - t0])
        print("%3d  train %.4f  val %.4f  dice %.4f" % tuple(rows[-1][:4]))

    net.load_state_dict(best_weights)
    torch.save(best_weights, os.path.join(RESULTS, "weights.pt"))
    test = score(net, EvaluationPart(reader, test_names, cache.mean, cache.std), cache.positive_weight, device)
    test_dice = float(np.mean([t[2] for t in test]))
    for name, _, _, pred in test:
        cv2.imwrite(os.path.join(RESULTS, "pred", name + "_pred.png"), pred.astype(np.uint8) * 255)
    print("test dice", round(test_dice, 4))

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "epochs"
    sheet.append(["epoch", "train_loss", "val_loss", "val_dice", "seconds"])
    for row in rows:
        sheet.append(row)
    sheet = book.create_sheet("test")
    sheet.append(["case", "loss", "dice"])
    for name, loss, d, _ in test:
        sheet.append([name, loss, float(d)])
    sheet.append(["mean", float(np.mean([t[1] for t in test])), test_dice])
    book.save(os.path.join(RESULTS, "scores.xlsx"))

    plt.plot([r[0] for r in rows], [r[1] for r in rows], label="train")
    plt.plot([r[0] for r in rows], [r[2] for r in rows], label="val")
    plt.legend()
    plt.title("Loss")
    plt.savefig(os.path.join(RESULTS, "loss.png"))
