from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset

MEAN = np.array([0.70, 0.55, 0.50], dtype=np.float32)
STD = np.array([0.20, 0.20, 0.20], dtype=np.float32)


def normalize(image):
    """HxWx3 uint8 -> 3xHxW float tensor."""
    image = (image.astype(np.float32) / 255.0 - MEAN) / STD
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))


def read_mask(path, size):
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    mask = cv2.resize(mask, (size, size), interpolation=cv2.INTER_NEAREST_EXACT)
    return torch.from_numpy((mask > 127).astype(np.float32))[None]


class SkinDataset(Dataset):
    def __init__(self, image_dir, mask_dir, names, size, train=False):
        self.image_dir = Path(image_dir)
        self.mask_dir = Path(mask_dir)
        self.names = names
        self.size = size
        self.train = train

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        name = self.names[i]
        image = cv2.imread(str(self.image_dir / f"{name}.png"))
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        image = cv2.resize(image, (self.size, self.size), interpolation=cv2.INTER_AREA)
        image = normalize(image)
        mask = read_mask(self.mask_dir / f"{name}_seg.png", self.size)
        if self.train:
            k = int(torch.randint(0, 4, (1,)))
            image, mask = torch.rot90(image, k, (1, 2)), torch.rot90(mask, k, (1, 2))
            if torch.rand(()) < 0.5:
                image, mask = image.flip(2), mask.flip(2)
        return image, mask
