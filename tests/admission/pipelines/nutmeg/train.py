import torch
from monai.losses import DiceCELoss
from monai.metrics import DiceMetric

from dataset import batches

criterion = DiceCELoss(sigmoid=True, lambda_dice=1.0, lambda_ce=1.0)


def train_epoch(model, optimizer, cases, cfg, device):
    model.train()
    total = 0.0
    for _, images, masks in batches(cases, cfg, training=True):
        images, masks = images.to(device), masks.to(device)
        optimizer.zero_grad()
        loss = criterion(model(images), masks)
        loss.backward()
        optimizer.step()
        total += loss.item() * images.shape[0]
    return total / len(cases)


@torch.no_grad()
def evaluate(model, cases, cfg, device):
    model.eval()
    metric = DiceMetric(include_background=True, reduction="mean", ignore_empty=False)
    total, outputs = 0.0, {}
    for names, images, masks in batches(cases, cfg):
        images, masks = images.to(device), masks.to(device)
        logits = model(images)
        total += criterion(logits, masks).item() * images.shape[0]
        preds = (torch.sigmoid(logits) > 0.5).float()
        metric(y_pred=preds, y=masks)
        outputs.update({name: pred[0].cpu().numpy() for name, pred in zip(names, preds)})
    return total / len(cases), metric.aggregate().item(), outputs
