import torch
from tqdm import tqdm


def dice_loss(logits, masks, smooth=1.0):
    probs = torch.sigmoid(logits).view(logits.size(0), -1)
    masks = masks.view(masks.size(0), -1)
    inter = (probs * masks).sum(1)
    return (1 - (2 * inter + smooth) / (probs.sum(1) + masks.sum(1) + smooth)).mean()


def scores_per_image(logits, masks):
    preds = (torch.sigmoid(logits) > 0.5).view(logits.size(0), -1)
    truth = (masks > 0.5).view(masks.size(0), -1)
    inter = (preds & truth).sum(1).float()
    union = (preds | truth).sum(1).float()
    total = preds.sum(1).float() + truth.sum(1).float()
    return (2 * inter + 1e-6) / (total + 1e-6), (inter + 1e-6) / (union + 1e-6)


def train_one_epoch(model, loader, optimizer, device):
    model.train()
    running, n = 0.0, 0
    for images, masks, _ in tqdm(loader, desc="train", leave=False):
        images, masks = images.to(device), masks.to(device)
        optimizer.zero_grad()
        logits = model(images)
        loss = 0.5 * torch.nn.functional.binary_cross_entropy_with_logits(logits, masks) + 0.5 * dice_loss(logits, masks)
        loss.backward()
        optimizer.step()
        running += loss.item() * images.size(0)
        n += images.size(0)
    return running / n


def evaluate(model, loader, device, on_batch=None):
    model.eval()
    running, dice, iou, n = 0.0, 0.0, 0.0, 0
    with torch.no_grad():
        for images, masks, names in loader:
            images, masks = images.to(device), masks.to(device)
            logits = model(images)
            loss = 0.5 * torch.nn.functional.binary_cross_entropy_with_logits(logits, masks) + 0.5 * dice_loss(logits, masks)
            d, i = scores_per_image(logits, masks)
            running += loss.item() * images.size(0)
            dice += d.sum().item()
            iou += i.sum().item()
            n += images.size(0)
            if on_batch is not None:
                on_batch(names, torch.sigmoid(logits).cpu(), d.cpu())
    return {"loss": running / n, "dice": dice / n, "iou": iou / n}
