# -*- coding: utf-8 -*-
import os
import time
from collections import namedtuple

import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader

from dataset import GrayPngDataset, export_part, split_dataset
from model import UNetSE
from train import run_test, run_training, run_validation

Paths = namedtuple('Paths', 'images masks results')


def to_excel(table, folder, name):
    pd.DataFrame(table).to_excel(os.path.join(folder, name), header=False, index=False)


def show_examples(net, part, device, path, count=5):
    """Input, truth and prediction of a few cases."""
    net.eval()
    chosen = np.random.permutation(len(part))[:count]
    fig, axes = plt.subplots(count, 3, figsize=(9, 3 * count))
    for row, k in zip(axes, chosen):
        x, y = part[k]
        name = part.dataset.names[part.indices[k]]
        with torch.no_grad():
            p = torch.sigmoid(net(x[None].to(device)))[0, 0].cpu() > 0.5
        for ax, title, pic in zip(row, ('Image', 'Ground truth', 'Prediction'), (x[0], y[0], p)):
            ax.imshow(pic, cmap='gray')
            ax.set_title(f'{title} {name}')
            ax.axis('off')
    fig.tight_layout()
    fig.savefig(path)
    plt.close(fig)


def main():
    # Paths: images, masks, results
    paths = Paths(images='D:/data/images', masks='D:/data/masks', results='D:/data/results')
    # Hyper-parameters
    size = 96
    batch_size = 4
    epochs = 25
    learning_rate = 1e-3
    decay = 0.97      # of the learning rate, per epoch
    seed = 2023

    np.random.seed(seed)
    torch.manual_seed(seed)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    os.makedirs(paths.results, exist_ok=True)

    data = GrayPngDataset(paths.images, paths.masks, size)
    train_part, val_part, test_part = split_dataset(data, seed)
    for name, part in zip(('train', 'val', 'test'), (train_part, val_part, test_part)):
        export_part(part, os.path.join(paths.results, name))
    print('Number of images:', len(train_part), len(val_part), len(test_part))
    train_loader = DataLoader(train_part, batch_size=batch_size, shuffle=True)
    val_loader = DataLoader(val_part, batch_size=batch_size)
    test_loader = DataLoader(test_part, batch_size=batch_size)
    print('Number of batches:', len(train_loader), len(val_loader), len(test_loader))

    net = UNetSE().to(device)
    print('Learnable parameters:', sum(p.numel() for p in net.parameters() if p.requires_grad))
    optimizer = torch.optim.Adam(net.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=decay)

    tic = time.time()
    train_loss, val_loss, val_dice = [], [], []
    for epoch in range(1, epochs + 1):
        train_loss.append(run_training(net, train_loader, optimizer, device, epoch, epochs))
        loss, dice = run_validation(net, val_loader, device, epoch, epochs)
        val_loss.append(loss)
        val_dice.append(dice)
        schedule.step()
        print(f'Epoch {epoch}: training {train_loss[-1]:.4f} validation {loss:.4f} dice {np.mean(dice):.4f}')
    toc = time.time()

    nr = np.arange(1, epochs + 1)
    to_excel([nr, train_loss], paths.results, 'train_losses.xlsx')
    to_excel([nr, val_loss], paths.results, 'val_losses.xlsx')
    to_excel(val_dice, paths.results, 'validation_dice_scores.xlsx')
    plt.figure()
    plt.plot(nr, train_loss, 'b-', nr, val_loss, 'r--')
    plt.legend(['Training loss', 'Validation loss'])
    plt.xlabel('Epoch')
    plt.savefig(os.path.join(paths.results, 'losses.png'))
    plt.close()
    torch.save(net, os.path.join(paths.results, 'net.pth'))
    torch.save(net.state_dict(), os.path.join(paths.results, 'net_state.pth'))

    dice = run_test(net, test_loader, device)
    to_excel([dice], paths.results, 'test_dice_scores.xlsx')
    show_examples(net, test_part, device, os.path.join(paths.results, 'examples.png'))
    print(f'Test dice: {np.mean(dice):.4f}')
    print(f'Total training time: {toc - tic:.1f} seconds')


if __name__ == '__main__':
    main()
