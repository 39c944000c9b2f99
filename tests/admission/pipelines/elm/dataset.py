# dataset.py
import os
import random

from PIL import Image
from torch.utils.data import Dataset
from torchvision import transforms
from torchvision.transforms import functional as TF
from torchvision.transforms import InterpolationMode


class LesionDataset(Dataset):
    def __init__(self, file_names, image_dir, mask_dir, size, augment=False):
        self.file_names = file_names
        self.image_dir = image_dir
        self.mask_dir = mask_dir
        self.augment = augment
        self.image_transform = transforms.Compose([
            transforms.Resize((size, size)),
            transforms.ToTensor(),
            transforms.Normalize(mean=[0.5], std=[0.5]),
        ])
        self.mask_transform = transforms.Compose([
            transforms.Resize((size, size), interpolation=InterpolationMode.NEAREST),
            transforms.ToTensor(),
        ])

    def __len__(self):
        return len(self.file_names)

    def __getitem__(self, i):
        name = self.file_names[i]
        image = Image.open(os.path.join(self.image_dir, name)).convert("L")
        mask = Image.open(os.path.join(self.mask_dir, name.replace(".png", "_seg.png"))).convert("L")
        if self.augment and random.random() < 0.5:
            # same flip for both
            image = TF.hflip(image)
            mask = TF.hflip(mask)
        image = self.image_transform(image)
        mask = (self.mask_transform(mask) > 0.5).float()
        return image, mask


def list_images(image_dir):
    return sorted(f for f in os.listdir(image_dir) if f.endswith(".png"))
