"""Cases in groups; downloads in miniature, in the layouts in which they are published, and ways to hand them over."""

from __future__ import annotations

import functools
import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image

from llmseg.data import Case
from llmseg.data.download.tree import File

SIZE = (6, 8)
GREYS = [(255 - index) for index in range(256) for _ in range(3)]


def encode(pixels: np.ndarray, format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **options)
    return buffer.getvalue()


def encode_reversed(mask: np.ndarray) -> bytes:
    image = Image.fromarray(255 - mask)
    image.putpalette(GREYS)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def encode_volume(
    values: np.ndarray, affine: np.ndarray | None = None, *, packed: bool = True, big_endian: bool = False
) -> bytes:
    header = nibabel.Nifti1Header(endianness=">" if big_endian else "<")
    header.set_data_dtype(values.dtype)
    header.set_sform(np.eye(4) if affine is None else affine, "scanner")
    content = nibabel.Nifti1Image(values, None, header).to_bytes()
    return gzip.compress(content, 1) if packed else content


def pack_zip(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return buffer.getvalue()


def pack_tar(files: Mapping[str, bytes], compression: str = "") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as file:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


class Pictures:
    """Random pictures; equal calls in equal order give equal ones."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(0)

    def image(self, format: str = "PNG", colour: bool = True) -> bytes:
        return encode(self.random.integers(0, 256, (*SIZE, 3) if colour else SIZE, dtype=np.uint8), format)

    def inside(self) -> np.ndarray:
        return np.where(self.random.random(SIZE) > 0.5, 255, 0).astype(np.uint8)

    def mask(self, format: str = "PNG") -> bytes:
        return encode(self.inside(), format)


def bagls(draw: Pictures) -> dict[str, bytes]:
    files = {"raw/0.png": draw.image(), "raw/0_seg.png": draw.mask(), "raw/0.mp4": b"video"}
    for part, numbers in {"training": (0, 1, 2, 10), "test": (0, 2, 10)}.items():
        for number in numbers:
            files[f"{part}/{number}.png"] = draw.image()
            files[f"{part}/{number}_seg.png"] = draw.mask()
            meta = {"Video Id": f"{part}{number // 2}", "Camera": None, "Color": ""}
            files[f"{part}/{number}.meta"] = json.dumps(meta).encode()
    return files


def brain(draw: Pictures) -> dict[str, bytes]:
    files = {}
    for kind, name in enumerate(("no", "gl", "me", "pi")):
        for number in (1, 2, 711):
            files[f"image/{kind}/Tr-{name}_{number:04d}.jpg"] = draw.image("JPEG", colour=False)
            files[f"mask/{kind}/Tr-{name}_{number:04d}_m.jpg"] = draw.mask("JPEG")
    return files


def ham10000(draw: Pictures) -> dict[str, bytes]:
    rows = ["lesion_id,image_id,dx,dx_type,age,sex,localization"]
    files = {}
    for number, part, lesion in ((24306, 1, 1), (24307, 1, 1), (24316, 1, 2), (29306, 2, 3)):
        name, mask = f"ISIC_{number:07d}", draw.inside()
        files[f"HAM10000_images_part_{part}/{name}.jpg"] = draw.image("JPEG")
        files[f"HAM10000_segmentations_lesion_tschandl/{name}_segmentation.png"] = (
            encode_reversed(mask) if number == 24316 else encode(mask)
        )
        rows.append(f"HAM_{lesion:07d},{name},nv,histo,50,male,back")
    return {**files, "HAM10000_metadata": "\n".join(rows).encode()}


def umd(draw: Pictures) -> dict[str, bytes]:
    files = {"__MACOSX/UMD/._UMD_221129_001_t2.nii.gz": b"leftover", "UMD/UMD/.DS_Store": b"leftover"}
    for number in (1, 2, 37):
        name = f"UMD_221129_{number:03d}"
        folder = f"UMD/UMD/{name}"
        volume = draw.random.integers(0, 900, (4, 5, 3), dtype=np.int16)
        labels = draw.random.integers(0, 5, (4, 5, 3), dtype=np.int16)
        wanted = {1: f"{name}_seg", 2: f"{name}_seq", 37: "UMD_2221129_037_seg"}[number]
        files[f"{folder}/{name}_01.dcm"] = b"slice"
        files[f"{folder}/{name}_t2.nii.gz"] = encode_volume(volume, np.diag([5, 0.45, 0.45, 1]))
        files[f"{folder}/{wanted}.nii.gz"] = encode_volume(labels, packed=number != 2)
        files[f"{folder}/._{name}_t2.nii.gz"] = b"leftover"
    return files


def retina(draw: Pictures) -> dict[str, bytes]:
    files = {"Unlabeled_test/images/01_DRIVE.tif": draw.image("TIFF")}
    for name in ("04_h_HRF", "11_g_HRF", "35_DRIVE"):
        files[f"Training/Images/{name}.jpg"] = draw.image("JPEG")
        files[f"Training/masks/{name}.tif"] = draw.mask("TIFF")
    for name in ("13_dr_HRF", "33_DRIVE"):
        files[f"Test/images/{name}.jpg"] = draw.image("JPEG")
        files[f"Test/Masks/{name}.tif"] = draw.mask("TIFF")
    return files


def drive(draw: Pictures) -> dict[str, bytes]:
    files = {}
    for number in (21, 22):
        files[f"training/images/{number}_training.tif"] = draw.image("TIFF")
        files[f"training/1st_manual/{number}_manual1.gif"] = draw.mask("GIF")
        files[f"training/mask/{number}_training_mask.gif"] = draw.mask("GIF")
    files["test/images/01_test.tif"] = draw.image("TIFF")
    files["test/mask/01_test_mask.gif"] = draw.mask("GIF")
    return files


def stare(draw: Pictures) -> dict[str, bytes]:
    return {
        "stare-images.tar": pack_tar({f"im000{n}.ppm.gz": gzip.compress(draw.image("PPM")) for n in (1, 2)}),
        "labels-ah.tar": pack_tar({"im0001.ah.ppm.gz": gzip.compress(draw.mask("PPM"))}),
        "labels-vk.tar": pack_tar({f"im000{n}.vk.ppm.gz": gzip.compress(draw.mask("PPM")) for n in (1, 2)}),
    }


def chase_db1(draw: Pictures) -> dict[str, bytes]:
    files = {}
    for eye in ("01L", "01R", "02L"):
        files[f"CHASEDB1/Image_{eye}.jpg"] = draw.image("JPEG")
        files[f"CHASEDB1/Image_{eye}_1stHO.png"] = draw.mask()
        files[f"CHASEDB1/Image_{eye}_2ndHO.png"] = draw.mask()
    return files


def hrf(draw: Pictures) -> dict[str, bytes]:
    files = {}
    for name, extension in (("01_dr", "JPG"), ("01_g", "jpg"), ("01_h", "jpg")):
        files[f"images/{name}.{extension}"] = draw.image("JPEG")
        files[f"manual1/{name}.tif"] = draw.mask("TIFF")
        files[f"mask/{name}_mask.tif"] = draw.mask("TIFF")
    return files


def folder(draw: Pictures) -> dict[str, bytes]:
    files = {f"images/{name}.png": draw.image() for name in "abc"}
    return {**files, **{f"masks/{name}.png": draw.mask() for name in "abc"}}


def nnunet(draw: Pictures) -> dict[str, bytes]:
    files = {"dataset.json": b"{}"}
    for part, name in (("Tr", "x"), ("Tr", "y"), ("Ts", "z")):
        files[f"images{part}/{name}_0000.png"] = draw.image()
        files[f"labels{part}/{name}.png"] = encode(draw.inside() // 255)
    return files


def medsegbench(draw: Pictures) -> dict[str, bytes]:
    arrays = {}
    for part, count in (("train", 3), ("val", 1), ("test", 2)):
        arrays[f"{part}_images"] = draw.random.integers(0, 256, (count, *SIZE, 3), dtype=np.uint8)
        arrays[f"{part}_label"] = draw.random.integers(0, 2, (count, *SIZE), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return {"some_128.npz": buffer.getvalue()}


MAKERS = (bagls, brain, ham10000, umd, retina, drive, stare, chase_db1, hrf, folder, nnunet, medsegbench)


@pytest.fixture(scope="session")
def download() -> Callable[[str], dict[str, bytes]]:
    """A function that gives the files of a dataset in miniature: content by path."""
    makers = {"bolus": folder, **{maker.__name__: maker for maker in MAKERS}}

    @functools.cache
    def made(name: str) -> dict[str, bytes]:
        return makers[name](Pictures())

    return lambda name: dict(made(name))


@pytest.fixture(scope="session")
def write_tree() -> Callable[[Path, Mapping[str, bytes]], Path]:
    """A function that writes files by path into a folder and returns the folder."""

    def write(root: Path, files: Mapping[str, bytes]) -> Path:
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        return root

    return write


@pytest.fixture(scope="session")
def in_memory() -> Callable[[Mapping[str, bytes]], dict[str, File]]:
    """A function that gives files as :func:`open_tree` does, from their contents."""

    def held(files: Mapping[str, bytes]) -> dict[str, File]:
        seen = sorted(path for path in files if "__MACOSX" not in path and "/." not in path)
        return {path: File(path, len(files[path]), functools.partial(files.__getitem__, path)) for path in seen}

    return held


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    """A function that encodes pixels as a PNG file, or another format."""
    return encode


@pytest.fixture(scope="session")
def reversed_png() -> Callable[[np.ndarray], bytes]:
    """A function that encodes a mask as a PNG file whose palette begins with white."""
    return encode_reversed


@pytest.fixture(scope="session")
def nifti() -> Callable[..., bytes]:
    """A function that encodes an array as a NIfTI file."""
    return encode_volume


@pytest.fixture(scope="session")
def zipped() -> Callable[[Mapping[str, bytes]], bytes]:
    """A function that packs files as a zip archive."""
    return pack_zip


@pytest.fixture(scope="session")
def tarred() -> Callable[..., bytes]:
    """A function that packs files as a tar archive, ``gz``, ``bz2``, ``xz`` or plain."""
    return pack_tar


@dataclass(frozen=True)
class Grouped:
    """Cases with given groups, images and shares of foreground."""

    groups: dict[str, str]
    images: dict[str, int] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)
    name: str = "grouped"
    digest: str = "0" * 64

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self.groups)

    def read(self, id: str) -> Case:
        number = self.images.get(id, self.ids.index(id))
        image = np.frombuffer(number.to_bytes(4, "big"), np.uint8).reshape(2, 2).repeat(5, 0).repeat(5, 1)
        mask = np.zeros((10, 10), np.uint8)
        mask.reshape(-1)[: round(100 * self.shares.get(id, 0.1))] = 255
        return Case(id, image, mask)


@pytest.fixture(scope="session")
def grouped() -> type[Grouped]:
    """A store of cases with given groups, images and shares of foreground."""
    return Grouped


@pytest.fixture(scope="session")
def numbered() -> Callable[..., Grouped]:
    """A function that makes a store of so many cases, with so many in a group."""

    def numbered(count: int, per_group: int = 1) -> Grouped:
        return Grouped({f"{k:04}": f"g{k // per_group:04}" for k in range(count)})

    return numbered
