import os
import re

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


def find_ids(image_dir):
    return sorted(m.group(1) for m in (re.fullmatch(r"(\d+)\.png", f) for f in os.listdir(image_dir)) if m)


class LesionSegmentation(Dataset):
    def __init__(self, image_dir, mask_dir, ids, size, train):
        self.image_dir, self.mask_dir = image_dir, mask_dir
        self.ids, self.size, self.train = ids, size, train

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        image = Image.open(os.path.join(self.image_dir, f"{self.ids[i]}.png")).convert("RGB")
        mask = Image.open(os.path.join(self.mask_dir, f"{self.ids[i]}_seg.png")).convert("L")
        image = np.array(image.resize((self.size, self.size), Image.BILINEAR), dtype=np.float32)
        mask = np.array(mask.resize((self.size, self.size), Image.NEAREST))
        image = torch.from_numpy(image).permute(2, 0, 1)
        mask = torch.from_numpy(mask > 127).float().unsqueeze(0)
        if self.train:
            for dim in (1, 2):
                if torch.rand(1) < 0.5:
                    image, mask = torch.flip(image, [dim]), torch.flip(mask, [dim])
            shift = torch.randint(-6, 7, (2,)).tolist()
            image, mask = torch.roll(image, shift, (1, 2)), torch.roll(mask, shift, (1, 2))
        mean = image.mean((1, 2), keepdim=True)
        std = image.std((1, 2), keepdim=True)
        return (image - mean) / (std + 1e-3), mask, self.ids[i]
