from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset


def case_names(folder):
    return sorted(p.stem for p in Path(folder).iterdir() if p.suffix == ".png")


class LesionData(Dataset):
    """Lesions as (3, S, S) in [-1, 1] with masks (1, S, S) of 0 and 1."""

    def __init__(self, images, masks, names, side, jitter=False):
        self.images, self.masks = Path(images), Path(masks)
        self.names, self.side, self.jitter = names, side, jitter

    def __len__(self):
        return len(self.names)

    def _warp(self, image, mask):
        """One random rotation, scaling and mirroring for both, with one matrix."""
        u = torch.rand(4).tolist()
        centre = ((self.side - 1) / 2, (self.side - 1) / 2)
        matrix = cv2.getRotationMatrix2D(centre, 60 * u[0] - 30, 0.9 + 0.2 * u[1])
        size = (self.side, self.side)
        image = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        mask = cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101)
        if u[2] < 0.5:
            image, mask = cv2.flip(image, 1), cv2.flip(mask, 1)
        # light, of the image only
        image = np.clip(image.astype(np.float32) * (0.85 + 0.3 * u[3]), 0, 255)
        return image, mask

    def __getitem__(self, i):
        name = self.names[i]
        image = cv2.cvtColor(cv2.imread(str(self.images / f"{name}.png")), cv2.COLOR_BGR2RGB)
        mask = cv2.imread(str(self.masks / f"{name}_seg.png"), cv2.IMREAD_GRAYSCALE)
        image = cv2.resize(image, (self.side, self.side), interpolation=cv2.INTER_AREA)
        mask = cv2.resize(mask, (self.side, self.side), interpolation=cv2.INTER_NEAREST_EXACT)
        if self.jitter:
            image, mask = self._warp(image, mask)
        image = torch.from_numpy(image.astype(np.float32).transpose(2, 0, 1) / 127.5 - 1)
        mask = torch.from_numpy((mask > 127).astype(np.float32))[None]
        return name, image, mask
