"""Pure functions for the passes over the data."""
import copy

import torch
from tqdm import tqdm

SUM = (1, 2, 3)


def tversky_loss(logits, target, alpha=0.4, beta=0.6, eps=1.0):
    p = logits.sigmoid()
    tp = (p * target).sum(SUM)
    fp = (p * (1 - target)).sum(SUM)
    fn = ((1 - p) * target).sum(SUM)
    return (1 - (tp + eps) / (tp + alpha * fp + beta * fn + eps)).mean()


def dice(logits, target, eps=1e-6):
    # logit 0 is probability 0.5
    p = (logits > 0).to(target.dtype)
    return (2 * (p * target).sum(SUM) + eps) / (p.sum(SUM) + target.sum(SUM) + eps)


def train_pass(model, stream, optimizer, device, text):
    model.train()
    total, seen = 0.0, 0
    for x, y in tqdm(stream, desc=text):
        x, y = x.to(device), y.to(device)
        loss = tversky_loss(model(x), y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        total, seen = total + loss.item() * len(x), seen + len(x)
    return total / seen


def eval_pass(model, stream, device, text):
    model.eval()
    total, seen, scores = 0.0, 0, []
    with torch.inference_mode():
        for x, y in tqdm(stream, desc=text):
            x, y = x.to(device), y.to(device)
            logits = model(x)
            total, seen = total + tversky_loss(logits, y).item() * len(x), seen + len(x)
            scores.append(dice(logits, y).mean().item())
    return total / seen, scores


def fit(model, train_stream, val_stream, optimizer, scheduler, epochs, device):
    """train_stream and val_stream are functions that return a fresh generator. Ends with the best weights loaded."""
    log = {"train": [], "val": [], "dice": []}
    best_loss, best_weights = float("inf"), None
    for epoch in range(1, epochs + 1):
        log["train"].append(train_pass(model, train_stream(), optimizer, device, f"[{epoch}] training"))
        val_loss, scores = eval_pass(model, val_stream(), device, f"[{epoch}] validation")
        scheduler.step()
        log["val"].append(val_loss)
        log["dice"].append(scores)
        if val_loss < best_loss:
            best_loss, best_weights = val_loss, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_weights)
    return log


def test(model, stream, device):
    return eval_pass(model, stream, device, "test")[1]
