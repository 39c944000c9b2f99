"""Minimal data handling: a list of records and a stream of batches over it."""
import csv
import random
from pathlib import Path
from typing import Iterator, NamedTuple

import numpy as np
import torch
from PIL import Image


class Record(NamedTuple):
    image: Path
    mask: Path


def build_records(image_dir: Path, mask_dir: Path) -> list[Record]:
    records = []
    for image in sorted(image_dir.glob("*.png")):
        mask = mask_dir / image.name.replace(".png", "_seg.png")
        if not mask.exists():
            raise FileNotFoundError(f"{mask} does not exist")
        records.append(Record(image, mask))
    return records


def split_records(records: list[Record], seed: int) -> tuple[list[Record], list[Record], list[Record]]:
    records = records.copy()
    random.Random(seed).shuffle(records)
    tenth = max(1, round(len(records) / 10))
    return records[2 * tenth:], records[tenth:2 * tenth], records[:tenth]


def write_manifest(path: Path, **parts: list[Record]) -> None:
    """Which case is in which part."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["part", "image"])
        for part, records in parts.items():
            writer.writerows([part, record.image.name] for record in records)


class BatchStream:
    """Iterates over records in batches; shuffles if asked for. Reproducible by its seed."""

    def __init__(self, records: list[Record], size: int, batch_size: int, shuffle: bool = False, seed: int = 0):
        self.records, self.size, self.batch_size = records, size, batch_size
        self.shuffle, self.seed = shuffle, seed

    def __len__(self) -> int:
        return -(-len(self.records) // self.batch_size)

    def load(self, record: Record) -> tuple[np.ndarray, np.ndarray]:
        image = Image.open(record.image).convert("L").resize((self.size, self.size), Image.Resampling.HAMMING)
        mask = Image.open(record.mask).convert("L").resize((self.size, self.size), Image.Resampling.NEAREST)
        return np.asarray(image, np.float32) / 127.5 - 1.0, (np.asarray(mask) > 127).astype(np.float32)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        order = np.arange(len(self.records))
        if self.shuffle:
            np.random.default_rng(self.seed).shuffle(order)
        for chunk in np.array_split(order, range(self.batch_size, len(order), self.batch_size)):
            images, masks = zip(*(self.load(self.records[i]) for i in chunk))
            yield torch.tensor(np.array(images))[:, None], torch.tensor(np.array(masks))[:, None]
