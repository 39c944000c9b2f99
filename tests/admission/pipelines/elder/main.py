import argparse
import os

import torch
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader

from dataset import MedicalSegmentationDataset, get_paths
from model import UNet
from train import Trainer


def parse_args():
    parser = argparse.ArgumentParser(description="U-Net for medical image segmentation")
    parser.add_argument("--image-folder", type=str, default="data/images", help="Path to images")
    parser.add_argument("--mask-folder", type=str, default="data/masks", help="Path to masks")
    parser.add_argument("--save-path", type=str, default="output", help="Where to save results")
    parser.add_argument("--batch-size", type=int, default=2, help="Batch size")
    parser.add_argument("--epochs", type=int, default=40, help="Number of epochs")
    parser.add_argument("--lr", type=float, default=2e-4, help="Learning rate")
    parser.add_argument("--img-size", type=int, default=64, help="Image size")
    return parser.parse_args()


def main():
    args = parse_args()
    torch.manual_seed(0)
    os.makedirs(args.save_path, exist_ok=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    images, masks = get_paths(args.image_folder, args.mask_folder)
    train_images, temp_images, train_masks, temp_masks = train_test_split(
        images, masks, test_size=0.2, random_state=0
    )
    val_images, test_images, val_masks, test_masks = train_test_split(
        temp_images, temp_masks, test_size=0.5, random_state=0
    )
    print(f"Train: {len(train_images)}, Val: {len(val_images)}, Test: {len(test_images)}")

    train_loader = DataLoader(
        MedicalSegmentationDataset(train_images, train_masks, args.img_size), batch_size=args.batch_size, shuffle=True
    )
    val_loader = DataLoader(
        MedicalSegmentationDataset(val_images, val_masks, args.img_size), batch_size=args.batch_size, shuffle=False
    )
    test_loader = DataLoader(
        MedicalSegmentationDataset(test_images, test_masks, args.img_size), batch_size=args.batch_size, shuffle=False
    )

    model = UNet()
    print(f"Trainable parameters: {sum(p.numel() for p in model.parameters() if p.requires_grad):,}")

    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=5)

    trainer = Trainer(model, optimizer, scheduler, device, args.save_path, args.epochs)
    trainer.fit(train_loader, val_loader)
    test_scores = trainer.test(test_loader)
    trainer.save_results(test_scores)
    print(f"Mean test Dice: {sum(test_scores) / len(test_scores):.4f}")


if __name__ == "__main__":
    main()
