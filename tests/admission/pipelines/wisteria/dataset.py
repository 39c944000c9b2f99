from pathlib import Path
from typing import List, Tuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset


def build_index(image_root: str, mask_root: str) -> List[Tuple[Path, Path]]:
    index = []
    for image_path in sorted(Path(image_root).glob("*.png")):
        mask_path = Path(mask_root) / (image_path.stem + "_seg.png")
        if not mask_path.exists():
            raise FileNotFoundError(f"no mask for {image_path.name}: {mask_path}")
        index.append((image_path, mask_path))
    return index


class SegmentationDataset(Dataset):
    def __init__(self, index: List[Tuple[Path, Path]], size: int, train: bool = False) -> None:
        self.index = index
        self.size = size
        self.train = train

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, i: int) -> Tuple[Tensor, Tensor]:
        image_path, mask_path = self.index[i]
        image = Image.open(image_path).convert("L")
        mask = Image.open(mask_path).convert("L").point(lambda v: 255 if v > 127 else 0)

        if self.train:
            angle = float(torch.empty(1).uniform_(-15, 15))
            dx, dy = (int(v) for v in torch.randint(-5, 6, (2,)))
            image = image.rotate(angle, resample=Image.BILINEAR, translate=(dx, dy))
            mask = mask.rotate(angle, resample=Image.NEAREST, translate=(dx, dy))

        image = image.resize((self.size, self.size), Image.LANCZOS)
        mask = mask.resize((self.size, self.size), Image.NEAREST)

        x = torch.from_numpy(np.array(image, dtype=np.float32) / 255.0)
        y = torch.from_numpy(np.array(mask, dtype=np.float32) / 255.0)
        low, high = x.min(), x.max()
        x = (x - low) / (high - low + 1e-8)
        return x.unsqueeze(0), y.unsqueeze(0)
