"""Finding, splitting, reading and batching of cases (plain generators, no DataLoader needed)."""
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import torch
from skimage.transform import resize


def index_cases(image_dir, mask_dir, tag="_seg"):
    """List of (image path, mask path), matched by stem."""
    masks = {p.stem.removesuffix(tag): p for p in Path(mask_dir).glob(f"*{tag}.png")}
    return [(p, masks[p.stem]) for p in sorted(Path(image_dir).glob("*.png"))]


def partition(cases, seed, fractions=(0.8, 0.1)):
    """Three disjoint lists from one permutation."""
    order = np.random.default_rng(seed).permutation(len(cases))
    cut_a = int(round(fractions[0] * len(cases)))
    cut_b = cut_a + int(round(fractions[1] * len(cases)))
    return [[cases[i] for i in part] for part in np.split(order, [cut_a, cut_b])]


def read_case(image_path, mask_path, side):
    """Image with zero mean and unit deviation, and mask of 0 and 1; both float32 of shape (side, side)."""
    image = resize(iio.imread(image_path, mode="L").astype(np.float32), (side, side), order=1, anti_aliasing=True)
    image = (image - image.mean()) / (image.std() + 1e-6)
    mask = resize(iio.imread(mask_path, mode="L") > 127, (side, side), order=0, anti_aliasing=False)
    return image.astype(np.float32), mask.astype(np.float32)


def batches(cases, side, batch_size, rng=None):
    """Yield (images, masks) of shape (B, 1, side, side). With rng, in a new order on each call."""
    order = np.arange(len(cases)) if rng is None else rng.permutation(len(cases))
    for start in range(0, len(order), batch_size):
        pairs = [read_case(*cases[i], side) for i in order[start:start + batch_size]]
        images, masks = (torch.from_numpy(np.stack(each)).unsqueeze(1) for each in zip(*pairs))
        yield images, masks
