import math

import torch


def warmup_cosine(optimizer, warmup, total):
    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        progress = (step - warmup) / max(1, total - warmup)
        return 0.5 * (1.0 + math.cos(math.pi * min(1.0, progress)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def train(model, loader, criterion, optimizer, scheduler, device, accumulate):
    model.train()
    total, cases = 0.0, 0
    optimizer.zero_grad()
    for step, (image, mask, _) in enumerate(loader):
        image, mask = image.to(device), mask.to(device)
        loss = criterion(model(image), mask)
        total += loss.item() * len(image)
        cases += len(image)

        # the last group of an epoch may be smaller than the others
        first = step - step % accumulate
        group = min(accumulate, len(loader) - first)
        (loss / group).backward()
        if step + 1 == first + group:
            optimizer.step()
            optimizer.zero_grad()
            scheduler.step()
    return total / cases


def dice(prediction, mask):
    inter = (prediction * mask).sum().item()
    size = prediction.sum().item() + mask.sum().item()
    return 1.0 if size == 0 else 2.0 * inter / size


def test(model, loader, criterion, device):
    model.eval()
    total, cases, scores, predictions = 0.0, 0, {}, {}
    with torch.no_grad():
        for image, mask, names in loader:
            image, mask = image.to(device), mask.to(device)
            logits = model(image)
            total += criterion(logits, mask).item() * len(image)
            cases += len(image)
            # a logit above zero is a probability above one half
            prediction = (logits > 0).float()
            for k, name in enumerate(names):
                scores[name] = dice(prediction[k], mask[k])
                predictions[name] = prediction[k, 0].cpu().numpy()
    return total / cases, scores, predictions
