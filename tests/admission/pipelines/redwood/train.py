import copy

import torch
import torch.nn.functional as F


def dice_bce(logits, target, smooth=1.0):
    bce = F.binary_cross_entropy_with_logits(logits, target)
    p = torch.sigmoid(logits).flatten(1)
    t = target.flatten(1)
    dice = (2 * (p * t).sum(1) + smooth) / (p.sum(1) + t.sum(1) + smooth)
    return bce + (1 - dice).mean()


def hard_dice(prob, target, eps=1e-7):
    p = (prob >= 0.5).float().flatten(1)
    t = target.flatten(1)
    return (2 * (p * t).sum(1) + eps) / (p.sum(1) + t.sum(1) + eps)


class EarlyStopping:
    def __init__(self, patience):
        self.patience = patience
        self.best = None
        self.state = None
        self.waited = 0

    def update(self, score, model):
        if self.best is None or score > self.best:
            self.best = score
            self.state = copy.deepcopy(model.state_dict())
            self.waited = 0
        else:
            self.waited += 1
        return self.waited >= self.patience


def train_epoch(model, loader, optimizer, device, accumulate):
    """Gradients of `accumulate` batches are summed before each step, every case has the same weight."""
    model.train()
    loss_sum, seen = 0.0, 0
    n_batches = len(loader)
    n_cases = len(loader.dataset)
    optimizer.zero_grad(set_to_none=True)
    group_size = accumulate * loader.batch_size
    for i, batch in enumerate(loader):
        image, mask = batch["image"].to(device), batch["mask"].to(device)
        loss = dice_bce(model(image), mask)
        start = (i // accumulate) * group_size
        in_group = min(group_size, n_cases - start)
        (loss * image.size(0) / in_group).backward()
        if (i + 1) % accumulate == 0 or i + 1 == n_batches:
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        loss_sum += loss.item() * image.size(0)
        seen += image.size(0)
    return loss_sum / seen


@torch.no_grad()
def validate(model, loader, device):
    model.eval()
    losses, scores = [], []
    for batch in loader:
        image, mask = batch["image"].to(device), batch["mask"].to(device)
        logits = model(image)
        losses.extend([dice_bce(logits[k:k + 1], mask[k:k + 1]).item() for k in range(len(image))])
        scores.extend(hard_dice(torch.sigmoid(logits), mask).tolist())
    return sum(losses) / len(losses), sum(scores) / len(scores)


@torch.no_grad()
def predict_tta(model, image):
    """Mean probability over the image and its mirrored versions."""
    model.eval()
    prob = torch.sigmoid(model(image))
    for dims in ((3,), (2,), (2, 3)):
        prob = prob + torch.flip(torch.sigmoid(model(torch.flip(image, dims))), dims)
    return prob / 4
