"""Held-out test cases: drawn once per dataset, kept out of every training, named by a digest in every result.

``llmseg data split`` draws them and writes a *manifest*, a JSON file that lists all cases and tells which are held out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from llmseg.data.image_digests import digest_image
from llmseg.data.read_ahead import map_ahead
from llmseg.data.store import Store
from llmseg.data.subset import Subset
from llmseg.errors import UserError
from llmseg.files import clear_leftovers, make_folder, nearest_path, write_text

FORMAT = 1
"""Format of the manifest. Raise it when the meaning of a manifest changes."""


@dataclass(frozen=True)
class HeldCase:
    """A case in a manifest.

    Attributes:
        id: Id of the case.
        group: What it belongs to, such as a video or a patient.
        content: SHA-256 of its image, see :func:`llmseg.data.image_digests.digest_image`.
        held: Whether it is a test case.
    """

    id: str
    group: str
    content: str
    held: bool


@dataclass(frozen=True)
class Holdout:
    """The test cases of a dataset, and how they were drawn.

    Attributes:
        store: Name of the store.
        store_digest: Digest of the store.
        split: ``grouped`` keeps cases of one group, and equal images, on one side; ``random`` draws single cases, as
            the study did.
        fraction: Share of the cases that was asked for, between 0 and 1.
        seed: Seed of the draw.
        stratified: Whether test cases are spread over small and large foreground alike.
        cases: All cases of the store, sorted by id.

    Example:
        >>> from llmseg import SyntheticStore, hold_out
        >>> store = SyntheticStore("fundus", count=10)
        >>> holdout = hold_out(store)
        >>> len(holdout.test(store).ids), len(holdout.rest(store).ids)
        (1, 9)
    """

    store: str
    store_digest: str
    split: Literal["grouped", "random"]
    fraction: float
    seed: int
    stratified: bool
    cases: tuple[HeldCase, ...]

    def __repr__(self) -> str:
        counts = f"{len(self.test_ids)} of {len(self.cases)} cases of {self.store}"
        return f"<Holdout: {counts}, {self.split}, seed {self.seed}>"

    @property
    def test_ids(self) -> tuple[str, ...]:
        """Ids of the test cases, sorted."""
        return tuple(case.id for case in self.cases if case.held)

    @property
    def digest(self) -> str:
        """SHA-256 over all fields, 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def test(self, store: Store) -> Subset:
        """Return the test cases.

        Raises:
            UserError: The store is not the one they were drawn from.
        """
        self._check(store)
        return Subset(store, self.test_ids)

    def rest(self, store: Store) -> Subset:
        """Return the cases that may be trained on.

        The store may be another one than the test cases were drawn from, such as a second dataset that shares images
        with it. Then every case is left out whose image is one of the test images.

        Raises:
            UserError: The store has the same cases in other groups, and a group would lie on both sides.
        """
        if store.digest == self.store_digest:
            held = set(self.test_ids)
            return Subset(store, tuple(id for id in store.ids if id not in held))
        held_images = {case.content for case in self.cases if case.held}
        images = map_ahead(lambda id: digest_image(store.read(id).image), store.ids)
        rest = tuple(id for id, image in zip(store.ids, images, strict=True) if image not in held_images)
        self._check_divided(store, rest)
        return Subset(store, rest)

    def parts(self, store: Store) -> dict[str, str]:
        """Return for each id whether the case is in the ``test`` or in the ``rest``.

        Raises:
            UserError: The store is not the one they were drawn from.
        """
        self._check(store)
        return {case.id: "test" if case.held else "rest" for case in self.cases}

    def _check(self, store: Store) -> None:
        if store.digest == self.store_digest:
            return
        for case in self._other_groups(store)[:1]:
            raise UserError(
                f"these test cases were drawn from {self.store} with other groups than {store.name} has now: "
                f"'{case.id}' was in '{case.group}' and is in '{store.groups[case.id]}'; give the --group or --groups "
                "that they were drawn with, or draw them again by llmseg data split"
            )
        if self.store != store.name and not {case.id for case in self.cases} & set(store.ids):
            raise UserError(
                f"these test cases were drawn from {self.store}, and {store.name} has none of their names; give "
                f"the store of these cases, or draw test cases of {store.name} by llmseg data split"
            )
        raise UserError(
            f"these test cases were drawn from another state of {self.store} than {store.name} now is; "
            "draw them again by llmseg data split"
        )

    def _check_divided(self, store: Store, rest: Sequence[str]) -> None:
        """Refuse test cases that were drawn from the same cases in other groups, if one of the store's is divided."""
        if self.split != "grouped" or not self._other_groups(store):
            return
        groups = store.groups
        divided = sorted({groups[id] for id in self.test_ids} & {groups[id] for id in rest})
        if divided:
            raise UserError(
                f"these test cases were drawn with other groups than {store.name} has now: {len(divided)} groups, "
                f"first '{divided[0]}', would be divided; draw them again by llmseg data split, with the groups of now"
            )

    def _other_groups(self, store: Store) -> list[HeldCase]:
        """Return the cases that are in another group in a store; none if the store has other cases."""
        groups = store.groups
        if {case.id for case in self.cases} != set(store.ids):
            return []
        return [case for case in self.cases if groups[case.id] != case.group]

    def save(self, path: str | Path) -> None:
        """Write the manifest. The file appears complete or not at all; an earlier manifest is replaced.

        Raises:
            UserError: The file is there and is no manifest, or the disk is full or refuses it.
        """
        path = Path(path)
        self.check_place(path)
        make_folder(path.parent)
        clear_leftovers(path.parent, path.name)
        content = {"llmseg_holdout": FORMAT, "digest": self.digest, **asdict(self)}
        write_text(path, json.dumps(content, indent=1) + "\n")

    @staticmethod
    def check_place(path: Path) -> None:
        """Refuse a file that is there and is no manifest of test cases: :meth:`save` replaces nothing else.

        Raises:
            UserError: The file is none.
        """
        try:
            ours = not path.exists() or "llmseg_holdout" in json.loads(path.read_bytes())
        except (OSError, ValueError, TypeError):
            ours = False
        if not ours:
            raise UserError(f"{path} is no manifest of test cases and is not replaced; choose another --out")

    @classmethod
    def load(cls, path: str | Path) -> Holdout:
        """Read a manifest.

        Raises:
            UserError: There is none, it is damaged, or it was changed by hand.
        """
        first = Path(path) / "fold-1.json"
        if first.is_file():
            raise UserError(f"{path} is a folder of folds; name one of its manifests, such as {first}")
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            form, digest = content.pop("llmseg_holdout"), content.pop("digest")
            cases = tuple(HeldCase(**case) for case in content.pop("cases"))
            holdout = cls(**content, cases=cases)
        except OSError as error:
            raise UserError(
                f"no manifest {path} ({error.strerror}){nearest_path(path)}; make one by llmseg data split"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(f"{path} is no manifest of test cases; make one by llmseg data split") from error
        if form != FORMAT or digest != holdout.digest:
            raise UserError(f"{path} does not fit its own digest: it was changed; make it again by llmseg data split")
        return holdout
