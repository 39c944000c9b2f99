"""Start of the program."""
import random

import numpy as np
import torch
from sklearn.model_selection import train_test_split

from dataset import image_files
from model import ResUNet
from train import Experiment

if __name__ == "__main__":
    image_folder = "data/images"  # RGB images
    mask_folder = "data/masks"  # masks
    output = "experiment"  # everything that is written
    settings = {
        "side": 64,  # height and width
        "batch_size": 4,
        "epochs": 20,
        "lr": 1e-3,
        "pos_weight": 3.0,
        "workers": 0,
    }

    random.seed(11)
    np.random.seed(11)
    torch.manual_seed(11)

    files = image_files(image_folder)
    train_files, rest = train_test_split(files, test_size=0.2, random_state=11)
    val_files, test_files = train_test_split(rest, test_size=0.5, random_state=11)
    print("train:", len(train_files), "val:", len(val_files), "test:", len(test_files))

    model = ResUNet()
    print("learnable parameters:", sum(p.numel() for p in model.parameters() if p.requires_grad))
    experiment = Experiment(
        model, {"train": train_files, "val": val_files, "test": test_files}, mask_folder, settings, output
    )
    scores = experiment.run()
    print("test dice per batch:", [round(s, 4) for s in scores])
    print("mean:", round(float(np.mean(scores)), 4))
