import os
import random

import numpy as np
import torch
import torchvision.transforms.functional as TF
from PIL import Image
from torch.utils.data import Dataset
from torchvision.transforms import InterpolationMode


class CachedMRIDataset(Dataset):
    """
    MRI slices and tumour masks. Every case is resized once, when it is first needed,
    and kept as a small file in the cache folder so that later epochs load quickly.
    """

    def __init__(self, image_dir, mask_dir, cache_dir, names, size=(64, 64), train=False):
        self.image_dir = image_dir
        self.mask_dir = mask_dir
        self.cache_images = os.path.join(cache_dir, "images")
        self.cache_masks = os.path.join(cache_dir, "masks")
        os.makedirs(self.cache_images, exist_ok=True)
        os.makedirs(self.cache_masks, exist_ok=True)
        self.names = names
        self.size = size
        self.train = train

    def __len__(self):
        return len(self.names)

    def _cached(self, source, target, resample):
        if not os.path.exists(target):
            Image.open(source).convert("L").resize(self.size, resample).save(target)
        return Image.open(target)

    def __getitem__(self, idx):
        name = self.names[idx]
        image = self._cached(os.path.join(self.image_dir, name + ".png"),
                             os.path.join(self.cache_images, name + ".jpg"), Image.BILINEAR)
        mask = self._cached(os.path.join(self.mask_dir, name + "_seg.png"),
                            os.path.join(self.cache_masks, name + ".jpg"), Image.NEAREST)

        image = TF.to_tensor(image)
        mask = torch.from_numpy((np.array(mask) > 0).astype(np.float32)).unsqueeze(0)

        if self.train:
            if random.random() > 0.5:
                image, mask = TF.hflip(image), TF.hflip(mask)
            angle = random.uniform(-10, 10)
            image = TF.rotate(image, angle, interpolation=InterpolationMode.BILINEAR)
            mask = TF.rotate(mask, angle, interpolation=InterpolationMode.NEAREST)
            if random.random() > 0.5:
                image = TF.adjust_brightness(image, random.uniform(0.85, 1.15))

        image = TF.normalize(image, mean=[0.5], std=[0.5])
        return image, mask, name
