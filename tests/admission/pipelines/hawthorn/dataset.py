"""Data."""
import os
import shutil

import numpy as np
import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset


def pair_up(image_dir, mask_dir):
    """Image and mask paths as pairs, in alphabetical order."""
    images = [entry.path for entry in os.scandir(image_dir) if entry.name.endswith(".png")]
    masks = [entry.path for entry in os.scandir(mask_dir) if entry.name.endswith("_seg.png")]
    if len(images) != len(masks):
        raise ValueError(f"{len(images)} images but {len(masks)} masks")
    return sorted(zip(images, masks))


def three_way_split(pairs, seed):
    train, other = train_test_split(pairs, train_size=0.8, random_state=seed)
    val, test = train_test_split(other, train_size=0.5, random_state=seed)
    return train, val, test


def export(pairs, folder):
    for position, kind in enumerate(("images", "masks")):
        os.makedirs(os.path.join(folder, kind), exist_ok=True)
        for pair in pairs:
            shutil.copy2(pair[position], os.path.join(folder, kind))


def loader_factory(side, batch):
    """Returns a function that turns pairs into a DataLoader."""

    def to_array(path, resample):
        return np.asarray(Image.open(path).convert("L").resize((side, side), resample=resample), dtype=np.float32)

    class Pairs(Dataset):
        def __init__(self, pairs):
            self.pairs = pairs

        def __len__(self):
            return len(self.pairs)

        def __getitem__(self, i):
            image = to_array(self.pairs[i][0], Image.BOX)
            mask = to_array(self.pairs[i][1], Image.NEAREST)
            low, high = image.min(), image.max()
            image = (image - low) / max(high - low, 1.0)
            return torch.from_numpy(image[None]), torch.from_numpy((mask > 127.5)[None].astype(np.float32))

    def make(pairs, shuffle=False):
        return DataLoader(Pairs(pairs), batch_size=batch, shuffle=shuffle)

    return make
