import os
import time

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import torch
from openpyxl import Workbook

from dataset import make_loaders
from model import DenseUNet
from train import epochs_of, test


def write(path, rows):
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path)


def main():
    images_dir = "dataset/images"   # RGB or grayscale PNG files
    masks_dir = "dataset/masks"     # PNG files, same name with _seg
    results_dir = "results_dense"   # output
    size = 64
    batch_size = 2
    epochs = 36
    lr = 8e-4
    patience = 12               # epochs without a lower validation loss
    seed = 99

    os.makedirs(results_dir, exist_ok=True)
    torch.manual_seed(seed)
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    loaders = make_loaders(images_dir, masks_dir, size, batch_size, seed)
    print("images:", [len(l.dataset) for l in loaders], "batches:", [len(l) for l in loaders])

    net = DenseUNet().to(device)
    print("parameters:", sum(p.numel() for p in net.parameters() if p.requires_grad))
    opt = torch.optim.RAdam(net.parameters(), lr=lr)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.3, patience=4)

    path = lambda name: os.path.join(results_dir, name)
    t0 = time.time()
    rows = list(epochs_of(net, loaders, opt, plateau, device, epochs, patience, path("weights_best.pth")))
    print("training took", round(time.time() - t0, 1), "seconds")

    train_losses, val_losses, val_dices = zip(*rows)
    number = range(1, len(rows) + 1)
    write(path("train_losses.xlsx"), [number, train_losses])
    write(path("val_losses.xlsx"), [number, val_losses])
    write(path("validation_dice_scores.xlsx"), val_dices)
    plt.plot(number, train_losses, label="training")
    plt.plot(number, val_losses, label="validation")
    plt.xlabel("epoch"), plt.ylabel("loss"), plt.legend()
    plt.savefig(path("losses.png"))
    plt.close()

    net.load_state_dict(torch.load(path("weights_best.pth"), map_location=device))
    dices = test(net, loaders[2], device)
    write(path("test_dice_scores.xlsx"), [dices])
    torch.save(net, path("network_best.pth"))
    print("test dice: %.4f" % (sum(dices) / len(dices)))


if __name__ == "__main__":
    main()
