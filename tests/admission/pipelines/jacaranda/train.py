import torch


def tversky_loss(logits, masks, alpha=0.3, beta=0.7, smooth=1.0):
    # over the whole batch, since many tiles hold no lesion at all
    p = torch.sigmoid(logits).reshape(-1)
    t = masks.reshape(-1)
    tp = (p * t).sum()
    fp = (p * (1 - t)).sum()
    fn = ((1 - p) * t).sum()
    return 1 - (tp + smooth) / (tp + alpha * fp + beta * fn + smooth)


def train_one_epoch(model, loader, optimizer, device):
    model.train()
    loss_sum, seen = 0.0, 0
    for images, masks, _ in loader:
        images, masks = images.to(device), masks.to(device)
        optimizer.zero_grad()
        loss = tversky_loss(model(images), masks)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * images.shape[0]
        seen += images.shape[0]
    return loss_sum / seen


@torch.no_grad()
def evaluate(model, loader, device):
    """Loss, and the Dice of all pixels of the part."""
    model.eval()
    loss_sum, seen, tp, size = 0.0, 0, 0.0, 0.0
    predictions = {}
    for images, masks, indices in loader:
        images, masks = images.to(device), masks.to(device)
        logits = model(images)
        loss_sum += tversky_loss(logits, masks).item() * images.shape[0]
        seen += images.shape[0]
        preds = (torch.sigmoid(logits) > 0.5).float()
        tp += (preds * masks).sum().item()
        size += (preds.sum() + masks.sum()).item()
        for i, pred in zip(indices.tolist(), preds):
            predictions[i] = pred[0].cpu().numpy()
    dice = 2 * tp / size if size > 0 else 1.0
    return loss_sum / seen, dice, predictions
