import os
import time

import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import torch
import torch.nn.functional as F
from tqdm import tqdm


def combined_loss(pred, target, smooth=1e-6):
    """0.5 * BCE + 0.5 * Dice loss. Expects probabilities."""
    bce = F.binary_cross_entropy(pred, target)
    intersection = (pred * target).sum()
    dice = (2.0 * intersection + smooth) / (pred.sum() + target.sum() + smooth)
    return 0.5 * bce + 0.5 * (1 - dice)


def dice_coefficient(pred, target, smooth=1e-6):
    pred = (pred > 0.5).float()
    intersection = (pred * target).sum()
    return ((2.0 * intersection + smooth) / (pred.sum() + target.sum() + smooth)).item()


class Trainer:
    """Handles training, validation and testing."""

    def __init__(self, model, optimizer, scheduler, device, save_path, num_epochs):
        self.model = model.to(device)
        self.optimizer = optimizer
        self.scheduler = scheduler
        self.device = device
        self.save_path = save_path
        self.num_epochs = num_epochs
        self.best_loss = float("inf")
        self.train_losses = []
        self.val_losses = []
        self.val_dice = []

    def train_one_epoch(self, loader, epoch):
        self.model.train()
        running_loss = 0.0
        for images, masks in tqdm(loader, desc=f"Training epoch {epoch + 1}"):
            images = images.to(self.device)
            masks = masks.to(self.device)

            self.optimizer.zero_grad()
            outputs = self.model(images)
            loss = combined_loss(outputs, masks)
            loss.backward()
            self.optimizer.step()

            running_loss += loss.item()
        return running_loss / len(loader)

    def validate(self, loader, epoch):
        self.model.eval()
        running_loss = 0.0
        batch_dice = []
        with torch.no_grad():
            for images, masks in tqdm(loader, desc=f"Validation epoch {epoch + 1}"):
                images = images.to(self.device)
                masks = masks.to(self.device)
                outputs = self.model(images)
                running_loss += combined_loss(outputs, masks).item()
                batch_dice.append(dice_coefficient(outputs, masks))
        return running_loss / len(loader), batch_dice

    def fit(self, train_loader, val_loader):
        start_time = time.time()
        for epoch in range(self.num_epochs):
            train_loss = self.train_one_epoch(train_loader, epoch)
            val_loss, batch_dice = self.validate(val_loader, epoch)
            self.scheduler.step(val_loss)

            self.train_losses.append(train_loss)
            self.val_losses.append(val_loss)
            self.val_dice.append(batch_dice)
            print(f"Epoch [{epoch + 1}/{self.num_epochs}] Train Loss: {train_loss:.4f} Val Loss: {val_loss:.4f}")

            # Save the best model
            if val_loss < self.best_loss:
                self.best_loss = val_loss
                torch.save(self.model.state_dict(), os.path.join(self.save_path, "best_model.pth"))

        torch.save(self.model, os.path.join(self.save_path, "final_model.pth"))
        torch.save(self.model.state_dict(), os.path.join(self.save_path, "final_state_dict.pth"))
        print(f"Total training time: {time.time() - start_time:.2f} seconds")

    def test(self, loader):
        self.model.load_state_dict(torch.load(os.path.join(self.save_path, "best_model.pth"), weights_only=True))
        self.model.eval()
        scores = []
        with torch.no_grad():
            for images, masks in tqdm(loader, desc="Testing"):
                outputs = self.model(images.to(self.device))
                scores.append(dice_coefficient(outputs, masks.to(self.device)))
        return scores

    def save_results(self, test_scores):
        epochs = list(range(1, self.num_epochs + 1))
        pd.DataFrame([epochs, self.train_losses]).to_excel(
            os.path.join(self.save_path, "train_losses.xlsx"), index=False, header=False)
        pd.DataFrame([epochs, self.val_losses]).to_excel(
            os.path.join(self.save_path, "val_losses.xlsx"), index=False, header=False)
        pd.DataFrame(self.val_dice).to_excel(
            os.path.join(self.save_path, "validation_dice_scores.xlsx"), index=False)
        pd.DataFrame([test_scores]).to_excel(
            os.path.join(self.save_path, "test_dice_scores.xlsx"), index=False)

        plt.figure()
        plt.plot(epochs, self.train_losses, label="Train Loss")
        plt.plot(epochs, self.val_losses, label="Val Loss")
        plt.legend()
        plt.savefig(os.path.join(self.save_path, "loss_plot.png"))
        plt.close()
