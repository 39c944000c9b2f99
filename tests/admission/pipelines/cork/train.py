import torch
from torch.nn import functional as F


def focal_loss(logits, masks, alpha=0.75, gamma=2.0):
    ce = F.binary_cross_entropy_with_logits(logits, masks, reduction="none")
    p = torch.sigmoid(logits)
    pt = p * masks + (1 - p) * (1 - masks)
    weight = alpha * masks + (1 - alpha) * (1 - masks)
    return (weight * (1 - pt) ** gamma * ce).mean()


def dice_loss(logits, masks, smooth=1.0):
    p = torch.sigmoid(logits)
    inter = (p * masks).sum(dim=(1, 2, 3))
    size = p.sum(dim=(1, 2, 3)) + masks.sum(dim=(1, 2, 3))
    return 1 - ((2 * inter + smooth) / (size + smooth)).mean()


def segmentation_loss(logits, masks):
    return focal_loss(logits, masks) + dice_loss(logits, masks)


def foreground_mask(logits, threshold=0.5):
    # the foreground is the last channel of the network
    probabilities = torch.softmax(logits, dim=1)[:, -1]
    return probabilities > threshold


def fit_epoch(net, loader, optimizer, device):
    net.train()
    loss_sum, count = 0.0, 0
    for images, masks, _ in loader:
        images, masks = images.to(device), masks.to(device)
        loss = segmentation_loss(net(images), masks)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss_sum += float(loss.detach()) * len(images)
        count += len(images)
    return loss_sum / count


@torch.inference_mode()
def score(net, loader, device, keep=None):
    net.eval()
    loss_sum, dice_sum, iou_sum, count = 0.0, 0.0, 0.0, 0
    for images, masks, names in loader:
        images, masks = images.to(device), masks.to(device)
        logits = net(images)
        loss_sum += float(segmentation_loss(logits, masks)) * len(images)
        found = foreground_mask(logits)
        truth = masks[:, 0] > 0.5
        for f, t, name in zip(found, truth, names):
            inter = (f & t).sum().item()
            total = f.sum().item() + t.sum().item()
            dice_sum += (2 * inter + 1e-6) / (total + 1e-6)
            iou_sum += (inter + 1e-6) / (total - inter + 1e-6)
            if keep is not None:
                keep[name] = f.cpu().numpy()
        count += len(images)
    return loss_sum / count, dice_sum / count, iou_sum / count
