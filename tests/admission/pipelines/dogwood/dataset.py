import os
import random

import numpy as np
from PIL import Image
from torch.utils.data import Dataset
from torchvision import transforms as T
from torchvision.transforms import functional as TF


class SkinLesionDataset(Dataset):
    """Dermoscopy images with binary lesion masks."""

    mean = [0.485, 0.456, 0.406]
    std = [0.229, 0.224, 0.225]

    def __init__(self, image_dir, mask_dir, ids, image_size=64, augment=False):
        self.image_dir = image_dir
        self.mask_dir = mask_dir
        self.ids = list(ids)
        self.image_size = image_size
        self.augment = None
        if augment:
            self.augment = T.Compose([
                T.RandomHorizontalFlip(),
                T.RandomVerticalFlip(),
                T.RandomRotation(20),
                T.ColorJitter(brightness=0.2, contrast=0.2),
            ])

    def __len__(self):
        return len(self.ids)

    def load(self, case_id):
        size = (self.image_size, self.image_size)
        image = Image.open(os.path.join(self.image_dir, f"{case_id}.png")).convert("RGB")
        mask = Image.open(os.path.join(self.mask_dir, f"{case_id}_seg.png")).convert("L")
        image = image.resize(size, Image.BICUBIC)
        mask = mask.resize(size, Image.NEAREST).point(lambda v: 255 if v > 127 else 0)
        return image, mask

    def apply_augmentation(self, image, mask):
        # re-seed so that the image and its mask get the same transform
        seed = np.random.randint(2 ** 31 - 1)
        random.seed(seed)
        image = self.augment(image)
        random.seed(seed)
        mask = self.augment(mask)
        return image, mask

    def __getitem__(self, index):
        case_id = self.ids[index]
        image, mask = self.load(case_id)
        if self.augment is not None:
            image, mask = self.apply_augmentation(image, mask)
        image = TF.normalize(TF.to_tensor(image), self.mean, self.std)
        mask = TF.to_tensor(mask)
        return {"id": case_id, "image": image, "mask": mask}


def list_ids(image_dir):
    return sorted(os.path.splitext(f)[0] for f in os.listdir(image_dir) if f.endswith(".png"))
