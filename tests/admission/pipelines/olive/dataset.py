import os
import shutil

import numpy as np
from PIL import Image
import torch
from torch.utils.data import Dataset, DataLoader
from sklearn.model_selection import train_test_split

IMG_EXT = '.png'
MASK_SUFFIX = '_seg'


def collect(images_path, masks_path):
    samples = []
    for f in sorted(os.listdir(images_path)):
        if not f.endswith(IMG_EXT):
            continue
        m = f[:-len(IMG_EXT)] + MASK_SUFFIX + IMG_EXT
        if os.path.isfile(os.path.join(masks_path, m)):
            # four tiles for each image
            samples.extend((os.path.join(images_path, f), os.path.join(masks_path, m), q) for q in range(4))
    return samples


def make_splits(samples, out_path, seed=1):
    train, tmp = train_test_split(samples, test_size=0.2, shuffle=True, random_state=seed)
    val, test = train_test_split(tmp, test_size=0.5, shuffle=True, random_state=seed)
    for part, items in {'train': train, 'val': val, 'test': test}.items():
        for kind in (0, 1):
            target = os.path.join(out_path, part, ('images', 'masks')[kind])
            os.makedirs(target, exist_ok=True)
            for item in items:
                shutil.copy(item[kind], target)
    return train, val, test


class PngDataset(Dataset):
    def __init__(self, samples, size):
        self.samples = samples
        self.size = size

    def __len__(self):
        return len(self.samples)

    @staticmethod
    def tile(picture, q):
        w, h = picture.width // 2, picture.height // 2
        x, y = (q % 2) * w, (q // 2) * h
        return picture.crop((x, y, x + w, y + h))

    def __getitem__(self, idx):
        img_path, mask_path, q = self.samples[idx]
        img = self.tile(Image.open(img_path).convert('L'), q).resize((self.size, self.size), Image.BICUBIC)
        msk = self.tile(Image.open(mask_path).convert('L'), q).resize((self.size, self.size), Image.NEAREST)
        img = np.asarray(img, dtype='float32')
        img = (img - img.mean()) / (img.std() + 1e-8)
        msk = (np.asarray(msk) >= 128).astype('float32')
        return torch.tensor(img).unsqueeze(0), torch.tensor(msk).unsqueeze(0)


def loaders(train, val, test, size, batch):
    return (DataLoader(PngDataset(train, size), batch_size=batch, shuffle=True, drop_last=False),
            DataLoader(PngDataset(val, size), batch_size=batch),
            DataLoader(PngDataset(test, size), batch_size=batch))
