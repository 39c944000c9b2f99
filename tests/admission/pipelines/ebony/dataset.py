import os
import shutil

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset, Subset


class GrayPngDataset(Dataset):
    """All cases of a folder; parts are Subsets of it."""

    def __init__(self, image_dir, mask_dir, size):
        self.image_dir = image_dir
        self.mask_dir = mask_dir
        self.size = size
        self.names = sorted(name for name in os.listdir(image_dir) if name.lower().endswith('.png'))

    def __len__(self):
        return len(self.names)

    def mask_name(self, name):
        root, ext = os.path.splitext(name)
        return root + '_seg' + ext

    @staticmethod
    def load(path):
        data = np.fromfile(path, dtype=np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
        assert picture is not None, path
        return picture

    def __getitem__(self, i):
        name = self.names[i]
        img = self.load(os.path.join(self.image_dir, name))
        msk = self.load(os.path.join(self.mask_dir, self.mask_name(name)))
        img = cv2.resize(img, (self.size, self.size), interpolation=cv2.INTER_LINEAR)
        msk = cv2.resize(msk, (self.size, self.size), interpolation=cv2.INTER_NEAREST)
        img = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(4, 4)).apply(img)
        img = torch.from_numpy(img).float().div(255.).unsqueeze(0)
        msk = torch.from_numpy(msk).ge(128).float().unsqueeze(0)
        return img, msk


def split_dataset(dataset, seed, val_share=0.1, test_share=0.1):
    """Random, disjoint parts."""
    rng = np.random.RandomState(seed)
    idx = np.arange(len(dataset))
    rng.shuffle(idx)
    n_val, n_test = int(len(idx) * val_share), int(len(idx) * test_share)
    parts = idx[n_val + n_test:], idx[:n_val], idx[n_val:n_val + n_test]
    return [Subset(dataset, part.tolist()) for part in parts]


def export_part(part, folder):
    """Copies the files of a part."""
    data = part.dataset
    for kind in ('images', 'masks'):
        os.makedirs(os.path.join(folder, kind), exist_ok=True)
    for i in part.indices:
        name = data.names[i]
        shutil.copyfile(os.path.join(data.image_dir, name), os.path.join(folder, 'images', name))
        target = os.path.join(folder, 'masks', data.mask_name(name))
        shutil.copyfile(os.path.join(data.mask_dir, data.mask_name(name)), target)
