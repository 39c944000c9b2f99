"""RGB images read with torchvision; the masks are PNG files with the suffix _seg."""
import random
from pathlib import Path

import torch
from torch.utils.data import Dataset
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import InterpolationMode, v2


class RGBSegmentationDataset(Dataset):
    def __init__(self, images, mask_folder, side, training=False):
        self.images = [Path(p) for p in images]
        self.mask_folder = Path(mask_folder)
        self.training = training
        self.resize_image = v2.Resize([side, side], antialias=True)
        self.resize_mask = v2.Resize([side, side], interpolation=InterpolationMode.NEAREST)
        self.mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
        self.std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        path = self.images[index]
        image = decode_image(str(path), mode=ImageReadMode.RGB).float() / 255
        mask = decode_image(str(self.mask_folder / f"{path.stem}_seg.png"), mode=ImageReadMode.GRAY)
        image = self.resize_image(image)
        mask = self.resize_mask(mask)
        mask = mask.float()
        if self.training and random.random() > 0.5:
            image, mask = image.flip(-1), mask.flip(-1)
        return (image - self.mean) / self.std, mask


def image_files(folder):
    return sorted(str(p) for p in Path(folder).iterdir() if p.suffix.lower() == ".png")
