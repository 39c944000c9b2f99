import numpy as np
import torch
import torch.nn.functional as F


def weighted_bce(logits, target, positive_weight):
    return F.binary_cross_entropy_with_logits(logits, target, pos_weight=torch.tensor(positive_weight, device=logits.device))


def run_epoch(net, cache, optimizer, scheduler, batch_size, rng, device):
    net.train()
    order = rng.permutation(len(cache))
    total = 0.0
    for start in range(0, len(order), batch_size):
        chunk = order[start:start + batch_size]
        pairs = [cache.sample(i, rng) for i in chunk]
        x = torch.tensor(np.stack([p[0] for p in pairs]), dtype=torch.float32, device=device)
        y = torch.tensor(np.stack([p[1] for p in pairs]), dtype=torch.float32, device=device)
        loss = weighted_bce(net(x), y, cache.positive_weight)
        for p in net.parameters():
            p.grad = None
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item() * len(chunk)
    return total / len(order)


def dice(pred, truth):
    both = np.logical_and(pred, truth).sum()
    size = pred.sum() + truth.sum()
    return 1.0 if size == 0 else 2.0 * both / size


def score(net, part, positive_weight, device):
    """Loss and Dice of each case, one after the other."""
    net.eval()
    result = []
    with torch.inference_mode():
        for name, x, y in part:
            x = torch.tensor(x[None], dtype=torch.float32, device=device)
            target = torch.tensor(y[None], dtype=torch.float32, device=device)
            logits = net(x)
            loss = weighted_bce(logits, target, positive_weight).item()
            pred = logits[0, 0].cpu().numpy() > 0
            result.append((name, loss, dice(pred, y[0] > 0.5), pred))
    return result
