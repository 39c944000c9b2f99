"""Loops, made by functions that keep what they need."""
import torch
import torch.nn.functional as F
from tqdm import tqdm


def weighted_bce(z, y):
    """The foreground counts four times."""
    return F.binary_cross_entropy_with_logits(z, y, pos_weight=z.new_tensor(4.0))


def hard_dice(z, y):
    guess = torch.sigmoid(z) >= 0.5
    truth = y > 0.5
    both = (guess & truth).flatten(1).sum(1)
    size = guess.flatten(1).sum(1) + truth.flatten(1).sum(1)
    return torch.where(size > 0, 2 * both / size.clamp(min=1), torch.ones_like(size, dtype=torch.float)).mean().item()


def make_training(net, opt, device):
    def training(loader, epoch):
        net.train()
        summed, images = 0.0, 0
        for x, y in tqdm(loader, desc=f"training {epoch}"):
            opt.zero_grad()
            loss = weighted_bce(net(x.to(device)), y.to(device))
            loss.backward()
            opt.step()
            summed += float(loss) * len(x)
            images += len(x)
        return summed / images

    return training


def make_validation(net, device):
    @torch.no_grad()
    def validation(loader, epoch):
        net.eval()
        summed, images, dices = 0.0, 0, []
        for x, y in tqdm(loader, desc=f"validation {epoch}"):
            z, y = net(x.to(device)), y.to(device)
            summed += float(weighted_bce(z, y)) * len(x)
            images += len(x)
            dices.append(hard_dice(z, y))
        return summed / images, dices

    return validation


def make_testing(net, device):
    @torch.no_grad()
    def testing(loader):
        net.eval()
        return [hard_dice(net(x.to(device)), y.to(device)) for x, y in tqdm(loader, desc="testing")]

    return testing
