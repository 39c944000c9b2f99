"""Training as a generator: `for row in epochs_of(...)` gives one row per epoch."""
import torch
from torch import nn
from tqdm import tqdm

bce = nn.BCELoss()


def criterion(p, y):
    """Cross entropy and Dice loss of probabilities."""
    inter = 2 * (p * y).flatten(1).sum(1) + 1
    union = (p + y).flatten(1).sum(1) + 1
    return bce(p, y) + (1 - inter / union).mean()


def score(p, y):
    """Dice of each image of a batch."""
    hit = (p > 0.5) & (y > 0.5)
    size = (p > 0.5).flatten(1).sum(1) + (y > 0.5).flatten(1).sum(1)
    return [2 * h / s if s else 1.0 for h, s in zip(hit.flatten(1).sum(1).tolist(), size.tolist())]


def one_pass(net, loader, device, text, opt=None):
    """Train if an optimizer is given, else only look."""
    net.train(opt is not None)
    losses, counts, dices = [], [], []
    with torch.set_grad_enabled(opt is not None):
        for x, y in tqdm(loader, desc=text):
            x, y = x.to(device), y.to(device)
            p = net(x)
            loss = criterion(p, y)
            if opt is not None:
                opt.zero_grad()
                loss.backward()
                opt.step()
            losses.append(loss.item() * len(x))
            counts.append(len(x))
            per_image = score(p, y)
            dices.append(sum(per_image) / len(per_image))
    return sum(losses) / sum(counts), dices


def train(net, loader, opt, device, epoch):
    return one_pass(net, loader, device, f"epoch {epoch} train", opt)[0]


def validate(net, loader, device, epoch):
    return one_pass(net, loader, device, f"epoch {epoch} validation")


def test(net, loader, device):
    return one_pass(net, loader, device, "test")[1]


def epochs_of(net, loaders, opt, plateau, device, epochs, patience, file):
    """Yield (train loss, validation loss, validation dices) until the validation loss has not fallen for a while."""
    lowest, since = None, 0
    for epoch in range(1, epochs + 1):
        t = train(net, loaders[0], opt, device, epoch)
        v, d = validate(net, loaders[1], device, epoch)
        plateau.step(v)
        yield t, v, d
        if lowest is None or v < lowest:
            lowest, since = v, 0
            torch.save(net.state_dict(), file)
        else:
            since += 1
        if since >= patience:
            print("stopped early in epoch", epoch)
            return
