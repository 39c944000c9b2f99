"""Compare, for every network, prediction by the kernels that are chosen on a CPU in float32 with the exact one.

    python benchmarks/inference_masks.py --json FILE
    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python benchmarks/inference_masks.py --json FILE

The second command imitates a processor with AVX2 on one that has more. The networks have fresh weights, statistics of
batch norm from phantoms, and a last layer that is scaled so that logits have the mean 0 and the standard deviation 3.
So half of the pixels are foreground, as sure as after a training, and many lie close to the threshold. A difference in
the mask is a tie if the exact probability is within ``--band`` of one half.
"""

from __future__ import annotations

import argparse
import copy
from pathlib import Path
from typing import Any

import benchmark
import torch
from torch import Tensor, nn
from tqdm import tqdm

import llmseg
from llmseg import zoo
from llmseg.training import EXACT_NUMERICS, Numerics, choose_inference_kernels, choose_numerics

CPU = torch.device("cpu")
SPREAD = 3.0
"""Standard deviation of the logits."""


def main() -> int:
    """Compare, print a line for each network, and write the JSON; 1 if a mask differs beyond ties."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipelines", nargs="+", help="ids; without it, all nineteen")
    parser.add_argument("--size", type=int, default=128, help="pixels")
    parser.add_argument("--images", type=int, default=2, help="phantoms")
    parser.add_argument("--band", type=float, default=1e-4, help="largest difference of a probability")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in tqdm(options.pipelines or zoo.names(), unit="network"):
        rows.append(compare(name, options.size, options.images, options.band))
        tqdm.write(str(rows[-1]))
    if options.json:
        settings = {name: getattr(options, name) for name in ("size", "images", "band")}
        benchmark.write_results(options.json, settings=settings, rows=rows)
    return 0 if all(row["agrees"] for row in rows) else 1


@torch.no_grad()
def compare(name: str, size: int, count: int, band: float) -> dict[str, Any]:
    """Return how far the probabilities of a network are off, and how many pixels of its masks."""
    recipe = zoo.get(name).recipe.change("images.size", (size, size))
    torch.manual_seed(0)
    net = recipe.net.build(recipe.images.channels).train()
    store = llmseg.SyntheticStore("dermoscopy", count=count)
    images = torch.stack([recipe.images.image(store.read(id).image) for id in store.ids])
    net(images)  # batch norm gets statistics
    sharpen(net.eval(), images)
    chosen = choose_inference_kernels(choose_numerics(CPU, "fp32"), net, CPU, [tuple(images.shape[1:])])
    logits = recipe.net.output == "logits"
    exact, found = (predict(net, numerics, images, logits=logits) for numerics in (EXACT_NUMERICS, chosen))
    differ = (exact > 0.5) != (found > 0.5)
    distance = (exact - found).abs().max().item()
    return {
        "pipeline": name,
        "agrees": distance <= band,  # then a mask can differ at ties only
        "layers_by_winograd": len(chosen.winograd),
        "channels_last": chosen.channels_last,
        "largest_difference": distance,
        "foreground": (exact > 0.5).float().mean().item(),
        "pixels": exact.numel(),
        "pixels_within_the_band_of_one_half": int(((exact - 0.5).abs() <= band).sum()),
        "pixels_that_differ": int(differ.sum()),
        "farthest_of_these_from_one_half": (exact - 0.5).abs()[differ].max().item() if differ.any() else None,
    }


def predict(net: nn.Module, numerics: Numerics, images: Tensor, *, logits: bool) -> Tensor:
    """Return the probabilities of images, one image at a time, as a prediction on a CPU does."""
    forward = numerics.build_forward(numerics.place(copy.deepcopy(net), CPU))
    output = torch.cat([forward(image[None]) for image in images])
    return output.sigmoid() if logits else output


def sharpen(net: nn.Module, images: Tensor) -> None:
    """Scale the last convolution so that its output has the mean 0 and a standard deviation of 3."""
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    last = [module for module in net.modules() if isinstance(module, kinds) and module.out_channels == 1][-1]
    outputs: list[Tensor] = []
    hook = last.register_forward_hook(lambda _, __, output: outputs.append(output))
    net(images)
    hook.remove()
    scale = SPREAD / outputs[0].std()
    last.weight.mul_(scale)
    assert last.bias is not None
    last.bias.sub_(outputs[0].mean()).mul_(scale)


if __name__ == "__main__":
    benchmark.run(main)
