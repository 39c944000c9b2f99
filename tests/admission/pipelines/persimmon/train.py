import torch
from torch.nn.functional import binary_cross_entropy_with_logits


def focal(logits, mask, gamma=2.0):
    bce = binary_cross_entropy_with_logits(logits, mask, reduction="none")
    return ((1 - torch.exp(-bce)) ** gamma * bce).mean()


def tversky(logits, mask, fp=0.3, fn=0.7, smooth=1.0):
    p = torch.sigmoid(logits).flatten(1)
    t = mask.flatten(1)
    hit = (p * t).sum(1)
    miss = fp * (p * (1 - t)).sum(1) + fn * ((1 - p) * t).sum(1)
    return (1 - (hit + smooth) / (hit + miss + smooth)).mean()


def loss_of(logits, mask):
    return focal(logits, mask) + tversky(logits, mask)


def deep_loss(heads, mask, weights=(0.4, 1.0)):
    return sum(w * loss_of(h, mask) for w, h in zip(weights, heads)) / sum(weights)


def train_one_epoch(net, loader, optimizer, scheduler, device):
    net.train()
    losses = []
    for batch in loader:
        image, mask = batch["image"].to(device), batch["mask"].to(device)
        loss = deep_loss(net(image), mask)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(net.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        losses.extend([loss.item()] * len(image))
    return sum(losses) / len(losses)


@torch.no_grad()
def assess(net, loader, device):
    """One row per case: name, loss, dice, iou; and the predicted masks."""
    net.eval()
    rows, masks = [], {}
    for batch in loader:
        image, mask = batch["image"].to(device), batch["mask"].to(device)
        logits = net(image)
        for name, logit, truth in zip(batch["name"], logits, mask):
            pred = (torch.sigmoid(logit) > 0.5).float()
            inter = (pred * truth).sum().item()
            union = pred.sum().item() + truth.sum().item() - inter
            rows.append({
                "name": name,
                "loss": loss_of(logit[None], truth[None]).item(),
                "dice": 2 * inter / (union + inter) if union else 1.0,
                "iou": inter / union if union else 1.0,
            })
            masks[name] = pred[0].cpu().numpy()
    return rows, masks
