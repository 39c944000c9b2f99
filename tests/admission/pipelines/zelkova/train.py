import torch
import torch.nn as nn
import torch.nn.functional as F


class DiceCELoss(nn.Module):
    def __init__(self, dice_weight=0.6, ce_weight=0.4, eps=1e-5):
        super().__init__()
        self.dice_weight = dice_weight
        self.ce_weight = ce_weight
        self.eps = eps

    def forward(self, logits, target):
        prob = torch.sigmoid(logits).flatten(1)
        flat = target.flatten(1)
        dice = (2 * (prob * flat).sum(1) + self.eps) / (prob.sum(1) + flat.sum(1) + self.eps)
        ce = F.binary_cross_entropy_with_logits(logits, target)
        return self.dice_weight * (1 - dice.mean()) + self.ce_weight * ce


def logits_to_mask(logits):
    probs = torch.softmax(logits, dim=1)
    return (probs > 0.5).float()


def dice_and_iou(pred, target, eps=1e-7):
    pred, target = pred.flatten(1), target.flatten(1)
    inter = (pred * target).sum(1)
    total = pred.sum(1) + target.sum(1)
    return (2 * inter + eps) / (total + eps), (inter + eps) / (total - inter + eps)


def train_step(model, loader, criterion, optimizer, device):
    model.train()
    loss_sum = 0.0
    for images, masks, _ in loader:
        images, masks = images.to(device), masks.to(device)
        optimizer.zero_grad()
        loss = criterion(model(images), masks)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * images.size(0)
    return loss_sum / len(loader.dataset)


@torch.no_grad()
def evaluate(model, loader, criterion, device):
    model.eval()
    loss_sum, dices, ious, predictions = 0.0, [], [], {}
    for images, masks, ids in loader:
        images, masks = images.to(device), masks.to(device)
        logits = model(images)
        loss_sum += criterion(logits, masks).item() * images.size(0)
        preds = logits_to_mask(logits)
        dice, iou = dice_and_iou(preds, masks)
        dices += dice.tolist()
        ious += iou.tolist()
        for case_id, pred in zip(ids, preds):
            predictions[case_id] = pred.squeeze(0).cpu().numpy()
    n = len(loader.dataset)
    return {"loss": loss_sum / n, "dice": sum(dices) / n, "iou": sum(ious) / n}, predictions
