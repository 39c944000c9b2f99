import os

import numpy as np
import torch
from PIL import Image


def list_cases(image_folder):
    return sorted(f[:-4] for f in os.listdir(image_folder) if f.endswith(".png"))


def load_case(image_folder, mask_folder, case, size):
    image = Image.open(os.path.join(image_folder, case + ".png")).convert("L")
    mask = Image.open(os.path.join(mask_folder, case + "_seg.png")).convert("L")
    image = np.array(image.resize((size, size), Image.BILINEAR), dtype=np.float32)
    mask = np.array(mask.resize((size, size), Image.NEAREST)) > 127
    low, high = np.percentile(image, (1, 99))
    image = np.clip((image - low) / (high - low + 1e-6), 0, 1)
    return image.astype(np.float32), mask.astype(np.float32)


def batches(cases, cfg, training=False):
    """Generate (names, images, masks) tensors for the given cases."""
    order = np.arange(len(cases))
    if training:
        order = np.random.RandomState(cfg["seed"]).permutation(len(cases))
    for start in range(0, len(order), cfg["batch_size"]):
        names = [cases[i] for i in order[start:start + cfg["batch_size"]]]
        pairs = [load_case(cfg["images"], cfg["masks"], name, cfg["size"]) for name in names]
        images = torch.from_numpy(np.stack([p[0] for p in pairs])).unsqueeze(1)
        masks = torch.from_numpy(np.stack([p[1] for p in pairs])).unsqueeze(1)
        if training:
            flip = torch.rand(len(names)) < 0.5
            images[flip] = images[flip].flip(-1)
            masks[flip] = masks[flip].flip(-1)
        yield names, images, masks
