import os

import numpy as np
import torch
from PIL import Image
from monai.transforms import Compose, RandFlipd, RandRotate90d, Resized
from torch.utils.data import Dataset

KEYS = ("image", "mask")


def list_cases(images_dir, masks_dir):
    """Return [(case id, image path, mask path)], sorted by id."""
    cases = []
    for name in sorted(os.listdir(images_dir)):
        stem, ext = os.path.splitext(name)
        if ext.lower() != ".png":
            continue
        mask_path = os.path.join(masks_dir, f"{stem}_seg.png")
        if not os.path.isfile(mask_path):
            raise FileNotFoundError(mask_path)
        cases.append((stem, os.path.join(images_dir, name), mask_path))
    return cases


def build_transforms(size, train):
    steps = [
        Resized(keys=KEYS, spatial_size=(size, size), mode=("bilinear", "nearest")),
    ]
    if train:
        steps += [
            RandFlipd(keys=KEYS, prob=0.5, spatial_axis=0),
            RandFlipd(keys=KEYS, prob=0.5, spatial_axis=1),
            RandRotate90d(keys=KEYS, prob=0.5, max_k=3),
        ]
    return Compose(steps)


class LesionDataset(Dataset):
    def __init__(self, cases, size, train=False):
        self.cases = cases
        self.transforms = build_transforms(size, train)

    def __len__(self):
        return len(self.cases)

    def __getitem__(self, index):
        case_id, image_path, mask_path = self.cases[index]
        image = np.asarray(Image.open(image_path).convert("RGB"), dtype=np.float32) / 255.0
        mask = (np.asarray(Image.open(mask_path).convert("L")) > 127).astype(np.float32)
        item = self.transforms({
            "image": torch.from_numpy(image).permute(2, 0, 1),
            "mask": torch.from_numpy(mask)[None],
        })
        image = torch.as_tensor(np.asarray(item["image"]).copy())
        mask = torch.as_tensor(np.asarray(item["mask"]).copy())
        return (image - 0.5) / 0.25, mask, case_id
