from pathlib import Path

import numpy as np
import torch
from skimage import io, transform
from torch.utils.data import Dataset


def load_gray(path):
    image = io.imread(path)
    if image.ndim == 3:
        image = image[..., :3].mean(axis=-1).round().astype(np.uint8)
    return image


def intensity_statistics(image_paths):
    """Mean and standard deviation of the intensities, from one histogram of 256 bins."""
    histogram = np.zeros(256, dtype=np.int64)
    for path in image_paths:
        histogram += np.bincount(load_gray(path).ravel(), minlength=256)
    levels = np.arange(256) / 255.0
    share = histogram / histogram.sum()
    mean = float((share * levels).sum())
    std = float(np.sqrt((share * (levels - mean) ** 2).sum()))
    return mean, std


class MRISegmentationDataset(Dataset):
    def __init__(self, image_paths, mask_dir, size, mean, std, augment=False):
        self.image_paths = [Path(p) for p in image_paths]
        self.mask_dir = Path(mask_dir)
        self.size = size
        self.mean = mean
        self.std = std
        self.augment = augment

    def __len__(self):
        return len(self.image_paths)

    def __getitem__(self, idx):
        path = self.image_paths[idx]
        shape = (self.size, self.size)
        image = transform.resize(load_gray(path) / 255.0, shape, order=1, anti_aliasing=True)
        mask = load_gray(self.mask_dir / f"{path.stem}_seg.png") > 127
        mask = transform.resize(mask, shape, order=0, anti_aliasing=False)
        image = torch.as_tensor((image - self.mean) / self.std, dtype=torch.float32).unsqueeze(0)
        mask = torch.as_tensor(mask.astype(np.float32)).unsqueeze(0)
        if self.augment:
            k = int(torch.randint(0, 4, (1,)))
            image, mask = torch.rot90(image, k, (1, 2)), torch.rot90(mask, k, (1, 2))
            image = image + 0.05 * torch.randn_like(image)
        return image, mask, path.stem
