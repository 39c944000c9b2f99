import os
from glob import glob

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset


class MedicalSegmentationDataset(Dataset):
    """
    Dataset for binary segmentation.

    Args:
        image_paths (list[str]): paths to grayscale images
        mask_paths (list[str]): paths to the corresponding masks
        img_size (int): side length after resizing
    """

    def __init__(self, image_paths, mask_paths, img_size=80):
        assert len(image_paths) == len(mask_paths), "Number of images and masks must match!"
        self.image_paths = image_paths
        self.mask_paths = mask_paths
        self.img_size = img_size

    def __len__(self):
        return len(self.image_paths)

    def __getitem__(self, idx):
        # Load image in grayscale
        image = cv2.imread(self.image_paths[idx], cv2.IMREAD_GRAYSCALE)
        if image is None:
            raise FileNotFoundError(self.image_paths[idx])
        image = cv2.resize(image, (self.img_size, self.img_size), interpolation=cv2.INTER_LINEAR)
        image = image.astype(np.float32) / 255.0

        # Load mask and binarize
        mask = cv2.imread(self.mask_paths[idx], cv2.IMREAD_GRAYSCALE)
        if mask is None:
            raise FileNotFoundError(self.mask_paths[idx])
        mask = cv2.resize(mask, (self.img_size, self.img_size), interpolation=cv2.INTER_NEAREST_EXACT)
        mask = (mask > 127).astype(np.float32)

        image = torch.from_numpy(image).unsqueeze(0)
        mask = torch.from_numpy(mask).unsqueeze(0)
        return image, mask


def get_paths(image_folder, mask_folder, suffix="_seg"):
    image_paths = sorted(glob(os.path.join(image_folder, "*.png")))
    mask_paths = []
    for path in image_paths:
        base = os.path.splitext(os.path.basename(path))[0]
        mask_paths.append(os.path.join(mask_folder, base + suffix + ".png"))
    return image_paths, mask_paths
