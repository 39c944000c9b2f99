import os
import time

import numpy as np
import pandas as pd
from PIL import Image
import torch

from dataset import collect, make_splits, loaders
from model import Unet
from train import fit, test_step

if __name__ == '__main__':
    # ---- paths (change these) ----
    IMAGES = r'C:\Users\user\data\images'
    MASKS = r'C:\Users\user\data\masks'
    OUT = r'C:\Users\user\results'
    # ---- hyper-parameters ----
    SIZE = 64
    BATCH = 8
    EPOCHS = 50
    LR = 2e-4
    PATIENCE = 10

    torch.manual_seed(1)
    dev = 'cuda' if torch.cuda.is_available() else 'cpu'
    samples = collect(IMAGES, MASKS)
    train, val, test = make_splits(samples, OUT)
    print('train/val/test:', len(train), len(val), len(test))
    share = [np.asarray(Image.open(s[1])).mean() / 255 for s in train + val + test]
    print('mean foreground: %.4f' % np.mean(share))
    tr, va, te = loaders(train, val, test, SIZE, BATCH)
    print('batches:', len(tr), len(va), len(te))

    model = Unet().to(dev)
    print('params:', sum(p.numel() for p in model.parameters() if p.requires_grad))
    opt = torch.optim.Adam(model.parameters(), lr=LR)

    t = time.time()
    log = fit(model, tr, va, opt, dev, EPOCHS, PATIENCE)
    print('training time: %.1f s' % (time.time() - t))

    n = range(1, len(log['train']) + 1)
    for name, rows in (('train_losses', [n, log['train']]), ('val_losses', [n, log['val']]),
                       ('validation_dice_scores', log['dice'])):
        pd.DataFrame(rows).to_excel(os.path.join(OUT, name + '.xlsx'), header=False, index=False)
    torch.save(model, os.path.join(OUT, 'unet_full.pth'))
    torch.save(model.state_dict(), os.path.join(OUT, 'unet_weights.pth'))

    scores = test_step(model, te, dev)
    pd.DataFrame([scores]).to_excel(os.path.join(OUT, 'test_dice_scores.xlsx'), header=False, index=False)
    print('mean test dice:', sum(scores) / len(scores))
