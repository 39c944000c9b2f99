import torch
import torch.nn.functional as F


def loss_function(logits, mask):
    p = logits.sigmoid()
    axes = (1, 2, 3)
    dice = (2 * (p * mask).sum(axes) + 1) / (p.sum(axes) + mask.sum(axes) + 1)
    return 0.3 * F.binary_cross_entropy_with_logits(logits, mask) + 0.7 * (1 - dice.mean())


def train_epoch(net, averaged, loader, optimizer, device):
    net.train()
    total = n = 0
    for _, image, mask in loader:
        image, mask = image.to(device), mask.to(device)
        optimizer.zero_grad()
        loss = loss_function(net(image), mask)
        loss.backward()
        optimizer.step()
        averaged.update_parameters(net)
        total += loss.item() * len(image)
        n += len(image)
    return total / n


def predict(net, image):
    """Probability, averaged over the image and its mirror images."""
    total = net(image).sigmoid()
    for dims in ((-1,), (-2,), (-1, -2)):
        total = total + net(image.flip(dims)).sigmoid().flip(dims)
    return total / 4


@torch.no_grad()
def evaluate(net, loader, device):
    net.eval()
    rows, found = [], {}
    for names, image, mask in loader:
        image, mask = image.to(device), mask.to(device)
        logits, probability = net(image), predict(net, image)
        for k, name in enumerate(names):
            p, t = probability[k] >= 0.5, mask[k] >= 0.5
            inter, both = (p & t).sum().item(), p.sum().item() + t.sum().item()
            rows.append({"name": name, "loss": loss_function(logits[k:k + 1], mask[k:k + 1]).item(),
                         "dice": 2 * inter / both if both else 1.0})
            found[name] = p[0].cpu().numpy()
    return rows, found
