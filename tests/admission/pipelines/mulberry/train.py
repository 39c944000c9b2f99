import torch
import torch.nn as nn

bce = nn.BCELoss()


def dice_coefficient(prediction, mask, smooth=1e-6):
    prediction = prediction.reshape(prediction.shape[0], -1)
    mask = mask.reshape(mask.shape[0], -1)
    intersection = (prediction * mask).sum(dim=1)
    return (2.0 * intersection + smooth) / (prediction.sum(dim=1) + mask.sum(dim=1) + smooth)


def combined_loss(prediction, mask):
    return bce(prediction, mask) + 1.0 - dice_coefficient(prediction, mask, smooth=1.0).mean()


def run_epoch(model, loader, device, optimizer=None):
    """One pass over a loader; trains if an optimizer is given. Returns mean loss and mean Dice over the cases."""
    training = optimizer is not None
    model.train(training)
    loss_sum = dice_sum = 0.0
    cases = 0
    with torch.set_grad_enabled(training):
        for image, mask in loader:
            image, mask = image.to(device), mask.to(device)
            prediction = model(image)
            loss = combined_loss(prediction, mask)
            if training:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            hard = (prediction.detach() > 0.5).float()
            loss_sum += loss.item() * image.shape[0]
            dice_sum += dice_coefficient(hard, mask).sum().item()
            cases += image.shape[0]
    return loss_sum / cases, dice_sum / cases
