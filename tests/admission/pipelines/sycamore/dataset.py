from pathlib import Path

import numpy as np
from skimage import io, transform


def find_cases(image_dir, mask_dir):
    """List of (name, image path, mask path), ordered by name."""
    cases = []
    for image_path in sorted(Path(image_dir).glob("*.png")):
        cases.append((image_path.stem, image_path, Path(mask_dir) / f"{image_path.stem}_seg.png"))
    return cases


def load_image(path, size):
    image = io.imread(path)[..., :3]
    image = transform.resize(image, (size, size), order=1, anti_aliasing=True)
    return image.astype(np.float32).transpose(2, 0, 1)


def load_mask(path, size):
    mask = io.imread(path, as_gray=True)
    mask = mask > (0.5 if mask.max() <= 1 else 127)
    mask = transform.resize(mask.astype(np.uint8), (size, size), order=0, preserve_range=True, anti_aliasing=False)
    return (mask > 0.5).astype(np.float32)[None]


def load_part(cases, size):
    images = np.stack([load_image(c[1], size) for c in cases])
    masks = np.stack([load_mask(c[2], size) for c in cases])
    return images, masks


def augment_batch(images, masks, rng):
    images, masks = images.copy(), masks.copy()
    for i in range(len(images)):
        if rng.random() < 0.5:
            images[i] = images[i][:, :, ::-1]
            masks[i] = masks[i][:, :, ::-1]
        k = int(rng.integers(4))
        images[i] = np.rot90(images[i], k, axes=(1, 2))
        masks[i] = np.rot90(masks[i], k, axes=(1, 2))
        images[i] = np.clip(images[i] * rng.uniform(0.9, 1.1), 0, 1)
    return images, masks
