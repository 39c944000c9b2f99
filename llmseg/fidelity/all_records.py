"""Checking pipelines against a whole folder of records."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from llmseg import zoo
from llmseg.data.folder import FolderStore
from llmseg.errors import UserError
from llmseg.fidelity.records import read_record, recorded_id
from llmseg.fidelity.verify import USUAL_LEVELS, Verdict, verify


@dataclass(frozen=True)
class VerifiedRecord:
    """The verdicts on one record.

    Attributes:
        pipeline: Id of the pipeline that the record is about.
        seconds: How long the checks took.
        verdicts: A verdict per level.
    """

    pipeline: str
    seconds: float
    verdicts: tuple[Verdict, ...]

    @property
    def holds(self) -> bool:
        """Whether every level holds."""
        return all(verdict.holds for verdict in self.verdicts)


def verify_all(
    folder: str | Path,
    *,
    only: Iterable[str] = USUAL_LEVELS,
    device: str = "cpu",
    tf32: bool = False,
    progress: bool = False,
) -> Iterator[VerifiedRecord]:
    """Check the pipelines of all records in a folder; yield the verdicts on a record as soon as they are reached.

    Args:
        folder: Holds the records, ``*.json``, and the folders of images and masks that they name.
        only: The levels to check.
        device: As for :func:`llmseg.verify`.
        tf32: As for :func:`llmseg.verify`.
        progress: Whether to show a progress bar.

    Raises:
        UserError: The folder holds no record, a record is damaged, its images are missing, or a level is unknown.

    Example:
        >>> all(record.holds for record in verify_all("tests/golden", only=["F1"]))  # doctest: +SKIP
        True
    """
    paths, levels = sorted(Path(folder).glob("*.json")), tuple(only)
    if not paths:
        raise UserError(f"no record *.json in {folder}; name a folder such as tests/golden")
    for path in tqdm(paths, desc="verify", unit="record", disable=not progress):
        record = read_record(path)
        started = time.perf_counter()
        pipeline = zoo.get(recorded_id(record))
        verdicts = verify(
            pipeline,
            record,
            store=_open_images(path.parent / record["base"]["dataset"]),
            bookkeeping_store=_open_images(path.parent / record["bookkeeping"]["base"]["dataset"]),
            only=levels,
            device=device,
            tf32=tf32,
        )
        reached = tuple(verdicts)
        yield VerifiedRecord(pipeline.id, round(time.perf_counter() - started, 1), reached)


def _open_images(folder: Path) -> FolderStore:
    return FolderStore(folder / "images", folder / "masks")
