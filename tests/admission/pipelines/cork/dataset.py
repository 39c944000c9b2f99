import random
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset


def find_pairs(image_root, mask_root, max_cases=None):
    pairs = []
    for image_path in sorted(Path(image_root).glob("*.png")):
        mask_path = Path(mask_root) / (image_path.stem + "_seg.png")
        if not mask_path.exists():
            raise RuntimeError(f"no mask for {image_path.name}")
        pairs.append((image_path, mask_path))
    return pairs[:max_cases]


def split_pairs(pairs, seed, val_share=0.1, test_share=0.1):
    order = list(range(len(pairs)))
    random.Random(seed).shuffle(order)
    n_val = max(1, int(round(len(pairs) * val_share)))
    n_test = max(1, int(round(len(pairs) * test_share)))
    val = [pairs[i] for i in order[:n_val]]
    test = [pairs[i] for i in order[n_val:n_val + n_test]]
    train = [pairs[i] for i in order[n_val + n_test:]]
    return train, val, test


def read_image(path, side):
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    image = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)
    return (image - image.mean()) / (image.std() + 1e-6)


def read_mask(path, side):
    mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    mask = cv2.resize(mask, (side, side), interpolation=cv2.INTER_NEAREST_EXACT)
    return (mask > 127).astype(np.float32)


class TumourSet(Dataset):
    def __init__(self, pairs, side, augment):
        self.pairs, self.side, self.augment = pairs, side, augment

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        image_path, mask_path = self.pairs[i]
        image, mask = read_image(image_path, self.side), read_mask(mask_path, self.side)
        if self.augment:
            if random.random() < 0.5:
                image, mask = image[:, ::-1], mask[:, ::-1]
            if random.random() < 0.5:
                image, mask = image[::-1], mask[::-1]
            image = image * random.uniform(0.9, 1.1)
        image = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32)).unsqueeze(0)
        mask = torch.from_numpy(np.ascontiguousarray(mask)).unsqueeze(0)
        return image, mask, image_path.stem
