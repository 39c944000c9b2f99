"""A small trainer in the manner of Lightning."""
import copy
import time

import numpy as np
import torch
from tqdm import tqdm


class MiniTrainer:
    def __init__(self, max_epochs, device):
        self.max_epochs = max_epochs
        self.device = device
        self.logged = {"train_loss": [], "val_loss": [], "val_dice": []}

    def _move(self, batch):
        return [t.to(self.device) for t in batch]

    def fit(self, module, datamodule):
        module.to(self.device)
        optimizer, scheduler = module.configure_optimizers()
        train_loader, val_loader = datamodule.train_dataloader(), datamodule.val_dataloader()
        best_val, best_state = np.inf, None
        began = time.time()
        for epoch in range(self.max_epochs):
            self.logged["train_loss"].append(self.train_epoch(module, train_loader, optimizer, epoch))
            val_loss, val_dice = self.validate(module, val_loader, epoch)
            self.logged["val_loss"].append(val_loss)
            self.logged["val_dice"].append(val_dice)
            scheduler.step()
            if val_loss < best_val:
                best_val, best_state = val_loss, copy.deepcopy(module.state_dict())
        module.load_state_dict(best_state)
        self.seconds = time.time() - began

    def train_epoch(self, module, loader, optimizer, epoch):
        module.train()
        losses = []
        for batch in tqdm(loader, desc=f"Epoch {epoch} train", leave=False):
            loss = module.training_step(self._move(batch))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return float(np.mean(losses))

    def validate(self, module, loader, epoch):
        module.eval()
        with torch.no_grad():
            steps = [
                module.validation_step(self._move(b)) for b in tqdm(loader, desc=f"Epoch {epoch} val", leave=False)
            ]
        losses, dices = zip(*steps)
        return float(np.mean(losses)), list(dices)

    def test(self, module, datamodule):
        module.eval()
        with torch.no_grad():
            return [module.test_step(self._move(b)) for b in tqdm(datamodule.test_dataloader(), desc="Test")]
