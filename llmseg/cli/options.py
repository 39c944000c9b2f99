"""The options that several commands share: single ones, and a record of options for each kind.

An option for all commands that read cases is one more field of :class:`Cases`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import llmseg
from llmseg import UserError
from llmseg.cli import completion
from llmseg.cli.few_cases import note_official_test_cases, warn_of_few_groups, warn_of_few_test_cases
from llmseg.cli.groups import note_independent_cases
from llmseg.cli.output import print_message
from llmseg.data.image_files import find_inner_folders
from llmseg.data.reading import complete, images_only, name_options, without
from llmseg.files.notes import note
from llmseg.recipe.given import change_all

RecipeName = Annotated[
    str, typer.Argument(help="A pipeline's id, or a file with a recipe.", autocompletion=completion.PIPELINES)
]
Epochs = Annotated[int | None, typer.Option(help="Number of epochs instead of the recipe's.", min=1)]
Seed = Annotated[int, typer.Option(help="Seed of what the recipe leaves to chance.", min=0)]
DrawSeed = Annotated[int, typer.Option("--seed", help="Seed of the draw, where one is needed.", min=0)]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
LeaveOutFailing = Annotated[
    bool,
    typer.Option("--leave-out-failing", help="Go on without what cannot be trained or diverges; a line names each."),
]
Retry = Annotated[
    list[str] | None,
    typer.Option(help="Try again what failed before: diverged, or out-of-memory (with half of the batch); repeatable."),
]
Measures = Annotated[
    list[str] | None,
    typer.Option(
        "--measure",
        autocompletion=completion.MEASURES,
        help="Measure to compare in, dice by default; repeatable: the first is the primary one, others are secondary.",
    ),
]
Exact = Annotated[bool, typer.Option("--exact", help="Compute as the original scripts do, bit for bit.")]
GroupPattern = Annotated[
    str | None,
    typer.Option("--group", help="Pattern (regular expression) that finds a case's patient or video in its name."),
]
GroupTable = Annotated[Path | None, typer.Option("--groups", help="Table of them instead: CSV with case, group.")]


@dataclass(frozen=True)
class ImageReadingOptions:
    """How pixels of image files are read."""

    depth: Annotated[
        str | None,
        typer.Option(
            help="How images of more than 8 bits become 0 to 255: bits that are used, such as 12; unit for 0 to 1; "
            "window:LOW,HIGH; or percentiles:0.5,99.5 of each image."
        ),
    ] = None
    exif: Annotated[
        str | None,
        typer.Option(help="Orientation flags of a camera: turn images and masks as viewers do, or ignore them."),
    ] = None
    pages: Annotated[
        str | None, typer.Option(help="Of files of several pages: first, a number, or each as a case of its own.")
    ] = None

    @property
    def reading(self) -> llmseg.data.Reading:
        """How pixels are read.

        Raises:
            UserError: An option has a value that is not allowed.
        """
        # Options for masks are there where masks are read.
        names = [name for name in _names_of(llmseg.data.Reading) if hasattr(self, name)]
        return llmseg.data.Reading(**{name: getattr(self, name) for name in names})


@dataclass(frozen=True)
class ReadingOptions(ImageReadingOptions):
    """How image and mask files are read; what is not said is refused where it could be read in two ways."""

    foreground: Annotated[
        str | None,
        typer.Option(
            help="Which mask values are foreground, if masks are not 0 and 255: a number, all-but-0, labels:1,2 or "
            "above-127."
        ),
    ] = None
    alpha: Annotated[
        str | None, typer.Option(help="What the alpha channel of masks is: mask, or drop if colours are the mask.")
    ] = None
    several_masks: Annotated[
        str | None,
        typer.Option(help="join: foreground of an image is that of all its masks; without it, several are refused."),
    ] = None


@dataclass(frozen=True)
class Places:
    """Where the cases are: a store, or folders."""

    data: Annotated[
        Path | None,
        typer.Option(help="A store that llmseg data prepare wrote, or a folder that holds images and masks."),
    ] = None
    images: Annotated[
        Path | None, typer.Option(help="Folder of images; if it has none itself, those of the folders below.")
    ] = None
    masks: Annotated[Path | None, typer.Option(help="Folder of masks; by default that of the images.")] = None
    mask_suffix: Annotated[str | None, typer.Option(help="What a mask's name has after the image's, such as _seg.")] = (
        None
    )
    group: GroupPattern = None
    groups: GroupTable = None


@dataclass(frozen=True)
class Cases(ReadingOptions, Places):
    """The cases that a command reads: a store, folders or phantoms."""

    synthetic: Annotated[
        str | None,
        typer.Option(help="Use phantoms of this modality instead of files.", autocompletion=completion.MODALITIES),
    ] = None
    cases: Annotated[int, typer.Option(help="Number of phantoms.")] = 24

    def open(self, orphans: Literal["refuse", "skip"] = "refuse") -> llmseg.Store:
        """Return the store of the cases. All masks of folders are checked, unless files without a partner are skipped.

        Args:
            orphans: What to do with a file in the folders that has no partner.

        Raises:
            UserError: The cases are named in several ways or in none, or cannot be read.
        """
        if self._names_folder:
            return self._as_folders().open(orphans)
        if self.images is None:
            self._refuse_folder_options()
        if sum(given is not None for given in (self.data, self.images, self.synthetic)) != 1:
            raise UserError(
                "give the cases in one way: --data STORE, --images DIR (and --masks DIR), or --synthetic MODALITY"
            )
        if self.images is None and (self.group is not None or self.groups is not None):
            raise UserError(
                "--group and --groups are for cases in folders (--images DIR); a store has the groups that llmseg data "
                "prepare gave it, phantoms have their own"
            )
        store = self._open_named(orphans)
        if orphans == "refuse":
            llmseg.data.check_reading(store)
        return store

    def _open_named(self, orphans: Literal["refuse", "skip"]) -> llmseg.Store:
        if self.data is not None:
            return llmseg.Hdf5Store(self.data)
        if self.synthetic is not None:
            return llmseg.SyntheticStore(self.synthetic, count=self.cases)
        store = self.open_folders(orphans)
        assert store is not None
        return store

    def open_as(self, run: llmseg.Run) -> llmseg.Store:
        """Return the store of the cases, read as those that a run was trained on where nothing else is said.

        Raises:
            UserError: As :meth:`open`.
        """
        if self._names_folder:
            return self._as_folders().open_as(run)
        given, of_run = self.reading, run.reading
        if self.images is None or complete(given, of_run) == given:
            return self.open()
        # A label may be one that only the masks of the training have. Images are to be what the network knows anyhow.
        problem = ""
        for earlier in (of_run, images_only(of_run)):
            taken = name_options(without(earlier, given))
            try:
                store = replace(self, **asdict(complete(given, earlier))).open()
            except UserError as error:
                problem = problem or f"files are not read as those of the run, with {taken}: {error}"
                continue
            if problem:
                print_message(f"warning: {problem}")
            if taken:
                note(f"note: files are read as those of the run: {taken}")
            return store
        store = self.open()
        print_message(f"warning: {problem}")
        return store

    @property
    def _names_folder(self) -> bool:
        return self.data is not None and self.data.is_dir() and self.images is None

    def _as_folders(self) -> Cases:
        """Return the same cases, with the folder that ``--data`` names as the folders of images and masks."""
        assert self.data is not None
        images, masks = find_inner_folders(self.data) or (self.data, self.data)
        return replace(self, data=None, images=images, masks=self.masks or masks)

    def _refuse_folder_options(self) -> None:
        """Refuse options that say how folders are read where there are none, for they would change nothing."""
        given = [name for name in ("masks", "mask_suffix", *_names_of(ReadingOptions)) if getattr(self, name)]
        if given and (self.data is not None or self.synthetic is not None):
            where = "--data" if self.data is not None else "--synthetic"
            advice = "; a store is read when it is made: give them to llmseg data prepare" if self.data else ""
            options = ", ".join("--" + name.replace("_", "-") for name in given)
            raise UserError(f"{options} is for folders of images (--images) and says nothing to {where}{advice}")

    def open_folders(self, orphans: Literal["refuse", "skip"] = "refuse") -> llmseg.FolderStore | None:
        """Return the cases in folders, ``None`` if no folder is named."""
        if self.images is None:
            return None
        return llmseg.FolderStore(
            self.images,
            self.masks or self.images,
            mask_suffix=self.mask_suffix,
            reading=self.reading,
            orphans=orphans,
            group=self.group,
            group_table=self.groups,
        )


def _names_of(record: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(record))


@dataclass(frozen=True)
class CasesAndHoldout(Cases):
    """The cases that a command reads, and which of them are held out for the test."""

    holdout: Annotated[Path | None, typer.Option(help="Manifest of test cases that llmseg data split wrote.")] = None

    def load_holdout(self) -> llmseg.Holdout | None:
        """Return the test cases of the manifest, ``None`` if none is named."""
        return None if self.holdout is None else llmseg.Holdout.load(self.holdout)

    def load_or_draw_holdout(self, store: llmseg.Store, progress: bool) -> llmseg.Holdout:
        """Return the test cases of the manifest, or draw them from a store by group with seed 0."""
        if self.holdout is None:
            note_independent_cases(store)
        holdout = self.load_holdout() or llmseg.hold_out(store, progress=progress)
        warn_of_few_test_cases(holdout)
        return holdout


@dataclass(frozen=True)
class CasesAndFolds(CasesAndHoldout):
    """The cases of a study, and which of them are held out for the test, once or in folds."""

    holdout: Annotated[Path | None, typer.Option(help="Manifest of test cases, or a folder of folds.")] = None
    folds: Annotated[
        int | None,
        typer.Option(help="Cross-validation: so many folds, by group; every case is a test case once."),
    ] = None

    def load_or_draw_folds(self, store: llmseg.Store, progress: bool) -> tuple[llmseg.Holdout, ...]:
        """Return the test cases of the manifest or folder, or draw one held-out test set or folds, with seed 0.

        Raises:
            UserError: A manifest and a number of folds are given, or they cannot be read or drawn.
        """
        if self.folds is not None and self.holdout is not None:
            raise UserError("--holdout names the test cases, and --folds makes every case one; leave one of them out")
        if self.holdout is not None and self.holdout.is_dir():
            return llmseg.data.load_folds(self.holdout)
        if self.folds is None:
            return (self.load_or_draw_holdout(store, progress),)
        note_independent_cases(store)
        note_official_test_cases(store)
        folds = llmseg.draw_folds(store, self.folds, progress=progress)
        warn_of_few_groups(store)
        return folds


@dataclass(frozen=True)
class Computing:
    """Where and in which precision a command computes; the names are those of the parameters of the functions."""

    device: Device = "auto"
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")] = "auto"


@dataclass(frozen=True)
class Changes:
    """Changes of a recipe."""

    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="Change a field of the recipe: path=value; repeatable.", autocompletion=completion.CHANGES
        ),
    ] = None

    def apply(self, recipe: llmseg.Recipe) -> llmseg.Recipe:
        """Return the recipe with all changes, in the order in which they were typed."""
        return change_all(recipe, self.changes or ())
