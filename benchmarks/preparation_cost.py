"""Measure what it costs to prepare a dataset: time per image, memory and cores, against the number of images.

    python benchmarks/preparation_cost.py --json benchmarks/results/preparation.json
    python benchmarks/preparation_cost.py --cases 100 1000

Writes images of 600x450 pixels as JPEG and their masks as PNG in the layout of HAM10000, then runs
``llmseg data prepare`` in a process of its own and watches its memory. The images are a few phantoms under many names,
so that files of the same bytes are decoded again and again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import benchmark
import numpy as np
import psutil
from PIL import Image

import llmseg

POOL = 16
SIZE = (600, 450)
FIRST = 24306
PACKAGES = ("numpy", "Pillow", "h5py")


def main() -> None:
    """Measure what the command line asks for, print and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, nargs="+", default=[1000, 10000], help="numbers of images")
    parser.add_argument("--folder", type=Path, help="where the images are written for the time being")
    parser.add_argument("--json", type=Path, help="file for the result")
    options = parser.parse_args()
    rows = [measure_cost(count, options.folder) for count in options.cases]
    versions = {"llmseg": llmseg.__version__, **{name: metadata.version(name) for name in PACKAGES}}
    result = {"hardware": llmseg.hardware(), "versions": versions, "size": SIZE, "rows": rows}
    if len(rows) > 1:
        result["memory_ratio"] = rows[-1]["peak_mib"] / rows[0]["peak_mib"]
        result["time_ratio"] = rows[-1]["ms_per_image"] / rows[0]["ms_per_image"]
    print(json.dumps(result, indent=2))
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def measure_cost(count: int, folder: Path | None) -> dict[str, Any]:
    """Prepare so many images, and return time, memory and cores.

    Args:
        count: Number of images.
        folder: Where they are written; ``None`` takes the system's place for temporary files.
    """
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        root = Path(temporary, "download")
        write_download(root, count)
        out = Path(temporary, "store.h5")
        command = [sys.executable, "-m", "llmseg", "data", "prepare", "ham10000", "--quiet"]
        seconds, cpu, peak = watch([*command, "--root", str(root), "--out", str(out)])
        assert len(llmseg.Hdf5Store(out).ids) == count
        return {
            "cases": count,
            "seconds": seconds,
            "ms_per_image": 1000 * seconds / count,
            "cores_used": cpu / seconds,
            "peak_mib": peak / 2**20,
            "store_kib_per_image": out.stat().st_size / 1024 / count,
        }


def write_download(root: Path, count: int) -> None:
    """Write images and masks in the layout of HAM10000."""
    folders = [root / "HAM10000_images_part_1", root / "HAM10000_segmentations_lesion_tschandl"]
    for folder in folders:
        folder.mkdir(parents=True)
    store = llmseg.SyntheticStore("dermoscopy", count=POOL)
    for first, id in enumerate(store.ids):
        case = store.read(id)
        files = [
            (case.image, Image.Resampling.BILINEAR, folders[0], "", ".jpg"),
            (case.mask, Image.Resampling.NEAREST, folders[1], "_segmentation", ".png"),
        ]
        for values, resample, folder, suffix, extension in files:
            names = [folder / f"ISIC_{FIRST + k:07d}{suffix}{extension}" for k in range(first, count, POOL)]
            if names:
                Image.fromarray(np.asarray(values)).resize(SIZE, resample).save(names[0])
                for name in names[1:]:
                    os.link(names[0], name)


def watch(command: Sequence[str]) -> tuple[float, float, int]:
    """Run a command; return its seconds, its seconds of processor, and the most memory it held, in bytes."""
    started = time.perf_counter()
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    peak, cpu = 0, 0.0
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
            times = process.cpu_times()
            cpu = times.user + times.system
        except psutil.Error:
            break
        time.sleep(0.02)
    if process.wait() != 0:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - started, cpu, peak


if __name__ == "__main__":
    benchmark.run(main)
