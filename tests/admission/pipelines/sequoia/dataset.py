"""Data module: file list -> random_split -> view with transforms -> loader."""
import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, random_split
from torchvision import tv_tensors
from torchvision.transforms import v2


class RawPairs(Dataset):
    """PIL pictures of all cases, opened when they are asked for."""

    def __init__(self, images_dir, masks_dir):
        stems = [n[:-4] for n in os.listdir(images_dir) if n.endswith(".png") and not n.startswith(".")]
        self.images_dir, self.masks_dir, self.stems = images_dir, masks_dir, sorted(stems)

    def __len__(self):
        return len(self.stems)

    def __getitem__(self, i):
        stem = self.stems[i]
        image = Image.open(os.path.join(self.images_dir, stem + ".png")).convert("RGB")
        mask = Image.open(os.path.join(self.masks_dir, stem + "_seg.png")).convert("L")
        return image, mask


class View(Dataset):
    """A part of the cases as tensors."""

    def __init__(self, part, side, joint=None):
        self.part, self.side, self.joint = part, side, joint
        self.normalize = v2.Normalize(mean=[0.5] * 3, std=[0.25] * 3)

    def __len__(self):
        return len(self.part)

    def __getitem__(self, i):
        image, mask = (p.resize((self.side, self.side), r) for p, r in zip(
            self.part[i], (Image.Resampling.LANCZOS, Image.Resampling.NEAREST)))
        image = tv_tensors.Image(np.asarray(image).transpose(2, 0, 1).astype("float32") / 255)
        mask = tv_tensors.Mask((np.asarray(mask)[None] > 127).astype("float32"))
        if self.joint is not None:
            image, mask = self.joint(image, mask)
        return self.normalize(image).as_subclass(torch.Tensor), mask.as_subclass(torch.Tensor)


def make_loaders(images_dir, masks_dir, side, batch_size, seed):
    pairs = RawPairs(images_dir, masks_dir)
    n_val = n_test = max(1, len(pairs) // 10)
    generator = torch.Generator().manual_seed(seed)
    parts = random_split(pairs, [len(pairs) - n_val - n_test, n_val, n_test], generator=generator)
    joint = v2.Compose([
        v2.RandomHorizontalFlip(0.5),
        v2.RandomAffine(degrees=12, scale=(0.9, 1.1)),
        v2.ColorJitter(brightness=0.15, contrast=0.15),
    ])
    views = [View(parts[0], side, joint), View(parts[1], side), View(parts[2], side)]
    return [DataLoader(v, batch_size, shuffle=k == 0) for k, v in enumerate(views)]
