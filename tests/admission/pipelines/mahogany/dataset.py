import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset


class RandomFlipRotate:
    """Flips and quarter turns, the same for image and mask."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def __call__(self, image, mask):
        if self.rng.random() < 0.5:
            image, mask = image[:, ::-1], mask[:, ::-1]
        if self.rng.random() < 0.5:
            image, mask = image[::-1], mask[::-1]
        k = self.rng.integers(0, 4)
        image, mask = np.rot90(image, k), np.rot90(mask, k)
        brightness = self.rng.uniform(0.85, 1.15)
        return np.clip(image * brightness, 0.0, 1.0), mask


class SegmentationDataset(Dataset):
    def __init__(self, image_dir, mask_dir, names, size, transform=None):
        self.image_dir = image_dir
        self.mask_dir = mask_dir
        self.names = names
        self.size = size
        self.transform = transform

    def __len__(self):
        return len(self.names)

    def __getitem__(self, idx):
        name = self.names[idx]
        image = Image.open(os.path.join(self.image_dir, name)).convert("RGB")
        mask = Image.open(os.path.join(self.mask_dir, name.replace(".png", "_seg.png"))).convert("L")
        image = image.resize((self.size, self.size), Image.BILINEAR)
        mask = mask.resize((self.size, self.size), Image.NEAREST)
        image = np.asarray(image, dtype=np.float32) / 255.0
        mask = (np.asarray(mask) > 127).astype(np.float32)
        if self.transform is not None:
            image, mask = self.transform(image, mask)
        image = np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)
        mask = np.ascontiguousarray(mask)[None]
        return torch.from_numpy(image) - 0.5, torch.from_numpy(mask), name


def get_loaders(image_dir, mask_dir, splits, size, batch_size, num_workers, seed):
    train_names, val_names, test_names = splits
    train_ds = SegmentationDataset(image_dir, mask_dir, train_names, size, RandomFlipRotate(seed))
    val_ds = SegmentationDataset(image_dir, mask_dir, val_names, size)
    test_ds = SegmentationDataset(image_dir, mask_dir, test_names, size)
    train_loader = DataLoader(train_ds, batch_size=batch_size, shuffle=True, num_workers=num_workers)
    val_loader = DataLoader(val_ds, batch_size=batch_size, shuffle=False)
    test_loader = DataLoader(test_ds, batch_size=batch_size, shuffle=False)
    return train_loader, val_loader, test_loader
