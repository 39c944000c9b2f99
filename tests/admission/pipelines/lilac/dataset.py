import os

import numpy as np
from PIL import Image


def read_case(images, masks, name, side):
    """Image in 0..255 and mask of 0 and 1, both (side, side) float32."""
    with Image.open(os.path.join(images, name + ".png")) as file:
        image = np.asarray(file.convert("L").resize((side, side), Image.BOX), np.float32)
    with Image.open(os.path.join(masks, name + "_seg.png")) as file:
        mask = np.asarray(file.convert("L").resize((side, side), Image.NEAREST))
    return image, (mask > 127).astype(np.float32)


class Part:
    """One part of the cases. With keep=True its arrays stay in memory after the first reading."""

    def __init__(self, images, masks, names, side, keep=False):
        self.images, self.masks, self.names, self.side = images, masks, names, side
        self.kept = {} if keep else None
        self.mean, self.std = 0.0, 1.0

    def __len__(self):
        return len(self.names)

    def case(self, i):
        if self.kept is None:
            return read_case(self.images, self.masks, self.names[i], self.side)
        if i not in self.kept:
            self.kept[i] = read_case(self.images, self.masks, self.names[i], self.side)
        return self.kept[i]

    def statistics(self):
        pixels = np.stack([self.case(i)[0] for i in range(len(self))])
        return float(pixels.mean()), float(pixels.std())

    def batches(self, count, rng=None):
        """Yields names, images (N,1,S,S) and masks (N,1,S,S); in random order and mirrored with a generator."""
        order = np.arange(len(self)) if rng is None else rng.permutation(len(self))
        for start in range(0, len(order), count):
            images, masks = [], []
            for i in order[start:start + count]:
                image, mask = self.case(i)
                image = (image - self.mean) / self.std
                if rng is not None:
                    turns, mirror = rng.integers(4), rng.random() < 0.5
                    image, mask = np.rot90(image, turns), np.rot90(mask, turns)
                    if mirror:
                        image, mask = np.fliplr(image), np.fliplr(mask)
                    image = image + rng.normal(0, 0.1)
                images.append(image)
                masks.append(mask)
            names = [self.names[i] for i in order[start:start + count]]
            yield names, np.stack(images)[:, None].astype(np.float32), np.stack(masks)[:, None]
