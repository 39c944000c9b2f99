import pathlib
import random

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import Dataset


def make_index(images, masks):
    """List of dicts, one per case, in the order of the names."""
    index = []
    for image in sorted(pathlib.Path(images).glob("[0-9]*.png")):
        index.append({
            "name": image.stem,
            "image": image,
            "mask": pathlib.Path(masks).joinpath(f"{image.stem}_seg.png"),
        })
    return index


class DermoscopyDataset(Dataset):
    def __init__(self, index, size, augment=False):
        self.index = index
        self.size = (size, size)
        self.augment = augment

    def __len__(self):
        return len(self.index)

    def __getitem__(self, i):
        entry = self.index[i]
        image = Image.open(entry["image"]).convert("RGB").resize(self.size, Image.BILINEAR)
        mask = Image.open(entry["mask"]).convert("L").resize(self.size, Image.NEAREST)
        if self.augment and random.random() > 0.5:
            image, mask = ImageOps.mirror(image), ImageOps.mirror(mask)
        if self.augment and random.random() > 0.5:
            image, mask = ImageOps.flip(image), ImageOps.flip(mask)
        image = np.asarray(image, dtype=np.float32).transpose(2, 0, 1) / 255.0
        mask = np.asarray(mask) > 127
        return {
            "name": entry["name"],
            "image": torch.from_numpy(image.copy()),
            "mask": torch.from_numpy(mask.astype(np.float32)),
        }
