"""Data module. All images fit into memory, so they are read once."""
import glob
import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset


class SegmentationDataModule:
    def __init__(self, image_dir, mask_dir, img_size=64, batch_size=4, seed=0):
        self.image_dir = image_dir
        self.mask_dir = mask_dir
        self.img_size = img_size
        self.batch_size = batch_size
        self.seed = seed

    def _read(self, path, resample):
        with Image.open(path) as im:
            return np.array(im.convert("L").resize((self.img_size, self.img_size), resample))

    def setup(self):
        paths = sorted(glob.glob(os.path.join(self.image_dir, "*.png")))
        names = [os.path.basename(p)[: -len(".png")] for p in paths]
        masks = [os.path.join(self.mask_dir, f"{n}_seg.png") for n in names]

        # Load everything into two tensors
        x = torch.stack([torch.from_numpy(self._read(p, Image.BILINEAR)) for p in paths]).float().unsqueeze(1)
        y = torch.stack([torch.from_numpy(self._read(p, Image.NEAREST)) for p in masks]).unsqueeze(1)
        y = (y > 127).float()

        # Standardize intensities
        x = (x - x.mean()) / x.std()

        # Shuffle and split 80/10/10
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(self.seed))
        n_train, n_val = int(0.8 * len(x)), int(0.1 * len(x))
        train_idx, val_idx, test_idx = order[:n_train], order[n_train:n_train + n_val], order[n_train + n_val:]
        self.train_set = TensorDataset(x[train_idx], y[train_idx])
        self.val_set = TensorDataset(x[val_idx], y[val_idx])
        self.test_set = TensorDataset(x[test_idx], y[test_idx])
        self.test_names = [names[i] for i in test_idx.tolist()]

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_set, batch_size=self.batch_size)

    def test_dataloader(self):
        return DataLoader(self.test_set, batch_size=self.batch_size)
