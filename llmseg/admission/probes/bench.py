"""Runs of the same scripts on cases that were changed, kept so that every probe finds those that others made."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from llmseg.admission.full_run.predicted import read_written
from llmseg.admission.observing import Observation, Phantoms, read_observation, write_phantoms
from llmseg.admission.observing.keras import trains_with_keras
from llmseg.admission.probes.changes import CaseFolder, Change
from llmseg.admission.probes.numbers import Score, read_scores
from llmseg.admission.runner import Runner
from llmseg.admission.running import read_layout
from llmseg.admission.sandbox import Limits
from llmseg.admission.scripts import read_scripts
from llmseg.errors import UserError
from llmseg.files import read_bytes, write_text

EPOCHS = 3
"""With fewer, a choice among the weights of epochs cannot be seen."""


@dataclass(frozen=True)
class Variation:
    """A run that is to be compared with the one on unchanged cases.

    Attributes:
        name: What it is called, also as a folder.
        changes: What is changed in which cases, one after the other.
        epochs: How many epochs the scripts train.
        listing: In which order folders list their files; the same word gives the same order.

    Example:
        >>> from llmseg.admission.probes.changes import invert_masks
        >>> Variation("two-masks-inverted", ((invert_masks, ("001", "002")),)).epochs
        3
    """

    name: str
    changes: tuple[tuple[Change, tuple[str, ...]], ...] = ()
    epochs: int = EPOCHS
    listing: str = "1"


_NOTE = "trial.json"
"""What is known of a run, in its folder."""

_SETTINGS = (".json", ".yaml", ".yml", ".toml", ".ini", ".cfg")
"""Files besides Python on which scripts may depend."""

UNCHANGED = Variation("unchanged")


@dataclass(frozen=True)
class Trial:
    """A run of the scripts with what they did.

    Attributes:
        variation: What was changed.
        ended_by: Who ended it: ``"script"``, ``"limit"`` or ``"harness"``.
        is_finished: Whether the scripts ended themselves, without an error.
        ending: How it ended, in words.
        printed: All that they printed.
        folder: Where it is kept, with what they wrote.
        phantoms: The cases before they were changed.
        written: The cases of which the scripts wrote a mask that is not the given one.

    Example:
        >>> Bench.of("answers/my-llm", "probed").unchanged.ending  # doctest: +SKIP
        'ended by the script (no error)'
    """

    variation: Variation
    ended_by: str
    is_finished: bool
    ending: str
    printed: str
    folder: Path
    phantoms: Phantoms = field(repr=False)
    written: tuple[str, ...] = ()

    @functools.cached_property
    def observation(self) -> Observation:
        """What the scripts did."""
        return read_observation(self.folder / "record", self.phantoms)

    @functools.cached_property
    def scores(self) -> tuple[Score, ...]:
        """The scores that they printed and wrote."""
        files = [path for path in (self.folder / "files").rglob("*") if path.is_file() and not path.is_symlink()]
        return read_scores(self.printed, files)

    @functools.cached_property
    def pairs(self) -> dict[str, str]:
        """The case whose mask each image was first compared with, where both are known."""
        pairs: dict[str, str] = {}
        for each in self.observation.passes:
            for item in each.items:
                if item.id and item.mask_id:
                    pairs.setdefault(item.id, item.mask_id)
        return pairs

    @property
    def sees_batches(self) -> bool:
        """Whether images and masks that reach the network are seen; in graphs of Keras they are not."""
        return not trains_with_keras(self.observation.record)

    @property
    def test_ids(self) -> tuple[str, ...]:
        """The cases that are scored after the last epoch; where that is not seen, those whose masks are written."""
        return self.observation.parts.test if self.sees_batches else self.written

    @property
    def losses(self) -> tuple[float, ...]:
        """The losses of the training, step by step."""
        return self.observation.losses

    @property
    def after_epochs(self) -> tuple[str, ...]:
        """Digests of the weights after each epoch; without a validation, only those that were tested."""
        weights = self.observation.weights
        return weights.epochs or ((weights.tested,) if weights.tested else ())

    @property
    def tested(self) -> str:
        """Digest of the weights that were tested, empty if there was no test."""
        return self.observation.weights.tested

    @property
    def tested_epoch(self) -> int | None:
        """The epoch whose weights were tested, from 1; ``None`` if they are those of none."""
        epochs = self.observation.weights.epochs
        return len(epochs) - epochs[::-1].index(self.tested) if self.tested in epochs else None


@dataclass(frozen=True)
class Bench:
    """Scripts, cases, and the folder in which their runs are kept.

    Attributes:
        runner: How the scripts are run.
        phantoms: The cases.
        out: Where runs are kept. One that is there is not made again, unless scripts or cases are others now.

    Example:
        >>> bench = Bench.of("answers/my-llm", "probed")  # doctest: +SKIP
        >>> bench.test_ids  # doctest: +SKIP
        ('002', '018')
    """

    runner: Runner
    phantoms: Phantoms
    out: Path
    _trials: dict[Variation, Trial] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        scripts: str | Path,
        out: str | Path,
        *,
        phantoms: Phantoms | None = None,
        limits: Limits | None = None,
        rung: str | None = None,
    ) -> Bench:
        """Return the bench for some scripts.

        Args:
            scripts: The folder of the scripts.
            out: Where runs are kept.
            phantoms: The cases; ``None`` for twenty with as many channels as the scripts seem to want.
            limits: How much a run may use; ``None`` for the usual limits.
            rung: The sandbox; ``None`` for the best one that this computer has.

        Raises:
            UserError: There is no such folder, or no script in it.
        """
        cases = phantoms or Phantoms(channels=read_layout(read_scripts(scripts)).channels)
        return cls(Runner(Path(scripts), limits=limits, rung=rung), cases, Path(out))

    @property
    def unchanged(self) -> Trial:
        """The run on the cases as they are."""
        return self.run(UNCHANGED)

    @property
    def training_ids(self) -> tuple[str, ...]:
        """The cases that the scripts train on."""
        return self.unchanged.observation.parts.training

    @property
    def validation_ids(self) -> tuple[str, ...]:
        """The cases that the scripts score between epochs, and use for nothing else."""
        parts = self.unchanged.observation.parts
        return tuple(id for id in parts.validation if id not in (*parts.training, *parts.test))

    @property
    def test_ids(self) -> tuple[str, ...]:
        """The cases that the scripts score after the last epoch."""
        return self.unchanged.test_ids

    @property
    def other_ids(self) -> tuple[str, ...]:
        """The cases that the scripts train on; where that is not seen, all but those that they test."""
        if self.unchanged.sees_batches or not self.test_ids:
            return self.training_ids
        return tuple(id for id in self.phantoms.ids if id not in self.test_ids)

    def masks_of(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        """Return the cases whose masks the scripts read with these images, which are others if pairs are wrong."""
        pairs = self.unchanged.pairs
        return tuple(sorted({pairs.get(id, id) for id in ids}))

    def run(self, variation: Variation) -> Trial:
        """Return a run, which is made if it is not there.

        Raises:
            UserError: The scripts cannot be started, there is no such sandbox, or something else has the run's place.
        """
        if variation not in self._trials:
            self._trials[variation] = self._find_or_make(variation)
        return self._trials[variation]

    def _find_or_make(self, variation: Variation) -> Trial:
        folder, digest = self.out / variation.name, self._digest(variation)
        kept = _read_trial(folder, digest)
        if kept is None:
            if folder.exists() and not (folder / _NOTE).is_file():
                raise UserError(f"{folder} is there and is no run of these probes; give another folder for runs")
            shutil.rmtree(folder, ignore_errors=True)
            kept = self._make(variation, folder)
            write_text(folder / _NOTE, json.dumps({**kept, "digest": digest}))
        written = tuple(kept.pop("written", ()))
        return Trial(variation, folder=folder, phantoms=self.phantoms, written=written, **kept)

    def _make(self, variation: Variation, folder: Path) -> dict[str, Any]:
        cases, record = CaseFolder(folder / "cases"), folder / "record"
        folder.mkdir(parents=True)
        write_text(folder / _NOTE, "{}")  # a run that is interrupted may be removed later
        write_phantoms(cases.folder, self.phantoms)
        for change, ids in variation.changes:
            change(cases, ids)
        how: dict[str, Any] = {"epochs": variation.epochs, "listing": variation.listing}
        run = self.runner.run(cases.folder, folder / "files", record, **how)
        outcome = run.outcome
        shutil.rmtree(cases.folder)
        # Cases that are counted anew in each folder have names that clash.
        named = self.phantoms.ids if run.layout.first_number is None else ()
        masks = {id: self.phantoms.mask(id) for id in named}
        return {
            "written": sorted(read_written(outcome.results.masks, masks)),
            "ended_by": outcome.ended_by,
            "is_finished": outcome.is_finished,
            "ending": str(outcome).rpartition("; there: ")[0],
            "printed": outcome.output,
        }

    def _digest(self, variation: Variation) -> str:
        """Return a digest of everything on which a run depends."""
        scripts = self.runner.folder
        texts = [f"{script.path} {script.text}" for script in read_scripts(scripts)]
        settings = sorted(path for path in scripts.rglob("*") if path.suffix in _SETTINGS and path.is_file())
        texts += [f"{path.relative_to(scripts)} {read_bytes(path)!r}" for path in settings]
        changes = [f"{change.__name__} {' '.join(ids)}" for change, ids in variation.changes]
        cases = json.dumps(asdict(self.phantoms), default=str)
        parts = [*texts, *self.runner.start, cases, *changes, str(variation.epochs), variation.listing]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _read_trial(folder: Path, digest: str) -> dict[str, Any] | None:
    """Return what is known of a run that the same scripts have ended themselves on the same cases."""
    try:
        kept = json.loads(read_bytes(folder / _NOTE))
    except (FileNotFoundError, ValueError):
        return None
    # With other limits, or another time, a run that was ended from outside may go on.
    return kept if kept.pop("digest", None) == digest and kept["ended_by"] == "script" else None
