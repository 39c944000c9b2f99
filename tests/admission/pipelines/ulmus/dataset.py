import os

import numpy as np
from PIL import Image


class CaseReader:
    def __init__(self, image_folder, mask_folder, size):
        self.image_folder = image_folder
        self.mask_folder = mask_folder
        self.size = size

    def names(self):
        return sorted(f[:-4] for f in os.listdir(self.image_folder) if f.endswith(".png"))

    def image(self, name):
        return Image.open(os.path.join(self.image_folder, name + ".png")).convert("RGB")

    def mask(self, name):
        return Image.open(os.path.join(self.mask_folder, name + "_seg.png")).convert("L")


def finish(image, mask, size, mean, std):
    image = image.resize((size, size), Image.BILINEAR)
    mask = mask.resize((size, size), Image.NEAREST)
    x = (np.asarray(image, np.float32) / 255.0 - mean) / std
    y = (np.asarray(mask) >= 128).astype(np.float32)
    return x.transpose(2, 0, 1), y[None]


class TrainingCache:
    """Keeps the training cases in memory and cuts a new window out of each whenever it is asked for."""

    def __init__(self, reader, names):
        self.size = reader.size
        self.items = [(reader.image(n), reader.mask(n)) for n in names]
        pixels = np.concatenate([np.asarray(im, np.float32).reshape(-1, 3) / 255.0 for im, _ in self.items])
        self.mean = pixels.mean(axis=0)
        self.std = pixels.std(axis=0) + 1e-6
        foreground = np.mean([(np.asarray(m) >= 128).mean() for _, m in self.items])
        self.positive_weight = float(np.clip((1 - foreground) / max(foreground, 1e-3), 1.0, 5.0))

    def __len__(self):
        return len(self.items)

    def sample(self, i, rng):
        image, mask = self.items[i]
        w, h = image.size
        scale = rng.uniform(0.85, 1.0)
        cw, ch = int(w * scale), int(h * scale)
        left, top = int(rng.integers(0, w - cw + 1)), int(rng.integers(0, h - ch + 1))
        window = (left, top, left + cw, top + ch)
        x, y = finish(image.crop(window), mask.crop(window), self.size, self.mean, self.std)
        if rng.random() < 0.5:
            x, y = x[:, :, ::-1], y[:, :, ::-1]
        x = x * rng.uniform(0.95, 1.05) + rng.uniform(-0.05, 0.05)
        return x, y


class EvaluationPart:
    """Whole images, read from disk at the time of use."""

    def __init__(self, reader, names, mean, std):
        self.reader, self.names, self.mean, self.std = reader, names, mean, std

    def __iter__(self):
        for n in self.names:
            x, y = finish(self.reader.image(n), self.reader.mask(n), self.reader.size, self.mean, self.std)
            yield n, x, y
