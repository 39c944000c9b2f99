from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from llmseg import zoo
from llmseg.recipe import Net, Recipe

MODULES: dict[str, Callable[[int], nn.Module]] = {}


@dataclass(frozen=True, kw_only=True)
class DrawnNet(Net):
    """A network from outside the package, of which a recipe says nothing but its name."""

    name: str
    output: Literal["logits"] = "logits"

    def build(self, in_channels: int) -> nn.Module:
        return MODULES[self.name](in_channels)


def conv(inside: int, out: int, **options: int) -> nn.Module:
    return nn.Conv2d(inside, out, kernel_size=3, padding=1, **options)


class Functional(nn.Module):
    """A module with layers by name, and a function that uses them."""

    def __init__(self, forward: Callable[[Functional, Tensor], Tensor], **layers: nn.Module) -> None:
        super().__init__()
        self.work = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x: Tensor) -> Tensor:
        return self.work(self, x)


def small_u(net, x: Tensor) -> Tensor:
    a = net.a(x).relu()
    b = net.b(functional.avg_pool2d(a, 2)).relu()
    return net.d(torch.cat([a, net.u(b)], 1)).relu()


def u_layers(inside: int) -> dict[str, nn.Module]:
    return {"a": conv(inside, 16), "b": conv(16, 32), "u": nn.ConvTranspose2d(32, 16, 2, 2), "d": conv(32, 16)}


def attention(net, x: Tensor) -> Tensor:
    words = net.cut(x).flatten(2).transpose(1, 2)
    words = net.attend(words)
    return functional.interpolate(
        net.head(words.transpose(1, 2).reshape(1, 32, 16, 16)), scale_factor=4, mode="bilinear"
    )


def cropped(net, x: Tensor) -> Tensor:
    a = net.a(x)
    b = net.b(functional.max_pool2d(a, 4))
    b = net.u(b)
    return net.d(torch.cat([b, a[..., 1:33, 1:33]], 1))


def looking(net, x: Tensor) -> Tensor:
    return net.a(x * 0 if x.mean() > 1 else x)


def weighted(net, x: Tensor) -> Tensor:
    x = net.a(x)
    x = x * net.c(net.b(functional.adaptive_avg_pool2d(x, 1)).relu()).sigmoid()
    return net.d(x)


MODULES |= {
    "plain": lambda c: nn.Sequential(conv(c, 16), nn.ReLU(), conv(16, 1)),
    "two-us": lambda c: nn.Sequential(
        Functional(small_u, **u_layers(c)), Functional(small_u, **u_layers(16)), conv(16, 1)
    ),
    "attention": lambda c: Functional(
        attention,
        cut=nn.Conv2d(c, 32, 4, 4),
        attend=nn.TransformerEncoderLayer(32, 4, 64, batch_first=True),
        head=nn.Conv2d(32, 1, 1),
    ),
    "cropped": lambda c: Functional(
        cropped, a=conv(c, 8), b=conv(8, 8), u=nn.ConvTranspose2d(8, 8, 2, 2), d=conv(16, 1)
    ),
    "looking": lambda c: Functional(looking, a=conv(c, 1)),
    "weighted": lambda c: Functional(weighted, a=conv(c, 8), b=nn.Conv2d(8, 2, 1), c=nn.Conv2d(2, 8, 1), d=conv(8, 1)),
    "listing": lambda c: Functional(lambda net, x: [net.a(x)], a=conv(c, 1)),
    "too-large": lambda c: nn.Conv2d(c, 1, kernel_size=99),
}


@pytest.fixture(scope="session")
def foreign() -> Callable[[str], Recipe]:
    """A function that gives a recipe of 64 x 64 pixels with a network from outside the package."""
    base = zoo.TEXTBOOK.change("images.size", (64, 64))
    return lambda name: replace(base, net=DrawnNet(name=name))
