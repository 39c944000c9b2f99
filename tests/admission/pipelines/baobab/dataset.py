from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from sklearn.model_selection import ShuffleSplit
from torch.utils.data import Dataset


@dataclass(frozen=True)
class Sample:
    """Where one case lies."""

    key: str
    image: Path
    mask: Path


def scan(image_dir: str, mask_dir: str) -> list[Sample]:
    """All PNG images that have a mask of the same name plus ``_seg``; a missing mask is an error."""
    samples = []
    for image in sorted(Path(image_dir).iterdir()):
        if image.suffix != ".png" or image.name.startswith("."):
            continue
        mask = Path(mask_dir, f"{image.stem}_seg.png")
        if not mask.exists():
            raise FileNotFoundError(mask)
        samples.append(Sample(image.stem, image, mask))
    return samples


def split(samples: list[Sample], seed: int) -> dict[str, list[Sample]]:
    """80 / 10 / 10."""
    keys = np.array([s.key for s in samples])
    by_key = {s.key: s for s in samples}
    train, rest = next(ShuffleSplit(1, test_size=0.2, random_state=seed).split(keys))
    val, test = next(ShuffleSplit(1, test_size=0.5, random_state=seed).split(rest))
    parts = {"train": keys[train], "val": keys[rest[val]], "test": keys[rest[test]]}
    return {name: [by_key[k] for k in part] for name, part in parts.items()}


def intensity_range(samples: list[Sample]) -> tuple[float, float]:
    """1st and 99th percentile of the grey levels of some samples."""
    levels = np.concatenate([cv2.imread(str(s.image), cv2.IMREAD_GRAYSCALE).ravel()[::7] for s in samples])
    low, high = np.percentile(levels, (1, 99))
    return float(low), float(max(high, low + 1))


class LesionDataset(Dataset):
    """
    Grayscale image clipped to a range and scaled to [-1, 1], binary mask.

    Both are reduced by area averaging; the mask is then cut at one half.
    """

    def __init__(self, samples: list[Sample], side: int, window: tuple[float, float], augment: bool = False) -> None:
        self.samples, self.side, self.window, self.augment = samples, side, window, augment

    def __len__(self) -> int:
        return len(self.samples)

    def _shrink(self, path: Path) -> np.ndarray:
        array = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        if array is None:
            raise OSError(f"cannot read {path}")
        return cv2.resize(array.astype(np.float32), (self.side, self.side), interpolation=cv2.INTER_AREA)

    def __getitem__(self, index: int) -> dict:
        sample = self.samples[index]
        low, high = self.window
        image = 2 * np.clip((self._shrink(sample.image) - low) / (high - low), 0, 1) - 1
        mask = self._shrink(sample.mask) >= 127.5
        pair = torch.from_numpy(np.stack([image, mask]).astype(np.float32))
        if self.augment:
            pair = self._augment(pair)
        return {"image": pair[:1], "mask": pair[1:], "key": sample.key}

    @staticmethod
    def _augment(pair: torch.Tensor) -> torch.Tensor:
        """A quarter turn and a mirror, the same for both channels."""
        pair = torch.rot90(pair, int(torch.randint(4, (1,))), dims=(1, 2))
        return pair.flip(2) if torch.rand(1) < 0.5 else pair
