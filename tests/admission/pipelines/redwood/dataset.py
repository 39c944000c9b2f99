from pathlib import Path

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from torch.utils.data import Dataset


class TumourSlices(Dataset):
    """Grey slices, standardised per image; the mask is addressed through the name of the image."""

    def __init__(self, image_paths, mask_dir, size, augment=False):
        self.image_paths = list(image_paths)
        self.mask_dir = Path(mask_dir)
        self.size = size
        self.augment = augment

    def __len__(self):
        return len(self.image_paths)

    def _read(self, path):
        with Image.open(path) as handle:
            image = handle.convert("L").resize((self.size, self.size), Image.Resampling.BICUBIC)
        with Image.open(self.mask_dir / f"{path.stem}_seg.png") as handle:
            mask = handle.convert("L").resize((self.size, self.size), Image.Resampling.NEAREST)
        return np.array(image, dtype=np.float32), (np.array(mask) > 127).astype(np.float32)

    @staticmethod
    def _augment(image, mask):
        if torch.rand(1).item() < 0.5:
            image, mask = image[:, ::-1], mask[:, ::-1]
        if torch.rand(1).item() < 0.7:
            angle = (torch.rand(1).item() * 2 - 1) * 20.0
            image = ndimage.rotate(image, angle, reshape=False, order=1, mode="nearest")
            mask = ndimage.rotate(mask, angle, reshape=False, order=0, mode="constant", cval=0.0)
        if torch.rand(1).item() < 0.3:
            image = image + np.float32(torch.randn(1).item() * 8.0)
        return image, mask

    def __getitem__(self, index):
        path = self.image_paths[index]
        image, mask = self._read(path)
        if self.augment:
            image, mask = self._augment(image, mask)
        image = (image - image.mean()) / (image.std() + 1e-6)
        image = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))[None]
        mask = torch.from_numpy(np.ascontiguousarray(mask, dtype=np.float32))[None]
        return {"image": image, "mask": mask, "name": path.stem}
