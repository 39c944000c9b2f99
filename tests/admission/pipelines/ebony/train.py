import torch
import torch.nn.functional as F
from tqdm import tqdm


def loss_function(logits, y):
    """Mean of binary cross entropy and Dice loss."""
    p = torch.sigmoid(logits)
    num = 2 * (p * y).sum(dim=(2, 3)) + 1e-5
    den = p.sum(dim=(2, 3)) + y.sum(dim=(2, 3)) + 1e-5
    return 0.5 * F.binary_cross_entropy_with_logits(logits, y) + 0.5 * (1 - num / den).mean()


def dice_of_batch(logits, y):
    p = torch.sigmoid(logits).gt(0.5).float()
    num = 2 * (p * y).sum(dim=(1, 2, 3)) + 1e-5
    den = p.sum(dim=(1, 2, 3)) + y.sum(dim=(1, 2, 3)) + 1e-5
    return float((num / den).mean())


def run_training(net, loader, optimizer, device, epoch, epochs):
    net.train()
    s = 0.
    n = 0
    with tqdm(loader, desc=f'Training {epoch}/{epochs}', unit='batch') as bar:
        for x, y in bar:
            x, y = x.to(device), y.to(device)
            optimizer.zero_grad()
            l = loss_function(net(x), y)
            l.backward()
            optimizer.step()
            s += l.item() * x.size(0)
            n += x.size(0)
            bar.set_postfix(loss=s / n)
    return s / n


def run_validation(net, loader, device, epoch, epochs):
    net.eval()
    s = 0.
    n = 0
    dice = []
    with torch.no_grad():
        for x, y in tqdm(loader, desc=f'Validation {epoch}/{epochs}', unit='batch'):
            x, y = x.to(device), y.to(device)
            z = net(x)
            s += loss_function(z, y).item() * x.size(0)
            n += x.size(0)
            dice.append(dice_of_batch(z, y))
    return s / n, dice


def run_test(net, loader, device):
    net.eval()
    dice = []
    with torch.no_grad():
        for x, y in tqdm(loader, desc='Test', unit='batch'):
            dice.append(dice_of_batch(net(x.to(device)), y.to(device)))
    return dice
