from pathlib import Path

import cv2
import numpy as np
import torch


def load_case(image_dir, mask_dir, name, size):
    """Image as float array in 0..255 and binary mask, both of shape (size, size)."""
    image = cv2.imread(str(Path(image_dir) / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
    mask = cv2.imread(str(Path(mask_dir) / f"{name}_seg.png"), cv2.IMREAD_GRAYSCALE)
    image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)
    mask = cv2.resize(mask, (size, size), interpolation=cv2.INTER_NEAREST_EXACT)
    return image.astype(np.float32), (mask > 127).astype(np.float32)


class RandomGeometry:
    """Random mirroring and quarter turns of a 2D array."""

    def __init__(self, p=0.5, seed=None):
        self.p = p
        self.rng = np.random.default_rng(seed)

    def __call__(self, array):
        if self.rng.random() < self.p:
            array = np.fliplr(array)
        if self.rng.random() < self.p:
            array = np.rot90(array, k=self.rng.integers(1, 4))
        return array


def to_tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array)).float().unsqueeze(0) / 255.0


class MRIDataset(torch.utils.data.Dataset):
    def __init__(self, image_dir, mask_dir, names, size, geometry=None):
        self.image_dir, self.mask_dir = image_dir, mask_dir
        self.names = names
        self.size = size
        self.geometry = geometry

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        image, mask = load_case(self.image_dir, self.mask_dir, self.names[i], self.size)
        if self.geometry is not None:
            image = self.geometry(image)
            mask = self.geometry(mask)
        return to_tensor(image), to_tensor(mask)
