import os
import re

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.model_selection import train_test_split
from torch.utils.data import Dataset


class SegDataset(Dataset):
    def __init__(self, root_images, root_masks, names, size):
        self.root_images, self.root_masks = root_images, root_masks
        self.names = names
        self.size = size

    def __len__(self):
        return len(self.names)

    def read(self, folder, name):
        with Image.open(os.path.join(folder, name)) as f:
            return torch.from_numpy(np.array(f.convert("L"), dtype=np.float32)) / 255.0

    def __getitem__(self, idx):
        name = self.names[idx]
        image = self.read(self.root_images, name)
        mask = self.read(self.root_masks, name.replace(".png", "_seg.png"))

        # resize image and mask together
        both = torch.stack([image, mask]).unsqueeze(0)
        both = F.interpolate(both, size=(self.size, self.size), mode="bilinear", align_corners=False)
        image, mask = both[0, 0:1], both[0, 1:2]

        image = (image - image.mean()) / (image.std() + 1e-6)
        return image, mask


def case_number(name):
    digits = re.findall(r"\d+", name)
    return int(digits[-1]) if digits else 0


def get_splits(root_images, seed):
    names = [n for n in os.listdir(root_images) if n.endswith(".png")]
    names.sort(key=lambda n: (case_number(n), n))
    train, rest = train_test_split(names, test_size=0.2, random_state=seed)
    val, test = train_test_split(rest, test_size=0.5, random_state=seed)
    return train, val, test
