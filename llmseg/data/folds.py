"""Folds of a cross-validation: held-out test sets that together hold out every case exactly once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from llmseg.data.holdout import Holdout
from llmseg.errors import UserError
from llmseg.files import make_folder


def as_folds(given: Holdout | Sequence[Holdout]) -> tuple[Holdout, ...]:
    """Return one held-out test set as a tuple of one, and folds as a tuple.

    Args:
        given: One held-out test set, or the folds of :func:`llmseg.draw_folds`, possibly read from their manifests.

    Raises:
        UserError: There is none, or several do not hold out every case of one dataset exactly once.

    Example:
        >>> from llmseg import SyntheticStore, draw_folds
        >>> folds = draw_folds(SyntheticStore("fundus", count=6), 3)
        >>> as_folds(folds) == folds
        True
        >>> as_folds(folds[:2])
        Traceback (most recent call last):
        llmseg.errors.UserError: these are no folds: case '001.png' is held out 0 times; give all manifests of one draw
    """
    folds = (given,) if isinstance(given, Holdout) else tuple(given)
    if not folds:
        raise UserError("no held-out test set is given; draw one by llmseg.hold_out, or folds by llmseg.draw_folds")
    if len(folds) == 1:
        return folds
    advice = "give all manifests of one draw"
    others = [fold.store for fold in folds if fold.store_digest != folds[0].store_digest]
    if others:
        raise UserError(f"these are no folds: {folds[0].store} and {others[0]} are in different states; {advice}")
    times = Counter(id for fold in folds for id in fold.test_ids)
    wrong = [case.id for case in folds[0].cases if times[case.id] != 1]
    if wrong:
        raise UserError(f"these are no folds: case '{wrong[0]}' is held out {times[wrong[0]]} times; {advice}")
    return folds


def digest_folds(folds: Sequence[Holdout]) -> str:
    """Return the digest of one held-out test set, or one digest of all folds.

    Example:
        >>> from llmseg.data.draw_holdout import hold_out
        >>> from llmseg.data.synthetic import SyntheticStore
        >>> phantoms = SyntheticStore("fundus", count=12)
        >>> digest_folds([hold_out(phantoms)]) == hold_out(phantoms).digest
        True
    """
    if len(folds) == 1:
        return folds[0].digest
    return hashlib.sha256("\n".join(fold.digest for fold in folds).encode()).hexdigest()


def name_manifests(folder: Path, count: int) -> list[Path]:
    """Return the files of so many folds in a folder, or that of a single held-out test set."""
    return (
        [folder / f"fold-{number}.json" for number in range(1, count + 1)] if count > 1 else [folder / "holdout.json"]
    )


def save_folds(folds: Sequence[Holdout], folder: Path) -> None:
    """Write the manifest of every fold into a folder, ``fold-1.json`` and so on; a single one is ``holdout.json``.

    Raises:
        UserError: The folder holds manifests of more folds or files that are no manifests, or the disk is full or
            refuses a file.

    Example:
        >>> import tempfile
        >>> from llmseg.data.draw_holdout import draw_folds
        >>> from llmseg.data.synthetic import SyntheticStore
        >>> folder = Path(tempfile.mkdtemp())
        >>> save_folds(draw_folds(SyntheticStore("fundus", count=12), 3), folder)
        >>> sorted(path.name for path in folder.iterdir())
        ['fold-1.json', 'fold-2.json', 'fold-3.json']
    """
    paths = name_manifests(folder, len(folds))
    check_place_of_folds(folder, len(folds))
    make_folder(folder)
    for fold, path in zip(folds, paths, strict=True):
        fold.save(path)


def check_place_of_folds(folder: Path, count: int) -> None:
    """Raise :class:`UserError` if a folder has files that :func:`save_folds` does not replace."""
    paths = name_manifests(folder, count)
    more = sorted(set(folder.glob("fold-*.json")) - set(paths))
    if more:
        raise UserError(f"{more[0]} is of other folds than these {count}; choose another --out")
    for path in paths:
        Holdout.check_place(path)


def load_folds(path: str | Path) -> tuple[Holdout, ...]:
    """Read one manifest as a tuple of one, or all folds from the folder that :func:`save_folds` wrote.

    Raises:
        UserError: There is no manifest, one is damaged, or folds are missing.

    Example:
        >>> load_folds("brain-folds")  # doctest: +SKIP
    """
    path = Path(path)
    if not path.is_dir():
        return (Holdout.load(path),)
    count = len(list(path.glob("fold-*.json")))
    if count < 2:
        raise UserError(f"{path} holds no folds; make them by llmseg data split --folds 5")
    return as_folds([Holdout.load(manifest) for manifest in name_manifests(path, count)])
