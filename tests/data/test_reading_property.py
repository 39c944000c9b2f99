"""Files of every kind that people have: the mask that a person sees is the mask that is used, or it is refused or told.

Nothing here asks the library what a file means. A mask is drawn first; then it is stored in some way, turned, put on a
page, named. What a person sees is what was drawn.
"""

from __future__ import annotations

import tempfile
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from PIL import Image

from llmseg import FolderStore, UserError
from llmseg.data.reading import Reading
from llmseg.data.reading_check import examine_reading

HEIGHT, WIDTH = 28, 40
VOC = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
CASES = 3

TURNED_BACK = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.rot90(a),
    7: lambda a: np.swapaxes(a, 0, 1)[::-1, ::-1],
    8: lambda a: np.rot90(a, -1),
}
"""What a camera stored, if viewers, who follow the flag, show the array (EXIF 2.3, 4.6.4)."""


def draw(seed: int) -> np.ndarray:
    """A mask of one or two boxes and a disc, nowhere symmetric, bool."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    mask = (y - rng.integers(7, 11)) ** 2 + (x - rng.integers(8, 15)) ** 2 <= rng.integers(9, 30)
    mask[3 + seed % 5 : 8 + seed % 5, 25:33] = True
    return mask


def palette(mask: np.ndarray, colours: list[int], low: int, high: int) -> Image.Image:
    image = Image.fromarray(np.where(mask, high, low).astype(np.uint8))
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette(colours)
    return image


def ink(mask: np.ndarray, colour: tuple[int, int, int], ground: tuple[int, int, int, int]) -> Image.Image:
    """A drawing with a pen on a ground that may be transparent."""
    pixels = np.empty((*mask.shape, 4), np.uint8)
    pixels[:] = ground
    pixels[mask] = (*colour, 255)
    return Image.fromarray(pixels)


def soften(mask: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(np.where(mask, np.uint8(255), np.uint8(0)), (3, 3), 0)


def levels(low: float, high: float, kind: type) -> object:
    return lambda mask: np.where(mask, high, low).astype(kind)


def two(mask: np.ndarray, first: int, second: int) -> np.ndarray:
    """Two objects with a value each."""
    values = np.where(mask, first, 0).astype(np.uint8)
    values[:, WIDTH // 2 :][mask[:, WIDTH // 2 :]] = second
    return values


@dataclass(frozen=True)
class Stored:
    """How a mask is stored.

    Attributes:
        make: Pixels or picture of a mask.
        extension: Of the file.
        value: What is stored where the mask is.
        exact: Whether the file keeps every pixel.
    """

    make: object
    extension: str = ".png"
    value: int | None = 255
    exact: bool = True


MASKS = {
    "grey": Stored(levels(0, 255, np.uint8)),
    "grey tif": Stored(levels(0, 255, np.uint8), ".tif"),
    "grey bmp": Stored(levels(0, 255, np.uint8), ".bmp"),
    "one bit": Stored(lambda m: Image.fromarray(m), ".png", 255),
    "one bit tif": Stored(lambda m: Image.fromarray(m), ".tif", 255),
    "jpeg": Stored(levels(0, 255, np.uint8), ".jpg", None, exact=False),
    "gif": Stored(levels(0, 255, np.uint8), ".gif", None),
    "soft": Stored(soften, ".png", None, exact=False),
    "label 1": Stored(levels(0, 1, np.uint8), ".png", 1),
    "label 38": Stored(levels(0, 38, np.uint8), ".png", 38),
    "label 128": Stored(levels(0, 128, np.uint8), ".png", 128),
    "label 200": Stored(levels(0, 200, np.uint8), ".png", 200),
    "white on grey": Stored(levels(60, 255, np.uint8), ".png", 255),
    "rgb": Stored(lambda m: np.repeat(levels(0, 255, np.uint8)(m)[..., None], 3, -1)),
    "red": Stored(lambda m: m[..., None] * np.array([255, 0, 0], np.uint8), ".png", 76),
    "yellow": Stored(lambda m: m[..., None] * np.array([255, 255, 0], np.uint8), ".png", None),
    "palette": Stored(lambda m: palette(m, [0, 0, 0, 255, 255, 255], 0, 1), ".png", 1),
    "palette reversed": Stored(lambda m: palette(m, [255, 255, 255, 0, 0, 0], 1, 0), ".png", 0),
    "palette of VOC": Stored(lambda m: palette(m, VOC, 0, 1), ".png", 1),
    "palette of VOC, 3": Stored(lambda m: palette(m, VOC, 0, 3), ".gif", None),
    "opaque alpha": Stored(lambda m: ink(m, (255, 255, 255), (0, 0, 0, 255))),
    "white ink": Stored(lambda m: ink(m, (255, 255, 255), (0, 0, 0, 0))),
    "white ink on white": Stored(lambda m: ink(m, (255, 255, 255), (255, 255, 255, 0)), ".png", None),
    "black ink": Stored(lambda m: ink(m, (0, 0, 0), (0, 0, 0, 0)), ".png", None),
    "red ink": Stored(lambda m: ink(m, (255, 0, 0), (0, 0, 0, 0)), ".png", None),
    "16 bits": Stored(levels(0, 65535, np.uint16), ".png", 65535),
    "16 bits, 255": Stored(levels(0, 255, np.uint16), ".png", 255),
    "16 bits, 4095": Stored(levels(0, 4095, np.uint16), ".tif", 4095),
    "16 bits, 1": Stored(levels(0, 1, np.uint16), ".png", 1),
    "float, 1": Stored(levels(0, 1, np.float32), ".tif", 1),
    "float, 255": Stored(levels(0, 255, np.float32), ".tif", 255),
    "32 bits, 1": Stored(levels(0, 1, np.int32), ".tif", 1),
    "32 bits, -1": Stored(levels(0, -1, np.int32), ".tif", None),
    "16 bit colours": Stored(lambda m: np.repeat(levels(0, 65535, np.uint16)(m)[..., None], 3, -1), ".png", None),
    "16 bit colours, 1": Stored(lambda m: np.repeat(levels(0, 1, np.uint16)(m)[..., None], 3, -1), ".png", 1),
    "objects 1, 2": Stored(lambda m: two(m, 1, 2), ".png", None),
    "objects 100, 200": Stored(lambda m: two(m, 100, 200), ".png", None),
    "objects 128, 255": Stored(lambda m: two(m, 128, 255), ".png", None),
}

IMAGES = {
    "grey": (lambda g: g, ".png", None),
    "colour": (lambda g: np.stack([g, g // 2, g], -1), ".png", None),
    "grey tif": (lambda g: g, ".tif", None),
    "gif": (lambda g: g, ".gif", None),
    "jpeg": (lambda g: g, ".jpg", None),
    "palette": (lambda g: Image.fromarray(g).quantize(16), ".png", None),
    "alpha": (lambda g: np.stack([g, g, g, 255 - g], -1), ".png", None),
    "16 bits": (lambda g: g.astype(np.uint16) * 257, ".png", 16),
    "14 bits": (lambda g: g.astype(np.uint16) * 64, ".tif", 14),
    "12 bits": (lambda g: g.astype(np.uint16) * 16, ".png", 12),
    "8 bits in 16": (lambda g: g.astype(np.uint16), ".png", 8),
    "float, 1": (lambda g: (g / 255).astype(np.float32), ".tif", "unit"),
    "float, 255": (lambda g: g.astype(np.float32), ".tif", 8),
    "CT": (lambda g: g.astype(np.int32) * 8 - 1024, ".tif", "window:-1024,1016"),
    "hot pixel": (lambda g: hot(g.astype(np.uint16) * 16), ".png", "percentiles:0.5,99.5"),
    "colours of 12 bits": (lambda g: np.stack([g, g, g], -1).astype(np.uint16) * 16, ".png", 12),
}

STACKS = (".tif", ".gif")
"""Extensions of files that get several pages here."""

NAMES = {
    "alike": ("case{}", "case{}"),
    "suffix": ("case{}", "case{}_mask"),
    "dots": ("p.{}.a", "p.{}.a"),
    "blanks": ("case {} b", "case {} b"),
    "accents": ("é{}", unicodedata.normalize("NFD", "é{}")),
    "numbers": ("{}", "1{}"),
    "crossed": ("a{}", "b{}"),
}


def hot(values: np.ndarray) -> np.ndarray:
    values[0, 0] = 65535
    return values


def save(pages: list[object], path: Path, flag: int) -> None:
    """Write the pages of a file, or the first where its format takes one."""
    made = pages[0]
    array = None if isinstance(made, Image.Image) else np.asarray(made)
    if array is not None and array.dtype == np.uint16 and array.ndim == 3:
        cv2.imwrite(str(path), array[..., ::-1])  # Pillow writes no colours of 16 bits
        return
    exif = Image.Exif()
    exif[0x0112] = flag
    options = {"exif": exif} if flag != 1 and path.suffix in (".png", ".jpg") else {}
    first, *others = (page if isinstance(page, Image.Image) else Image.fromarray(np.asarray(page)) for page in pages)
    if others and path.suffix in STACKS:
        options |= {"save_all": True, "append_images": others}
    first.save(path, **options)


@dataclass(frozen=True)
class Set:
    """A folder of images and masks, each stored in the same way."""

    mask: str
    image: str
    image_flag: int
    mask_flag: int
    names: str
    seed: int
    said: frozenset[str]
    exif: str | None
    image_pages: int = 1
    mask_pages: int = 1
    pages: str | int | None = None

    @property
    def flags(self) -> tuple[int, int]:
        """The flags that the files can have."""
        image, mask = Path("a" + IMAGES[self.image][1]), Path("a" + MASKS[self.mask].extension)
        kept = {".png", ".jpg"}
        return (
            self.image_flag if image.suffix in kept and self.image != "colours of 12 bits" else 1,
            self.mask_flag if mask.suffix in kept and not self.mask.startswith("16 bit colours") else 1,
        )

    @property
    def reading(self) -> Reading:
        """What the user says of the files, which is always true."""
        foreground, depth = MASKS[self.mask].value, IMAGES[self.image][2]
        return Reading(
            foreground=foreground if "foreground" in self.said else None,
            depth=depth if "depth" in self.said else None,
            exif=self.exif,
            pages=self.pages,
        )

    def write(self, folder: Path) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
        """Write all files, and return where a person sees the object in image and mask, by the names of both files."""
        seen = {}
        for name in ("images", "masks"):
            (folder / name).mkdir()
        image_flag, mask_flag = self.flags
        for k in range(CASES):
            make, extension, _ = IMAGES[self.image]
            stored = MASKS[self.mask]
            image_name, mask_name = (text.format(k) for text in NAMES[self.names])
            names = f"{image_name}{extension}", f"{mask_name}{stored.extension}"
            pages: list[tuple[np.ndarray, np.ndarray]] = []
            made: tuple[list[object], list[object]] = [], []
            for page in range(max(self.image_pages, self.mask_pages)):
                mask = draw(self.seed + k + 11 * page)
                grey = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)).astype(np.uint8) + 100 * mask.astype(np.uint8)
                made[0].append(make(np.ascontiguousarray(TURNED_BACK[image_flag](grey + np.uint8(k)))))
                turned = np.ascontiguousarray(TURNED_BACK[mask_flag](mask))
                made[1].append(stored.make(turned))
                # Who says that flags are to be ignored means the pixels as they are stored.
                pages.append((TURNED_BACK[image_flag](mask), turned) if self.exif == "ignore" else (mask, mask))
            save(made[0][: self.image_pages], folder / "images" / names[0], image_flag)
            save(made[1][: self.mask_pages], folder / "masks" / names[1], mask_flag)
            seen |= self.name_pages(names, pages)
        return seen

    def name_pages(self, names, pages):
        """Return what is seen by the id of the case, as the user who says which pages are read expects it."""
        in_image, in_mask = (
            count if Path(name).suffix in STACKS else 1
            for name, count in zip(names, (self.image_pages, self.mask_pages), strict=True)
        )
        if self.pages == "each" and in_image > 1:
            stem, suffix = Path(names[0]).stem, Path(names[0]).suffix
            return {(f"{stem}_page{n:03d}{suffix}", *names): page for n, page in enumerate(pages[:in_image], 1)}
        number = self.pages if isinstance(self.pages, int) else 1
        lit = pages[min(number, in_image) - 1][0]
        return {names: (lit, pages[min(number, in_mask) - 1][1])}


def examine(set: Set) -> str:
    """Return what comes of a set: ``refused``, ``told`` or ``read``; fail if a mask is not what a person sees."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seen = set.write(folder)
        try:
            store = FolderStore(folder / "images", folder / "masks", reading=set.reading)
            check = examine_reading(store)
            if check.refusal:
                return "refused"
            cases = {id: store.read(id) for id in store.ids}
        except UserError:
            return "refused"
    told = unicodedata.normalize("NFC", " ".join(check.warnings))
    result = "read"
    for names, (lit, mask) in seen.items():
        id = names[0]
        if any(unicodedata.normalize("NFC", name) in told for name in names):
            result = "told"
            continue
        used = cases[id].mask > 127
        assert used.shape == mask.shape
        wrong = (used != mask).sum()
        assert wrong == 0 if MASKS[set.mask].exact else wrong <= 0.2 * mask.sum(), f"{wrong} pixels of {id}"
        image = cases[id].image.astype(float)
        inside, around = image[lit].mean(), image[~lit].mean()
        assert inside - around > 30, f"the object of {id} cannot be seen"
    return result


SETS = st.builds(
    Set,
    mask=st.sampled_from(sorted(MASKS)),
    image=st.sampled_from(sorted(IMAGES)),
    image_flag=st.sampled_from([1, 1, 1, 2, 3, 4, 5, 6, 7, 8]),
    mask_flag=st.sampled_from([1, 1, 1, 2, 3, 4, 5, 6, 7, 8]),
    names=st.sampled_from(["alike"] * 4 + sorted(NAMES)),
    seed=st.integers(0, 10**6),
    said=st.frozensets(st.sampled_from(["foreground", "depth"])),
    exif=st.sampled_from([None, None, "turn", "ignore"]),
    image_pages=st.sampled_from([1, 1, 1, 3]),
    mask_pages=st.sampled_from([1, 1, 1, 3]),
    pages=st.sampled_from([None, None, "first", "each", 2]),
)


@given(SETS)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_mask_that_is_used_is_the_mask_that_is_seen(set):
    event(examine(set))


@pytest.mark.slow
@given(SETS)
@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_same_of_many_sets(set):
    event(examine(set))


PLAIN = Set("grey", "grey", 1, 1, "alike", 5, frozenset(), None)


@pytest.mark.parametrize("kind", sorted(MASKS))
def test_every_kind_of_mask(kind):
    """What is said of masks is always true, and then most are read."""
    examine(replace(PLAIN, mask=kind))
    if MASKS[kind].value is not None:
        assert examine(replace(PLAIN, mask=kind, said=frozenset({"foreground"}))) == "read"


@pytest.mark.parametrize("kind", sorted(IMAGES))
def test_every_kind_of_image(kind):
    examine(replace(PLAIN, image=kind))
    if IMAGES[kind][2] is not None:
        assert examine(replace(PLAIN, image=kind, said=frozenset({"depth"}))) == "read"


@pytest.mark.parametrize("flag", range(2, 9))
def test_every_flag(flag):
    assert examine(replace(PLAIN, image_flag=flag)) in ("told", "refused")
    assert examine(replace(PLAIN, image_flag=flag, exif="turn")) == "read"
    assert examine(replace(PLAIN, image_flag=flag, mask_flag=9 - flag if flag > 4 else flag, exif="turn")) == "read"


@pytest.mark.parametrize(("image", "mask"), [("grey tif", "grey tif"), ("14 bits", "label 1"), ("gif", "gif")])
@pytest.mark.parametrize("pages", ["first", "each", 2])
def test_pages(image, mask, pages):
    several = replace(
        PLAIN, image=image, mask=mask, image_pages=3, mask_pages=3, said=frozenset({"depth", "foreground"})
    )
    assert examine(several) == "refused"
    if MASKS[mask].extension in STACKS:
        assert examine(replace(several, pages=pages)) == "read"
    else:
        assert examine(replace(several, pages=pages)) == ("refused" if pages == "each" else "read")


@pytest.mark.parametrize("kind", ["grey", "label 1", "palette", "16 bits", "white ink", "objects 1, 2"])
def test_the_test_itself_sees_a_wrong_mask(kind, monkeypatch):
    """A library that shifts masks by a pixel does not pass."""
    read = FolderStore.read

    def shifted(store, id):
        case = read(store, id)
        return replace(case, mask=np.roll(case.mask, 1, axis=1))

    monkeypatch.setattr(FolderStore, "read", shifted)
    chosen = replace(PLAIN, mask=kind, said=frozenset({"foreground"}))
    if kind == "objects 1, 2":
        assert examine(chosen) == "refused"
    else:
        with pytest.raises(AssertionError, match="pixels of"):
            examine(chosen)
