import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


def collect(images_dir):
    return sorted(f[:-4] for f in os.listdir(images_dir) if f.lower().endswith(".png"))


def divide(names, seed):
    order = np.random.default_rng(seed).permutation(names).tolist()
    tenth = max(1, len(order) // 10)
    return order[2 * tenth:], order[:tenth], order[tenth:2 * tenth]


def load_mask(path, size):
    mask = Image.open(path).convert("L").resize((size, size), Image.Resampling.NEAREST)
    return (np.asarray(mask) > 127).astype(np.float32)


def positive_weight(masks_dir, names, size):
    """Background to foreground ratio of the given cases, limited to 10."""
    fraction = np.mean([load_mask(os.path.join(masks_dir, f"{n}_seg.png"), size).mean() for n in names])
    return float(min(10.0, (1.0 - fraction) / max(fraction, 1e-6)))


class SliceDataset(Dataset):
    def __init__(self, images_dir, masks_dir, names, size, training):
        self.images_dir = images_dir
        self.masks_dir = masks_dir
        self.names = names
        self.size = size
        self.training = training

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        name = self.names[i]
        image = Image.open(os.path.join(self.images_dir, f"{name}.png")).convert("L")
        image = image.resize((self.size, self.size), Image.Resampling.BILINEAR)
        image = torch.from_numpy(np.asarray(image, dtype=np.float32) / 255.0)[None]
        mask = torch.from_numpy(load_mask(os.path.join(self.masks_dir, f"{name}_seg.png"), self.size))[None]
        if self.training:
            if torch.rand(1).item() < 0.5:
                image, mask = image.flip(-1), mask.flip(-1)
            if torch.rand(1).item() < 0.5:
                image, mask = image.flip(-2), mask.flip(-2)
            gamma = 0.8 + 0.4 * torch.rand(1).item()
            image = image ** gamma
        low, high = image.min(), image.max()
        image = (image - low) / (high - low + 1e-6)
        return image, mask, name
