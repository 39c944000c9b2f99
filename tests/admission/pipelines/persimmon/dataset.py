import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import io, transform
from torch.utils.data import Dataset


def make_split(image_dir, seed, save_to):
    """80/10/10 by name, written down so that it can be looked up later."""
    names = sorted(p.stem for p in Path(image_dir).glob("*.png"))
    rng = np.random.default_rng(seed)
    rng.shuffle(names)
    share = max(1, round(len(names) / 10))
    split = {"test": sorted(names[:share]), "val": sorted(names[share:2 * share]), "train": sorted(names[2 * share:])}
    Path(save_to).write_text(json.dumps(split, indent=1))
    return split


class Slices(Dataset):
    def __init__(self, image_dir, mask_dir, names, size, pad=0):
        self.image_dir, self.mask_dir = Path(image_dir), Path(mask_dir)
        self.names, self.size, self.pad = names, size, pad

    def __len__(self):
        return len(self.names)

    def random_window(self, image, mask):
        """Reflects the border and cuts one window of the former size out of both."""
        image = np.pad(image, self.pad, mode="reflect")
        mask = np.pad(mask, self.pad, mode="reflect")
        top, left = torch.randint(0, 2 * self.pad + 1, (2,)).tolist()
        window = np.s_[top:top + self.size, left:left + self.size]
        return image[window], mask[window]

    def __getitem__(self, i):
        name = self.names[i]
        image = io.imread(self.image_dir / f"{name}.png", as_gray=True).astype(np.float64)
        mask = np.asarray(Image.open(self.mask_dir / f"{name}_seg.png").convert("L"))
        image = transform.resize(image, (self.size, self.size), order=1, anti_aliasing=True)
        mask = transform.resize(mask, (self.size, self.size), order=0, preserve_range=True, anti_aliasing=False)
        mask = mask > 127
        if self.pad:
            image, mask = self.random_window(image, mask)
        image = (image - image.mean()) / (image.std() + 1e-8)
        return {
            "name": name,
            "image": torch.tensor(np.ascontiguousarray(image)[None], dtype=torch.float32),
            "mask": torch.tensor(np.ascontiguousarray(mask)[None], dtype=torch.float32),
        }
