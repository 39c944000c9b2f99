import random
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from dataset import SegmentationDataModule
from model import SegmentationModule
from train import MiniTrainer


def run(image_dir, mask_dir, save_dir, img_size, batch_size, num_epochs, lr, seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    save_dir = Path(save_dir)
    save_dir.mkdir(exist_ok=True, parents=True)

    dm = SegmentationDataModule(image_dir, mask_dir, img_size, batch_size, seed)
    dm.setup()
    print(f"Train/val/test images: {len(dm.train_set)}/{len(dm.val_set)}/{len(dm.test_set)}")

    module = SegmentationModule(lr=lr, epochs=num_epochs)
    print(f"Parameters: {sum(p.numel() for p in module.parameters() if p.requires_grad)}")
    trainer = MiniTrainer(num_epochs, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    trainer.fit(module, dm)
    print(f"Training time: {trainer.seconds:.1f}s")

    index = list(range(1, num_epochs + 1))
    logged = trainer.logged
    pd.DataFrame([index, logged["train_loss"]]).to_excel(save_dir / "train_losses.xlsx", header=False, index=False)
    pd.DataFrame([index, logged["val_loss"]]).to_excel(save_dir / "val_losses.xlsx", header=False, index=False)
    pd.DataFrame(logged["val_dice"]).to_excel(save_dir / "validation_dice_scores.xlsx", header=False, index=False)
    torch.save(module, save_dir / "module.pth")
    torch.save(module.state_dict(), save_dir / "module_state_dict.pth")

    dices = trainer.test(module, dm)
    pd.DataFrame([dices]).to_excel(save_dir / "test_dice_scores.xlsx", header=False, index=False)
    print(f"Test images: {', '.join(dm.test_names)}")
    print(f"Test Dice: {np.mean(dices):.4f}")


if __name__ == "__main__":
    run(
        image_dir="./segmentation_data/images",
        mask_dir="./segmentation_data/masks",
        save_dir="./segmentation_results",
        img_size=64,
        batch_size=4,
        num_epochs=20,
        lr=1e-3,
        seed=0,
    )
