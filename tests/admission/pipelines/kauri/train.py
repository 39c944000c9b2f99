import torch
import torch.nn as nn


class FocalTverskyLoss(nn.Module):
    def __init__(self, alpha=0.6, beta=0.4, gamma=0.75, eps=1.0):
        super().__init__()
        self.alpha, self.beta, self.gamma, self.eps = alpha, beta, gamma, eps

    def forward(self, logits, target):
        probs = torch.sigmoid(logits)
        tp = (probs * target).sum(dim=(-2, -1))
        fn = ((1 - probs) * target).sum(dim=(-2, -1))
        fp = (probs * (1 - target)).sum(dim=(-2, -1))
        tversky = (tp + self.eps) / (tp + self.alpha * fn + self.beta * fp + self.eps)
        return ((1 - tversky) ** self.gamma).mean()


def train_one_epoch(model, loader, criterion, optimizer, device, accum_steps=2):
    model.train()
    epoch_loss = 0.0
    optimizer.zero_grad()
    for i, batch in enumerate(loader):
        images = batch["image"].to(device)
        masks = batch["mask"].to(device)
        loss = criterion(model(images), masks) / accum_steps
        loss.backward()
        if (i + 1) % accum_steps == 0 or i + 1 == len(loader):
            optimizer.step()
            optimizer.zero_grad()
        epoch_loss += loss.item() * images.size(0)
    return epoch_loss / len(loader.dataset)


def validate(model, loader, criterion, device, collect=None):
    model.eval()
    epoch_loss, dices = 0.0, []
    with torch.no_grad():
        for batch in loader:
            images = batch["image"].to(device)
            masks = batch["mask"].to(device)
            logits = model(images)
            epoch_loss += criterion(logits, masks).item() * images.size(0)
            preds = (torch.sigmoid(logits).squeeze(1) > 0.5).float()
            for name, pred, mask in zip(batch["name"], preds, masks):
                overlap = (pred * mask).sum()
                dices.append(((2 * overlap + 1e-6) / (pred.sum() + mask.sum() + 1e-6)).item())
                if collect is not None:
                    collect[name] = pred.cpu().numpy()
    return epoch_loss / len(loader.dataset), sum(dices) / len(dices)
