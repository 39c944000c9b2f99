"""Functions for one pass, and for the loss."""
import torch
from torch import nn
from tqdm import trange

bce = nn.BCEWithLogitsLoss()


def soft_iou(logits, y, s=1.0):
    p = torch.sigmoid(logits)
    inter = (p * y).sum(dim=(1, 2, 3))
    union = p.sum(dim=(1, 2, 3)) + y.sum(dim=(1, 2, 3)) - inter
    return ((inter + s) / (union + s)).mean()


def objective(logits, y):
    return bce(logits, y) + 1 - soft_iou(logits, y)


def binary_dice(logits, y):
    p = (torch.sigmoid(logits) > 0.5).float()
    inter = (p * y).sum(dim=(1, 2, 3))
    size = (p + y).sum(dim=(1, 2, 3))
    return ((2 * inter + 1e-6) / (size + 1e-6)).mean().item()


def train(net, loader, opt, device):
    net.train()
    total = n = 0
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        opt.zero_grad()
        out = objective(net(x), y)
        out.backward()
        opt.step()
        total += out.item() * len(x)
        n += len(x)
    return total / n


@torch.no_grad()
def validate(net, loader, device):
    net.eval()
    total = n = 0
    dice = []
    for x, y in loader:
        x, y = x.to(device), y.to(device)
        z = net(x)
        total += objective(z, y).item() * len(x)
        n += len(x)
        dice.append(binary_dice(z, y))
    return total / n, dice


@torch.no_grad()
def test(net, loader, device):
    net.eval()
    return [binary_dice(net(x.to(device)), y.to(device)) for x, y in loader]


def learn(net, loaders, opt, sched, epochs, device, checkpoint):
    lowest = float("inf")
    curves = ([], [], [])
    bar = trange(epochs, desc="epochs: training and validation")
    for _ in bar:
        t = train(net, loaders["train"], opt, device)
        v, d = validate(net, loaders["valid"], device)
        sched.step(v)
        for curve, value in zip(curves, (t, v, d)):
            curve.append(value)
        if v < lowest:
            lowest = v
            torch.save(net.state_dict(), checkpoint)
        bar.set_postfix(train=t, valid=v)
    net.load_state_dict(torch.load(checkpoint, weights_only=True))
    return curves
