import numpy as np
import torch

from dataset import augment_batch


def soft_dice_loss(prob, target, smooth=1.0):
    axes = (1, 2, 3)
    inter = (prob * target).sum(axes)
    dice = (2 * inter + smooth) / ((prob ** 2).sum(axes) + (target ** 2).sum(axes) + smooth)
    return (1 - dice).mean()


def iterate(images, masks, batch_size, seed=None):
    order = np.arange(len(images))
    if seed is not None:
        np.random.RandomState(seed).shuffle(order)
    for start in range(0, len(order), batch_size):
        idx = order[start:start + batch_size]
        yield images[idx], masks[idx]


def train_epoch(model, optimizer, data, config, rng, device):
    model.train()
    losses, weights = [], []
    for x, y in iterate(*data, config["batch_size"], seed=config["seed"]):
        x, y = augment_batch(x, y, rng)
        x, y = torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)
        optimizer.zero_grad()
        loss = soft_dice_loss(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        weights.append(len(x))
    return float(np.average(losses, weights=weights))


def case_scores(pred, truth):
    tp = float(np.logical_and(pred, truth).sum())
    fp = float(np.logical_and(pred, ~truth).sum())
    fn = float(np.logical_and(~pred, truth).sum())
    dice = (2 * tp + 1e-6) / (2 * tp + fp + fn + 1e-6)
    iou = (tp + 1e-6) / (tp + fp + fn + 1e-6)
    sensitivity = (tp + 1e-6) / (tp + fn + 1e-6)
    return dice, iou, sensitivity


@torch.no_grad()
def evaluate(model, data, config, device):
    model.eval()
    losses, weights, preds, scores = [], [], [], []
    for x, y in iterate(*data, config["batch_size"]):
        prob = model(torch.from_numpy(x).to(device))
        losses.append(soft_dice_loss(prob, torch.from_numpy(y).to(device)).item())
        weights.append(len(x))
        hard = (prob > 0.5).cpu().numpy()[:, 0]
        preds.extend(hard)
        scores.extend(case_scores(p, t[0] > 0.5) for p, t in zip(hard, y))
    loss = float(np.average(losses, weights=weights))
    dice, iou, sensitivity = (float(v) for v in np.mean(scores, axis=0))
    return {"loss": loss, "dice": dice, "iou": iou, "sensitivity": sensitivity}, preds
