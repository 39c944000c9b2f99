"""Held-out test cases: drawn once per dataset, kept out of every training, named by a digest in every result.

``llmseg data split`` draws them and writes a *manifest*, a JSON file that lists all cases and tells which are held out.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from scipy.cluster.hierarchy import DisjointSet
from tqdm import tqdm

from llmseg.data.image_digests import digest_image
from llmseg.data.read_ahead import map_ahead
from llmseg.data.reading_check import check_reading
from llmseg.data.shuffle import shuffle_names
from llmseg.data.store import FOREGROUND, Store
from llmseg.data.subset import Subset
from llmseg.errors import UserError
from llmseg.files import clear_leftovers, write_text

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
        >>> from llmseg import SyntheticStore
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
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            form, digest = content.pop("llmseg_holdout"), content.pop("digest")
            cases = tuple(HeldCase(**case) for case in content.pop("cases"))
            holdout = cls(**content, cases=cases)
        except OSError as error:
            raise UserError(f"no manifest {path} ({error.strerror}); make one by llmseg data split") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(f"{path} is no manifest of test cases; make one by llmseg data split") from error
        if form != FORMAT or digest != holdout.digest:
            raise UserError(f"{path} does not fit its own digest: it was changed; make it again by llmseg data split")
        return holdout


def hold_out(
    store: Store,
    *,
    fraction: float = 0.1,
    seed: int = 0,
    split: Literal["grouped", "random"] = "grouped",
    stratified: bool = True,
    progress: bool = False,
) -> Holdout:
    """Draw the test cases of a dataset.

    With ``grouped``, no group lies on both sides, and groups that share an image count as one. Groups are sorted by
    their mean share of foreground and cut into rows of ``1 / fraction`` groups. Of each row one group is drawn, so
    small and large targets are both tested. Where groups differ in size, the share of test cases differs from the
    fraction.

    With ``random``, single cases are drawn, whatever they belong to. The study drew so. Comparing both shows what data
    leakage is worth.

    The draw depends on the names of the groups, the seed and the foreground. No library's random generator is in
    it, see :func:`llmseg.data.shuffle.shuffle_names`.

    Args:
        store: The cases; all are read once.
        fraction: Share of the cases to hold out, above 0 and below 1. At least one case is held out.
        seed: Seed of the draw.
        split: ``grouped`` or ``random``.
        stratified: Whether ``grouped`` sorts by foreground. Otherwise groups are drawn one after another.
        progress: Whether to show a progress bar.

    Raises:
        UserError: The fraction or the split is not allowed, a case cannot be read, or there are too few groups.

    Example:
        >>> from llmseg import SyntheticStore
        >>> holdout = hold_out(SyntheticStore("fundus", count=10), fraction=0.2)
        >>> len(holdout.test_ids)
        2
    """
    if not 0 < fraction < 1:
        raise UserError(f"fraction is {fraction}; it must be above 0 and below 1")
    if split not in ("grouped", "random"):
        raise UserError(f"split is '{split}'; it may be grouped or random")
    check_reading(store, progress=progress)
    facts = _read_facts(store, progress)
    if split == "random":
        held = set(_draw_cases(list(store.ids), fraction, seed))
    else:
        clusters = _join_groups(store, facts)
        shares = {name: sum(facts[id].foreground for id in ids) / len(ids) for name, ids in clusters.items()}
        by_share = sorted(clusters, key=lambda name: (shares[name], name))
        drawn = _draw_from_rows(by_share, fraction, seed) if stratified else _draw_clusters(clusters, fraction, seed)
        held = {id for name in drawn for id in clusters[name]}
    if len(held) == len(store.ids):
        raise UserError(f"{store.name} has too few groups to hold some out: {len(set(store.groups.values()))}")
    cases = tuple(HeldCase(id, store.groups[id], facts[id].image, id in held) for id in sorted(store.ids))
    return Holdout(store.name, store.digest, split, fraction, seed, stratified and split == "grouped", cases)


class _Facts(NamedTuple):
    """What the draw asks of a case: the digest of its image, and the share of foreground, 0 to 1."""

    image: str
    foreground: float


def _read_facts(store: Store, progress: bool) -> dict[str, _Facts]:
    def measure(id: str) -> _Facts:
        case = store.read(id)
        return _Facts(digest_image(case.image), float((case.mask > FOREGROUND).mean()))

    ids = tqdm(store.ids, desc="read", unit="case", leave=False, disable=not progress)
    return dict(zip(store.ids, map_ahead(measure, ids), strict=True))


def _join_groups(store: Store, facts: Mapping[str, _Facts]) -> dict[str, list[str]]:
    """Return clusters: what must not be torn apart. A cluster is a group, or several that share an image.

    Returns:
        Ids by the name of the cluster, which is the first of its groups' names in the alphabet.
    """
    groups = store.groups
    joined = DisjointSet(set(groups.values()))
    group_of_image: dict[str, str] = {}
    for id in store.ids:
        # A group is joined with the one in which the same image came first, often itself.
        joined.merge(groups[id], group_of_image.setdefault(facts[id].image, groups[id]))
    cluster_of = {group: min(together) for together in joined.subsets() for group in together}
    clusters: dict[str, list[str]] = defaultdict(list)
    for id in store.ids:
        clusters[cluster_of[groups[id]]].append(id)
    return clusters


def _draw_cases(names: Sequence[str], fraction: float, seed: int) -> list[str]:
    # Rounded down, as the study did: 73 cases give 7 test cases.
    return shuffle_names(names, seed)[: max(1, int(fraction * len(names)))]


def _draw_from_rows(ordered: Sequence[str], fraction: float, seed: int) -> Iterable[str]:
    """Cut names into rows of about equal length, and draw one name of each."""
    # At most one row less than names, or every row had one name and all would be drawn.
    rows = max(1, min(round(fraction * len(ordered)), len(ordered) - 1))
    for row in range(rows):
        start, stop = row * len(ordered) // rows, (row + 1) * len(ordered) // rows
        yield shuffle_names(ordered[start:stop], seed)[0]


def _draw_clusters(clusters: Mapping[str, Sequence[str]], fraction: float, seed: int) -> list[str]:
    """Draw clusters one after another, and take each that still fits into the share of cases.

    If none fits, the smallest is taken.
    """
    left = fraction * sum(map(len, clusters.values()))
    chosen = []
    for name in shuffle_names(clusters, seed):
        if len(clusters[name]) <= left:
            left -= len(clusters[name])
            chosen.append(name)
    return chosen or [min(clusters, key=lambda name: (len(clusters[name]), name))]
