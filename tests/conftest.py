"""What several test modules share: folders of images, and the golden records with their stores."""

from __future__ import annotations

import functools
import gc
import itertools
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from llmseg import zoo
from llmseg.cli.main import main
from llmseg.cli.output import print_notes
from llmseg.data.folder import FolderStore
from llmseg.data.store import Store
from llmseg.data.synthetic import SyntheticStore
from llmseg.fidelity import recorded_id
from llmseg.recipe.recipe import Recipe
from llmseg.zoo import Pipeline
from llmseg.zoo.common import STANDARD_UNET

GOLDEN = Path(__file__).parent / "golden"
MASK_SUFFIXES = {"jpg_same": "", "png_same": "", "png_seg": "_seg", "jpg_m": "_m"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not _takes_long(item):
            item.add_marker(pytest.mark.quick)
    # Modules and tests stay until the end; looking through them again at every garbage collection takes long.
    gc.freeze()


def _takes_long(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) is not None for name in ("slow", "thorough"))


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Quick tests compute little: on a busy machine, threads waiting for each other cost twenty times what they save.

    It holds for what is shared by a module, too: the number of threads decides the last bit.
    """
    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests leave the user's cache alone; processes they start do, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMSEG_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def _two_threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Slow and thorough tests use as many threads as the recorded runs."""
    long = _takes_long(request.node)
    if long:
        torch.set_num_threads(2)
    yield
    if long:
        torch.set_num_threads(1)


_CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate")


@pytest.fixture
def kill_at_every_change(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Iterator[Path]]:
    """Return a function that runs ``write(folder)`` in processes that are killed before their first change of the
    folder, their second, and so on; it yields what each of them left. ``prepare(folder)`` is called before.
    """

    def kill(write: Callable[[Path], object], prepare: Callable[[Path], object] | None = None) -> Iterator[Path]:
        for number in itertools.count(1):
            folder = tmp_path_factory.mktemp("killed")
            if prepare is not None:
                prepare(folder)
            code = _run_until_change(functools.partial(write, folder), folder, number)
            if code != -signal.SIGKILL:
                assert (code, number > 1) == (0, True)
                return
            yield folder

    return kill


def _run_until_change(write: Callable[[], object], folder: Path, number: int) -> int:
    """Run a function in a process that is killed before a change of a folder; return the exit code."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    # torch makes its pool of threads anew in a child. If two threads of the child are the first to ask for it, one may
    # find none ("Invalid thread pool"), so the only thread there is asks for it here.
    torch.set_num_threads(1)
    left = number

    def watch(event: str, args: tuple[Any, ...]) -> None:
        nonlocal left
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (writes or event in _CHANGES) and str(args[0]).startswith(str(folder)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    try:
        write()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


@dataclass(frozen=True)
class Golden:
    """A record of an original script, the pipeline that replays it, and the images of its two runs."""

    stem: str
    pipeline: Pipeline
    record: dict[str, Any]
    store: FolderStore
    bookkeeping_store: FolderStore


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of the golden records."""
    return GOLDEN


@pytest.fixture(scope="session")
def open_golden(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Golden]:
    """A function that gives the :class:`Golden` of a record file's stem; each is read once."""

    @functools.cache
    def laid_out(dataset: str, layout: str) -> FolderStore:
        source, suffix = GOLDEN / dataset, MASK_SUFFIXES[layout]
        if not suffix:
            return FolderStore(source / "images", source / "masks")
        folder = tmp_path_factory.mktemp(f"{dataset}_{layout}")
        images, masks = (folder, folder) if layout == "png_seg" else (folder / "images", folder / "masks")
        shutil.copytree(source / "images", images, dirs_exist_ok=True)
        masks.mkdir(exist_ok=True)
        for mask in (source / "masks").iterdir():
            shutil.copy(mask, masks / f"{mask.stem}{suffix}{mask.suffix}")
        return FolderStore(images, masks)

    @functools.cache
    def opened(stem: str) -> Golden:
        record = json.loads((GOLDEN / f"{stem}.json").read_text(encoding="utf-8"))
        stores = [laid_out(base["dataset"], base["layout"]) for base in (record["base"], record["bookkeeping"]["base"])]
        return Golden(stem, zoo.get(recorded_id(record)), record, *stores)

    return opened


@pytest.fixture(params=sorted(path.stem for path in GOLDEN.glob("*.json")))
def golden_case(request: pytest.FixtureRequest, open_golden: Callable[[str], Golden]) -> Golden:
    """Every record in turn."""
    return open_golden(request.param)


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """A function that writes random images and masks as PNG and returns the two folders.

    ``sizes`` maps a stem to (height, width). With ``together`` both kinds lie in one folder.
    """

    def write(
        sizes: Mapping[str, tuple[int, int]] | None = None,
        *,
        suffix: str = "",
        together: bool = False,
        extension: str = ".png",
    ) -> tuple[Path, Path]:
        images = tmp_path / ("both" if together else "images")
        masks = images if together else tmp_path / "masks"
        random = np.random.default_rng(0)
        for folder in (images, masks):
            folder.mkdir(exist_ok=True)
        for stem, size in (sizes or {"a": (6, 5), "b": (6, 5), "c": (6, 5)}).items():
            image = random.integers(0, 256, size, dtype=np.uint8)
            mask = np.where(random.random(size) > 0.5, 255, 0).astype(np.uint8)
            Image.fromarray(image).save(images / f"{stem}{extension}")
            Image.fromarray(mask).save(masks / f"{stem}{suffix}{extension}")
        return images, masks

    return write


@pytest.fixture(scope="session")
def write_cases() -> Callable[[Store, Path], FolderStore]:
    """A function that writes the cases of a store into ``images`` and ``masks`` of a folder, and opens these."""

    def write(store: Store, folder: Path) -> FolderStore:
        for id in store.ids:
            case = store.read(id)
            for kind, pixels in (("images", case.image), ("masks", case.mask)):
                (folder / kind).mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(folder / kind / id)
        return FolderStore(folder / "images", folder / "masks")

    return write


@pytest.fixture
def tiny_store(make_folder: Callable[..., tuple[Path, Path]]) -> FolderStore:
    """Three cases of 6 x 5 pixels."""
    return FolderStore(*make_folder())


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    """A recipe that trains in a second: a U-Net of two stages on 32 x 32 pixels."""
    recipe = zoo.get("gpt-o3").recipe
    for path, value in (
        ("images.size", (32, 32)),
        ("net", replace(STANDARD_UNET, encoder=(4, 8), bottleneck=16, decoder=(8, 4), output="logits")),
        ("fit.batch_size", 4),
        ("fit.epochs", 2),
        ("fit.rate", 1e-2),
        ("fit.own_seed", None),
    ):
        recipe = recipe.change(path, value)
    return recipe


@pytest.fixture(scope="session", autouse=True)
def drawn_once() -> Iterator[None]:
    """Let the same store draw a phantom once in a process: tests ask for the same ones again and again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SyntheticStore, "read", functools.lru_cache(maxsize=1024)(SyntheticStore.read))
        yield


@pytest.fixture(scope="session")
def phantoms() -> SyntheticStore:
    """Twenty-five phantoms: 20 for training, 2 for validation, 3 for the test."""
    return SyntheticStore("mri-tumour", count=25)


@pytest.fixture(scope="session")
def colour_phantoms() -> SyntheticStore:
    """Three phantoms in colour."""
    return SyntheticStore("dermoscopy", count=3)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """A function that runs the command line in this process: (exit code, output, errors)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            main([str(a) for a in arguments])
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture
def notes_printed() -> Iterator[None]:
    """Print what the library notes on standard error, as the command line does."""
    with print_notes():
        yield


@pytest.fixture(scope="session")
def content() -> Callable[[Path], dict[str, bytes]]:
    """A function that gives all files of a run folder that equal runs must have alike; two files hold times."""

    def read(folder: Path) -> dict[str, bytes]:
        return {
            p.name: p.read_bytes() for p in folder.iterdir() if p.name not in ("run.json", "private.json", "timing.csv")
        }

    return read


@pytest.fixture
def tiny(tiny_recipe, monkeypatch):
    """A pipeline of the zoo with a quirk that changes masks and one that changes its score only."""
    recipe = tiny_recipe.change("fit.epochs", 1).change("images.mask_threshold", None).change("test.threshold", None)
    monkeypatch.setattr("llmseg.zoo.registry._PIPELINES", dict(zoo.registry._PIPELINES))
    zoo.register(replace(zoo.get("gpt-o3"), id="tiny", recipe=recipe))
    return "tiny"


_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium: the one that LLMSEG_CHROMIUM names, the system's, or playwright's own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    named = [os.environ.get("LLMSEG_CHROMIUM"), *map(shutil.which, _BROWSERS)]
    found = next((path for path in named if path), None)
    with playwright.sync_playwright() as running:
        try:
            opened = running.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"there is no Chromium: {str(error).splitlines()[0]}")
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Any]]:
    """A function that opens an address; at the end, nothing may have gone wrong on any page, nor come from elsewhere.

    Parameters are options of the browser, such as the size of its window.
    """
    context = browser.new_context(**getattr(request, "param", {}))
    said: list[str] = []
    asked: list[str] = []

    def visit(address: str) -> Any:
        page = context.new_page()
        page.on("console", lambda one: said.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda one: asked.append(one.url))
        page.goto(address)
        return page

    yield visit
    context.close()
    assert said == []
    own = ("file:", "data:", "blob:", "http://localhost:")
    assert [url for url in asked if not url.startswith(own)] == []


@pytest.fixture(scope="session")
def find_barriers() -> Callable[[Any], list[str]]:
    """A function that gives what axe-core finds on a page that keeps somebody from using it."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

    def find(page: Any) -> list[str]:
        # axe would fetch style sheets once more, which the content security policy of a report refuses.
        found = axe.Axe().run(page, options={"preload": False}).response["violations"]
        return [
            f"{one['id']}: {one['help']}: {one['nodes'][0]['html']}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]

    return find
