"""Data pipeline with MONAI dictionary transforms."""
from pathlib import Path

import numpy as np
from monai.data import DataLoader, Dataset
from monai.transforms import Compose, EnsureChannelFirstd, Lambdad, LoadImaged, Resized, ScaleIntensityRanged
from sklearn.model_selection import train_test_split


def build_file_list(image_root: Path, mask_root: Path) -> list:
    """List of dictionaries, one for each image."""
    files = []
    for image in sorted(image_root.glob("*.png")):
        mask = mask_root / f"{image.stem}_seg{image.suffix}"
        if not mask.is_file():
            raise FileNotFoundError(f"no mask for {image.name}")
        files.append({"image": str(image), "label": str(mask)})
    return files


def split_files(files: list, seed: int):
    train_files, rest = train_test_split(files, test_size=0.2, random_state=seed)
    val_files, test_files = train_test_split(rest, test_size=0.5, random_state=seed)
    return train_files, val_files, test_files


def build_transforms(size: int) -> Compose:
    return Compose(
        [
            LoadImaged(keys=["image", "label"], reader="PILReader", converter=lambda picture: picture.convert("L")),
            EnsureChannelFirstd(keys=["image", "label"], channel_dim="no_channel"),
            ScaleIntensityRanged(keys=["image"], a_min=0, a_max=255, b_min=0.0, b_max=1.0),
            Resized(keys=["image", "label"], spatial_size=(size, size), mode=("bilinear", "nearest-exact")),
            Lambdad(keys=["label"], func=lambda label: (label > 127).float()),
        ]
    )


def build_loader(files: list, size: int, batch_size: int, shuffle: bool) -> DataLoader:
    return DataLoader(Dataset(files, build_transforms(size)), batch_size=batch_size, shuffle=shuffle)
