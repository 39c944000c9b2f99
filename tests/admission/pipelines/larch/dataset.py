"""Dataset and an albumentations-like augmentation pipeline."""
import os
import random

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset


class Compose:
    """Applies transforms to image and mask together."""

    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, image, mask):
        for transform in self.transforms:
            image, mask = transform(image, mask)
        return image, mask


class Resize:
    def __init__(self, height, width):
        self.height = height
        self.width = width

    def __call__(self, image, mask):
        image = cv2.resize(image, (self.width, self.height), interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, (self.width, self.height), interpolation=cv2.INTER_NEAREST_EXACT)
        return image, mask


class RandomFlip:
    def __init__(self, p=0.5):
        self.p = p

    def __call__(self, image, mask):
        if random.random() < self.p:
            image, mask = image[:, ::-1], mask[:, ::-1]
        if random.random() < self.p:
            image, mask = image[::-1], mask[::-1]
        return image, mask


class RandomBrightness:
    def __init__(self, limit=0.1, p=0.5):
        self.limit = limit
        self.p = p

    def __call__(self, image, mask):
        if random.random() < self.p:
            image = np.clip(image.astype(np.float32) * (1.0 + random.uniform(-self.limit, self.limit)), 0, 255)
        return image, mask


class Normalize:
    def __init__(self, mean, std):
        self.mean = mean
        self.std = std

    def __call__(self, image, mask):
        image = (image.astype(np.float32) / 255.0 - self.mean) / self.std
        return image, mask


class ToTensor:
    def __call__(self, image, mask):
        image = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))[None]
        mask = torch.from_numpy(np.ascontiguousarray(mask > 127, dtype=np.float32))[None]
        return image, mask


def get_train_transforms(size, mean, std):
    return Compose([Resize(size, size), RandomFlip(), RandomBrightness(), Normalize(mean, std), ToTensor()])


def get_valid_transforms(size, mean, std):
    return Compose([Resize(size, size), Normalize(mean, std), ToTensor()])


class SegDataset(Dataset):
    def __init__(self, ids, images_dir, masks_dir, transforms):
        self.ids = ids
        self.images_dir = images_dir
        self.masks_dir = masks_dir
        self.transforms = transforms

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, index):
        case = self.ids[index]
        image = cv2.imread(os.path.join(self.images_dir, f"{case}.png"), cv2.IMREAD_GRAYSCALE)
        mask = cv2.imread(os.path.join(self.masks_dir, f"{case}_seg.png"), cv2.IMREAD_GRAYSCALE)
        image, mask = self.transforms(image, mask)
        return {"image": image, "mask": mask, "id": case}


def list_ids(images_dir):
    return sorted(os.path.splitext(f)[0] for f in os.listdir(images_dir) if f.lower().endswith(".png"))


def compute_mean_std(ids, images_dir):
    """Intensity statistics of some images, as fractions of 255."""
    values = [cv2.imread(os.path.join(images_dir, f"{case}.png"), cv2.IMREAD_GRAYSCALE) / 255.0 for case in ids]
    mean = float(np.mean([v.mean() for v in values]))
    std = float(np.mean([v.std() for v in values]))
    return mean, std
