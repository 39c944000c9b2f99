import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


def compute_mean_std(image_dir, ids, size):
    """Per-channel mean and standard deviation in [0, 1]."""
    total = np.zeros(3)
    total_sq = np.zeros(3)
    n = 0
    for case_id in ids:
        with Image.open(os.path.join(image_dir, f"{case_id}.png")) as im:
            arr = np.asarray(im.convert("RGB").resize((size, size), Image.BILINEAR), dtype=np.float64) / 255.0
        total += arr.sum(axis=(0, 1))
        total_sq += (arr ** 2).sum(axis=(0, 1))
        n += arr.shape[0] * arr.shape[1]
    mean = total / n
    std = np.sqrt(total_sq / n - mean ** 2)
    return mean.astype(np.float32), std.astype(np.float32)


class DermDataset(Dataset):
    def __init__(self, image_dir, mask_dir, ids, size, mean, std, augment=False):
        self.image_dir, self.mask_dir = image_dir, mask_dir
        self.ids = ids
        self.size = size
        self.mean, self.std = mean, std
        self.augment = augment

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, idx):
        case_id = self.ids[idx]
        with Image.open(os.path.join(self.image_dir, f"{case_id}.png")) as im:
            image = np.asarray(im.convert("RGB").resize((self.size, self.size), Image.BILINEAR), dtype=np.float32)
        with Image.open(os.path.join(self.mask_dir, f"{case_id}_seg.png")) as im:
            mask = np.asarray(im.convert("L").resize((self.size, self.size), Image.NEAREST))
        image = (image / 255.0 - self.mean) / self.std
        mask = (mask > 127).astype(np.float32)

        if self.augment:
            flip_h, flip_v = torch.rand(2) < 0.5
            if flip_h:
                image, mask = np.fliplr(image), np.fliplr(mask)
            if flip_v:
                image, mask = np.flipud(image), np.flipud(mask)

        image = torch.from_numpy(image.transpose(2, 0, 1).copy())
        mask = torch.from_numpy(mask[None].copy())
        return image, mask, case_id
