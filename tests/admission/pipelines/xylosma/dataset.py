from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as VF


def training_transform():
    # v2 draws once per call and treats image and mask alike
    return v2.Compose([
        v2.RandomHorizontalFlip(0.5),
        v2.RandomVerticalFlip(0.5),
        v2.RandomAffine(degrees=12, translate=(0.05, 0.05), scale=(0.9, 1.1),
                        interpolation=InterpolationMode.BILINEAR),
    ])


class BrainDataset(Dataset):
    def __init__(self, image_dir, mask_dir, size, transform=None):
        self.image_paths = sorted(Path(image_dir).glob("*.png"))
        self.mask_dir = Path(mask_dir)
        self.size = size
        self.transform = transform

    def __len__(self):
        return len(self.image_paths)

    def __getitem__(self, index):
        path = self.image_paths[index]
        image = Image.open(path).convert("L").resize((self.size, self.size), Image.BILINEAR)
        mask = Image.open(self.mask_dir / f"{path.stem}_seg.png").convert("L")
        mask = mask.resize((self.size, self.size), Image.NEAREST)

        image = tv_tensors.Image(VF.pil_to_tensor(image).float() / 255.0)
        mask = tv_tensors.Mask((VF.pil_to_tensor(mask) > 127).to(torch.uint8))
        if self.transform is not None:
            image, mask = self.transform(image, mask)
        image = image.as_subclass(torch.Tensor)
        image = (image - image.mean()) / image.std().clamp_min(1e-6)
        return image, mask.as_subclass(torch.Tensor).float(), path.stem
