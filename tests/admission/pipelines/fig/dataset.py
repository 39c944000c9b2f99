import os

import torch
from PIL import Image
from torch.utils.data import Dataset
from torchvision.transforms import functional as TF


class ISICDataset(Dataset):
    def __init__(self, pairs, size, train=False):
        self.pairs = pairs
        self.size = size
        self.train = train

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, idx):
        img_path, msk_path = self.pairs[idx]
        image = TF.to_tensor(Image.open(img_path).convert("RGB"))
        mask = (TF.to_tensor(Image.open(msk_path).convert("L")) > 0.5).float()

        # keep image and mask together so every spatial operation hits both
        pair = torch.cat([image, mask], dim=0)
        pair = TF.resize(pair, [self.size, self.size], antialias=True)
        if self.train:
            if torch.rand(()) < 0.5:
                pair = TF.hflip(pair)
            if torch.rand(()) < 0.5:
                pair = TF.vflip(pair)
            pair = torch.rot90(pair, int(torch.randint(0, 4, ())), dims=(1, 2))
        image, mask = pair[:3], pair[3:]

        mean = image.mean(dim=(1, 2), keepdim=True)
        std = image.std(dim=(1, 2), keepdim=True)
        return (image - mean) / (std + 1e-5), mask


def get_pairs(image_dir, mask_dir):
    pairs = []
    for fname in sorted(os.listdir(image_dir)):
        if fname.endswith(".png"):
            mask_name = fname.replace(".png", "_seg.png")
            pairs.append((os.path.join(image_dir, fname), os.path.join(mask_dir, mask_name)))
    return pairs
