"""Dataset handling for binary segmentation of grayscale medical images."""

import os
import random
import shutil

import numpy as np
import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset


def find_pairs(image_dir, mask_dir, mask_suffix):
    """Return a sorted list of (image path, mask path); the mask is looked up by the name of the image."""
    pairs = []
    for name in sorted(os.listdir(image_dir)):
        stem, extension = os.path.splitext(name)
        if extension.lower() != ".png" or name.startswith(".") or stem.endswith(mask_suffix):
            continue
        mask_path = os.path.join(mask_dir, stem + mask_suffix + ".png")
        if os.path.exists(mask_path):
            pairs.append((os.path.join(image_dir, name), mask_path))
    if not pairs:
        raise RuntimeError(f"No image/mask pairs found in {image_dir} and {mask_dir}")
    return pairs


def split_pairs(pairs, seed):
    """Shuffle and split into 80 % training, 10 % validation and 10 % test."""
    train_pairs, rest = train_test_split(pairs, test_size=0.2, random_state=seed, shuffle=True)
    val_pairs, test_pairs = train_test_split(rest, test_size=0.5, random_state=seed, shuffle=True)
    return train_pairs, val_pairs, test_pairs


def copy_split(pairs, save_dir, split_name):
    """Copy the files of one split into folders of their own."""
    image_out = os.path.join(save_dir, split_name, "images")
    mask_out = os.path.join(save_dir, split_name, "masks")
    os.makedirs(image_out, exist_ok=True)
    os.makedirs(mask_out, exist_ok=True)
    for image_path, mask_path in pairs:
        shutil.copy(image_path, image_out)
        shutil.copy(mask_path, mask_out)


class SegmentationDataset(Dataset):
    """Yields a normalized image, its binary mask, and the file name."""

    def __init__(self, pairs, image_size):
        self.pairs = pairs
        self.image_size = image_size

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        image_path, mask_path = self.pairs[index]
        size = (self.image_size, self.image_size)
        try:
            image = Image.open(image_path).convert("L").resize(size, Image.BILINEAR)
            mask = Image.open(mask_path).convert("L").resize(size, Image.NEAREST)
        except Exception as error:
            print(f"Error loading {image_path}: {error}")
            image = Image.new("L", size)
            mask = Image.new("L", size)
        image = np.array(image, dtype=np.float32) / 255.0
        mask = (np.array(mask) > 127).astype(np.float32)
        return torch.from_numpy(image)[None], torch.from_numpy(mask)[None], os.path.basename(image_path)


def create_loaders(train_pairs, val_pairs, test_pairs, image_size, batch_size):
    """Return the loaders of training, validation and test."""
    train_loader = DataLoader(SegmentationDataset(train_pairs, image_size), batch_size=batch_size, shuffle=True)
    val_loader = DataLoader(SegmentationDataset(val_pairs, image_size), batch_size=batch_size, shuffle=False)
    test_loader = DataLoader(SegmentationDataset(test_pairs, image_size), batch_size=batch_size, shuffle=False)
    return train_loader, val_loader, test_loader


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
