"""Data loading utilities.

The data set is small, so every image is used together with its mirrored version.
"""

import os
from typing import List, Tuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import DataLoader, Dataset, random_split


class MirroredDataset(Dataset):
    """Each image once as it is and once mirrored (offline augmentation, doubles the data)."""

    def __init__(self, image_folder: str, mask_folder: str, image_size: int = 64) -> None:
        super().__init__()
        self.image_size = image_size
        self.items: List[Tuple[str, str, bool]] = []
        for file_name in sorted(os.listdir(image_folder)):
            if not file_name.endswith(".png"):
                continue
            mask_name = file_name.replace(".png", "_seg.png")
            for mirrored in (False, True):
                self.items.append(
                    (os.path.join(image_folder, file_name), os.path.join(mask_folder, mask_name), mirrored)
                )

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Tuple[torch.Tensor, torch.Tensor]:
        image_path, mask_path, mirrored = self.items[index]
        size = (self.image_size, self.image_size)
        with Image.open(image_path) as file:
            image = file.convert("L").resize(size, Image.Resampling.BICUBIC)
        with Image.open(mask_path) as file:
            mask = file.convert("L").resize(size, Image.Resampling.NEAREST)
        if mirrored:
            image, mask = ImageOps.mirror(image), ImageOps.mirror(mask)
        image_tensor = torch.from_numpy(np.array(image, dtype=np.float32) / 255.0).unsqueeze(0)
        mask_tensor = torch.from_numpy((np.array(mask) >= 128).astype(np.float32)).unsqueeze(0)
        return (image_tensor - 0.5) / 0.5, mask_tensor


def build_dataloaders(
    image_folder: str, mask_folder: str, image_size: int, batch_size: int, seed: int
) -> Tuple[DataLoader, DataLoader, DataLoader]:
    dataset = MirroredDataset(image_folder, mask_folder, image_size)
    train_set, val_set, test_set = random_split(
        dataset, [0.8, 0.1, 0.1], generator=torch.Generator().manual_seed(seed)
    )
    print(f"Samples: train {len(train_set)}, validation {len(val_set)}, test {len(test_set)}")
    train_loader = DataLoader(train_set, batch_size=batch_size, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=batch_size, shuffle=False)
    test_loader = DataLoader(test_set, batch_size=batch_size, shuffle=False)
    return train_loader, val_loader, test_loader
