import glob
import os

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset


class TileDataset(Dataset):
    """Four tiles of every slice: the slice is brought to twice the tile size and quartered."""

    def __init__(self, images_dir, masks_dir, tile=64):
        self.tile = tile
        self.images = sorted(glob.glob(os.path.join(images_dir, "*.png")))
        self.masks = [entry.path for entry in os.scandir(masks_dir) if entry.name.endswith("_seg.png")]
        if len(self.images) != len(self.masks):
            raise ValueError(f"{len(self.images)} images but {len(self.masks)} masks")

    def __len__(self):
        return 4 * len(self.images)

    def tile_name(self, index):
        case, quarter = divmod(index, 4)
        stem = os.path.splitext(os.path.basename(self.images[case]))[0]
        return f"{stem}_tile{quarter}"

    def __getitem__(self, index):
        case, quarter = divmod(index, 4)
        full = 2 * self.tile
        image = Image.open(self.images[case]).convert("L").resize((full, full), Image.LANCZOS)
        mask = Image.open(self.masks[case]).convert("L").resize((full, full), Image.NEAREST)

        image = np.asarray(image, dtype=np.float32)
        image = (image - image.mean()) / (image.std() + 1e-6)
        mask = (np.asarray(mask) >= 128).astype(np.float32)

        top, left = (quarter // 2) * self.tile, (quarter % 2) * self.tile
        window = (slice(top, top + self.tile), slice(left, left + self.tile))
        image = torch.from_numpy(image[window].copy()).unsqueeze(0)
        mask = torch.from_numpy(mask[window].copy()).unsqueeze(0)
        return image, mask, index
