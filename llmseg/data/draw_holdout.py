"""Drawing held-out test cases, once or in folds, so that no group and no equal images lie on both sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from tqdm import tqdm

from llmseg.data.given import GivenStore, find_store
from llmseg.data.holdout import HeldCase, Holdout
from llmseg.data.image_digests import digest_image
from llmseg.data.read_ahead import map_ahead
from llmseg.data.reading_check import check_reading
from llmseg.data.shuffle import shuffle_names
from llmseg.data.store import FOREGROUND, Store
from llmseg.errors import UserError


def hold_out(
    store: GivenStore,
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
        store: The cases, a store or a path as for :func:`llmseg.data.find_store`; all are read once.
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
    _check(fraction, split)
    store = find_store(store)
    check_reading(store, progress=progress)
    return _draw(store, _read_facts(store, progress), fraction, seed, split, stratified)


def guess_holdout(
    store: Store,
    *,
    fraction: float = 0.1,
    seed: int = 0,
    split: Literal["grouped", "random"] = "grouped",
    progress: bool = False,
) -> Holdout:
    """Return about as many test cases as :func:`hold_out` draws, for a plan; no image is read.

    Foreground and equal images are not looked at, so these are not the cases that are held out in the end. Where groups
    differ in size, their number may differ, too. The arguments are those of :func:`hold_out`.

    Raises:
        UserError: As for :func:`hold_out`; masks of folders are checked.
    """
    _check(fraction, split)
    check_reading(store, progress=progress)
    return _draw(store, _guess_facts(store), fraction, seed, split, stratified=True)


def _check(fraction: float, split: str) -> None:
    if not 0 < fraction < 1:
        meant = f"; did you mean {fraction / 100:g}?" if 1 < fraction < 100 else ""
        raise UserError(f"fraction is {fraction}; it must be above 0 and below 1{meant}")
    _check_split(split)


class _Facts(NamedTuple):
    """What the draw asks of a case: the digest of its image, and the share of foreground, 0 to 1."""

    image: str
    foreground: float


def _draw(
    store: Store,
    facts: Mapping[str, _Facts],
    fraction: float,
    seed: int,
    split: Literal["grouped", "random"],
    stratified: bool,
) -> Holdout:
    if split == "random":
        held = set(_draw_cases(list(store.ids), fraction, seed))
    else:
        clusters = _join_groups(store, facts)
        by_share = _sort_by_foreground(clusters, facts)
        drawn = _draw_from_rows(by_share, fraction, seed) if stratified else _draw_clusters(clusters, fraction, seed)
        held = {id for name in drawn for id in clusters[name]}
    if len(held) == len(store.ids):
        raise UserError(f"{store.name} has too few groups to hold some out: {len(set(store.groups.values()))}")
    return _make_holdout(store, facts, held, split, fraction, seed, stratified)


def draw_folds(
    store: GivenStore,
    folds: int = 5,
    *,
    seed: int = 0,
    split: Literal["grouped", "random"] = "grouped",
    stratified: bool = True,
    progress: bool = False,
) -> tuple[Holdout, ...]:
    """Divide a dataset into folds, for cross-validation: every case is a test case of exactly one fold.

    With ``grouped``, no group is divided, and groups that share an image count as one. The numbers of groups of two
    folds differ by one at most. Groups are sorted by their mean share of foreground and cut into rows of as many groups
    as there are folds. Each fold gets one group of a row, and the larger groups of a row go to the folds that have
    fewer cases.

    With ``random``, single cases are dealt out, whatever they belong to.

    Like :func:`hold_out`, the draw depends on names, seed and foreground only.

    Args:
        store: The cases; all are read once.
        folds: Number of folds, 2 or more.
        seed: Seed of the draw.
        split: ``grouped`` or ``random``.
        stratified: Whether ``grouped`` sorts by foreground. Otherwise groups are sorted at random.
        progress: Whether to show a progress bar.

    Returns:
        The held-out test set of every fold. Each can be saved and used as any other.

    Raises:
        UserError: There are fewer than two folds, or fewer groups than folds, the split is not allowed, or a case
            cannot be read.

    Example:
        >>> from llmseg import SyntheticStore
        >>> [len(fold.test_ids) for fold in draw_folds(SyntheticStore("fundus", count=10), 4)]
        [3, 3, 2, 2]
    """
    _check_folds(folds, split)
    store = find_store(store)
    check_reading(store, progress=progress)
    return _divide(store, _read_facts(store, progress), folds, seed, split, stratified)


def guess_folds(
    store: Store,
    folds: int,
    *,
    seed: int = 0,
    split: Literal["grouped", "random"] = "grouped",
    progress: bool = False,
) -> tuple[Holdout, ...]:
    """Return folds of about the size of those of :func:`draw_folds`, for a plan; no image is read.

    The arguments are those of :func:`draw_folds`.

    Raises:
        UserError: As for :func:`draw_folds`; masks of folders are checked.
    """
    _check_folds(folds, split)
    check_reading(store, progress=progress)
    return _divide(store, _guess_facts(store), folds, seed, split, stratified=True)


def _check_folds(folds: int, split: str) -> None:
    if folds < 2:
        raise UserError(f"folds is {folds}; it must be 2 or more")
    _check_split(split)


def _divide(
    store: Store,
    facts: Mapping[str, _Facts],
    folds: int,
    seed: int,
    split: Literal["grouped", "random"],
    stratified: bool,
) -> tuple[Holdout, ...]:
    clusters = _join_groups(store, facts) if split == "grouped" else {id: [id] for id in store.ids}
    if len(clusters) < folds:
        what = "groups" if split == "grouped" else "cases"
        advice = f"ask for {len(clusters)} folds or fewer" if len(clusters) > 1 else "add cases of others"
        raise UserError(f"{store.name} has too few {what} for {folds} folds: {len(clusters)}; {advice}")
    sort_by_foreground = stratified and split == "grouped"
    ordered = _sort_by_foreground(clusters, facts) if sort_by_foreground else shuffle_names(clusters, seed)
    return tuple(
        _make_holdout(store, facts, held, split, 1 / folds, seed, stratified)
        for held in _deal_out(ordered, clusters, folds, seed)
    )


def _check_split(split: str) -> None:
    if split not in ("grouped", "random"):
        raise UserError(f"split is '{split}'; it may be grouped or random")


def _make_holdout(
    store: Store,
    facts: Mapping[str, _Facts],
    held: Collection[str],
    split: Literal["grouped", "random"],
    fraction: float,
    seed: int,
    stratified: bool,
) -> Holdout:
    groups = store.groups
    cases = tuple(HeldCase(id, groups[id], facts[id].image, id in held) for id in sorted(store.ids))
    return Holdout(store.name, store.digest, split, fraction, seed, stratified and split == "grouped", cases)


def _guess_facts(store: Store) -> dict[str, _Facts]:
    """Return what the draw asks, as if no two images were equal and all had as much foreground."""
    return {id: _Facts(id, 0.0) for id in store.ids}


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
    # Importing it takes longer than a plan that needs no draw has.
    from scipy.cluster.hierarchy import DisjointSet

    groups = store.groups
    joined = DisjointSet(set(groups.values()))
    group_of_image: dict[str, str] = {}
    for id in store.ids:
        # A group is joined with the one in which the same image came first, often itself.
        joined.merge(groups[id], group_of_image.setdefault(facts[id].image, groups[id]))
    names = [(min(together), together) for together in joined.subsets()]
    cluster_of = {group: name for name, together in names for group in together}
    clusters: dict[str, list[str]] = defaultdict(list)
    for id in store.ids:
        clusters[cluster_of[groups[id]]].append(id)
    return clusters


def _sort_by_foreground(clusters: Mapping[str, Sequence[str]], facts: Mapping[str, _Facts]) -> list[str]:
    """Return the names of clusters, that with the smallest mean share of foreground first."""
    shares = {name: sum(facts[id].foreground for id in ids) / len(ids) for name, ids in clusters.items()}
    return sorted(clusters, key=lambda name: (shares[name], name))


def _deal_out(
    ordered: Sequence[str], clusters: Mapping[str, Sequence[str]], folds: int, seed: int
) -> tuple[set[str], ...]:
    """Return the ids of every fold: of each row of clusters, as long as there are folds, one goes to each of them."""
    dealt: tuple[set[str], ...] = tuple(set() for _ in range(folds))
    for start in range(0, len(ordered), folds):
        row = shuffle_names(ordered[start : start + folds], seed)
        by_size = sorted(row, key=lambda name: -len(clusters[name]))
        emptiest = sorted(dealt, key=len)
        for name, fold in zip(by_size, emptiest, strict=False):
            fold.update(clusters[name])
    return dealt


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
