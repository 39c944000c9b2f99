import torch
from monai.losses import DiceLoss

bce_loss = torch.nn.BCEWithLogitsLoss()
dice_loss = DiceLoss(sigmoid=True, smooth_nr=1e-5, smooth_dr=1e-5)


def compute(model, images, masks):
    """Forward pass; returns the combined loss and the foreground probabilities."""
    logits = model(images)
    probs = torch.sigmoid(logits)
    loss = 0.5 * bce_loss(logits, masks) + 0.5 * dice_loss(probs, masks)
    return loss, probs


def dice_per_case(probs, masks, threshold=0.5, eps=1e-6):
    preds = (probs > threshold).float()
    inter = (preds * masks).sum(dim=(1, 2, 3))
    return (2 * inter + eps) / (preds.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3)) + eps)


def run_epoch(model, loader, device, optimizer=None):
    training = optimizer is not None
    model.train(training)
    losses, scores, outputs = [], [], {}
    with torch.set_grad_enabled(training):
        for images, masks, names in loader:
            images, masks = images.to(device), masks.to(device)
            loss, probs = compute(model, images, masks)
            if training:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            else:
                for name, p in zip(names, probs):
                    outputs[name] = (p[0] > 0.5).cpu().numpy()
            losses += [loss.item()] * images.size(0)
            scores += dice_per_case(probs.detach(), masks).tolist()
    return sum(losses) / len(losses), sum(scores) / len(scores), outputs
