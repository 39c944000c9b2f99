"""PyTorch dataset for polyp / lesion segmentation with on-the-fly augmentation."""
from pathlib import Path

import torch
from PIL import Image
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2


def get_augmentation():
    """Geometric augmentation used during training."""
    return v2.Compose([
        v2.RandomHorizontalFlip(p=0.5),
        v2.RandomVerticalFlip(p=0.5),
        v2.RandomRotation(degrees=15),
    ])


class LesionSegmentation(Dataset):
    def __init__(self, files, mask_root, image_size=(64, 64), augmentation=None):
        self.files = list(files)
        self.mask_root = Path(mask_root)
        self.augmentation = augmentation
        self.image_size = image_size
        self.to_tensor = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        file = Path(self.files[index])
        image = Image.open(file).convert("RGB").resize(self.image_size, Image.Resampling.BILINEAR)
        mask = Image.open(self.mask_root / (file.stem + "_seg.png")).convert("L")
        mask = mask.resize(self.image_size, Image.Resampling.NEAREST)

        # PIL -> tensor in [0, 1]
        image = self.to_tensor(image)
        mask = (self.to_tensor(mask) >= 0.5).float()

        # Apply augmentation
        if self.augmentation is not None:
            image = self.augmentation(image)
            mask = self.augmentation(mask)
        return image, mask


def get_files(image_root):
    return sorted(str(p) for p in Path(image_root).glob("*.png") if not p.name.startswith("."))


def get_dataloaders(image_root, mask_root, image_size, batch_size, seed=0):
    files = get_files(image_root)
    trainval, test = train_test_split(files, test_size=0.1, random_state=seed)
    train, val = train_test_split(trainval, test_size=1 / 9, random_state=seed)
    size = (image_size, image_size)
    train_set = LesionSegmentation(train, mask_root, size, augmentation=get_augmentation())
    val_set = LesionSegmentation(val, mask_root, size)
    test_set = LesionSegmentation(test, mask_root, size)
    return (
        DataLoader(train_set, batch_size=batch_size, shuffle=True),
        DataLoader(val_set, batch_size=batch_size, shuffle=False),
        DataLoader(test_set, batch_size=1, shuffle=False),
    )
