import os
import random

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)


def list_case_ids(image_dir):
    """Return the sorted identifiers ('001', '002', ...) found in the image folder."""
    return sorted(os.path.splitext(f)[0] for f in os.listdir(image_dir) if f.lower().endswith(".png"))


class LesionDataset(Dataset):
    def __init__(self, image_dir, mask_dir, case_ids, size=64, augment=False):
        self.image_dir = image_dir
        self.mask_dir = mask_dir
        self.case_ids = list(case_ids)
        self.size = size
        self.augment = augment

    def __len__(self):
        return len(self.case_ids)

    def __getitem__(self, index):
        case_id = self.case_ids[index]
        image = Image.open(os.path.join(self.image_dir, f"{case_id}.png")).convert("RGB")
        mask = Image.open(os.path.join(self.mask_dir, f"{case_id}_seg.png")).convert("L")

        image = image.resize((self.size, self.size), Image.BILINEAR)
        mask = mask.resize((self.size, self.size), Image.NEAREST)

        if self.augment:
            if random.random() < 0.5:
                image = image.transpose(Image.FLIP_LEFT_RIGHT)
                mask = mask.transpose(Image.FLIP_LEFT_RIGHT)
            if random.random() < 0.5:
                image = image.transpose(Image.FLIP_TOP_BOTTOM)
                mask = mask.transpose(Image.FLIP_TOP_BOTTOM)

        image = (np.asarray(image, dtype=np.float32) / 255.0 - MEAN) / STD
        mask = (np.asarray(mask) > 127).astype(np.float32)

        image = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
        mask = torch.from_numpy(mask).unsqueeze(0)
        return image, mask, case_id
