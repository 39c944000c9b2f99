"""Loads everything into memory once."""
import os

import numpy as np
import torch
from skimage import io, transform
from torch.utils.data import Dataset


def load_case(image_file, mask_file, size):
    image = io.imread(image_file, as_gray=True)
    image = transform.resize(image.astype("float32"), (size, size), order=1, anti_aliasing=True)
    mask = io.imread(mask_file, as_gray=True)
    mask = transform.resize(mask > 127, (size, size), order=0, anti_aliasing=False)
    return image / 255.0, mask.astype("float32")


class InMemoryDataset(Dataset):
    def __init__(self, names, images, masks, size):
        arrays = [
            load_case(os.path.join(images, name + ".png"), os.path.join(masks, name + "_seg.png"), size)
            for name in names
        ]
        self.names = names
        self.images = np.stack([a[0] for a in arrays])[:, None].astype("float32")
        self.masks = np.stack([a[1] for a in arrays])[:, None]

    def __len__(self):
        return len(self.names)

    def __getitem__(self, k):
        return torch.as_tensor(self.images[k]), torch.as_tensor(self.masks[k])


def case_names(images):
    return sorted(f[:-4] for f in os.listdir(images) if f.endswith(".png"))
