import torch
import torch.nn.functional as F


def lovasz_hinge(logits, masks):
    """Lovasz hinge of each case, averaged (Berman et al. 2018)."""
    losses = []
    for logit, mask in zip(logits.flatten(1), masks.flatten(1)):
        errors = 1.0 - logit * (2.0 * mask - 1.0)
        errors, order = torch.sort(errors, descending=True)
        truth = mask[order]
        inter = truth.sum() - truth.cumsum(0)
        union = truth.sum() + (1.0 - truth).cumsum(0)
        jaccard = 1.0 - inter / union
        grad = torch.cat((jaccard[:1], jaccard[1:] - jaccard[:-1]))
        losses.append(torch.dot(F.relu(errors), grad))
    return torch.stack(losses).mean()


def objective(logits, masks):
    logits = logits.float()
    return 0.5 * F.binary_cross_entropy_with_logits(logits, masks) + 0.5 * lovasz_hinge(logits, masks)


class Engine:
    def __init__(self, net, optimizer, device):
        self.net, self.optimizer, self.device = net, optimizer, device
        self.half = device.type == "cuda"
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.half)

    def _forward(self, images):
        with torch.autocast(self.device.type, dtype=torch.float16 if self.half else torch.bfloat16, enabled=self.half):
            return self.net(torch.from_numpy(images).to(self.device))

    def train(self, batches):
        self.net.train()
        total, cases = 0.0, 0
        for _, images, masks in batches:
            masks = torch.from_numpy(masks).to(self.device)
            loss = objective(self._forward(images), masks)
            self.optimizer.zero_grad()
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimizer)
            self.scaler.update()
            total += loss.item() * len(masks)
            cases += len(masks)
        return total / cases

    @torch.no_grad()
    def score(self, batches):
        self.net.eval()
        total, dices, predictions = 0.0, {}, {}
        for names, images, masks in batches:
            masks = torch.from_numpy(masks).to(self.device)
            logits = self._forward(images)
            total += objective(logits, masks).item() * len(masks)
            for name, logit, mask in zip(names, logits, masks):
                prediction = logit > 0
                union = prediction.sum() + mask.sum()
                dices[name] = float(2 * (prediction * mask).sum() / union) if union > 0 else 1.0
                predictions[name] = prediction[0].cpu().numpy()
        return total / len(dices), dices, predictions
