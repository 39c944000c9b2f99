"""Gap attribution: which parts of two recipes make one better than the other."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from llmseg.data.given import GivenHoldout, GivenStore, find_folds, find_store
from llmseg.errors import UserError, nearest
from llmseg.files import check_kind, write_text
from llmseg.files.tables import Columns, read_table
from llmseg.recipe.given import GivenRecipe
from llmseg.recipe.recipe import Recipe
from llmseg.stats.shares import Coalition, Swap, all_swaps, contributions, one_swaps, sampled_swaps
from llmseg.study.design import Design
from llmseg.study.grid import list_failures, run_designs
from llmseg.study.options import Launch
from llmseg.study.record import is_study
from llmseg.study.study import Study
from llmseg.study.variants import MASK_PARTS, PARTS, Variant, find_variant, same_masks, transplanted

if TYPE_CHECKING:
    import pandas as pd
    from typing_extensions import Unpack

    from llmseg.study.options import StudyOptions

Swaps = Literal["single", "all", "sampled"]


@dataclass(frozen=True)
class Gap:
    """The gap between two recipes, divided among their parts, on disk.

    Attributes:
        folder: Holds ``study`` (a :class:`llmseg.Study` with a variant for every mixture) and ``gap.csv``.
        left: The recipe whose parts are put into the other.
        right: The other recipe.
        swaps: The exchanges of parts whose effects were averaged.
    """

    folder: Path
    left: Variant
    right: Variant
    swaps: tuple[Swap, ...]

    @property
    def study(self) -> Study:
        """The study of all mixtures."""
        return Study.open(self.folder / "study")

    def contributions(self, measure: str = "dice", size: str = "native", level: float = 0.95) -> pd.DataFrame:
        """Return what each of the seven parts contributes, see :func:`llmseg.stats.shares.contributions`.

        Args:
            measure: As for :meth:`llmseg.Study.paired`.
            size: As for :meth:`llmseg.Study.paired`.
            level: Level of the intervals.

        Raises:
            UserError: There is no such measure or size.
        """
        names = {
            coalition: _name_mixture(self.left, self.right, coalition)
            for swap in self.swaps
            for coalition in swap.coalitions
        }
        return contributions(self.study.paired(measure, size), names, self.swaps, level=level)

    def sentence(self) -> str:
        """Return the gap in mean Dice in words, in hundredths.

        Example:
            >>> run_gap(left, right, store, "gap", holdout=holdout).sentence()  # doctest: +SKIP
            'gpt-o3 is 4.1 Dice points better than gpt-4: loss +1.6, net +1.5, interaction +1.0'
        """
        columns: Columns = {"part": "any", "difference": "number", "seeds": "whole"}
        table = read_table(self.folder / "gap.csv", columns)
        alone = "With one seed, " if (table["seeds"] == 1).any() else ""
        points = {row["part"]: 100 * row["difference"] for row in table.to_dict("records")}
        whole = points.pop("gap")
        parts = ", ".join(f"{part} {value:+.1f}" for part, value in points.items() if abs(value) >= 0.05)
        side = "better" if whole >= 0 else "worse"
        statement = (
            f"{self.left.name} is {abs(whole):.1f} Dice points {side} than {self.right.name}"
            if f"{abs(whole):.1f}" != "0.0"
            else f"{self.left.name} and {self.right.name} have the same Dice"
        )
        return f"{alone}{statement}: {parts or 'no part'}"


def run_gap(
    left: Variant | GivenRecipe,
    right: Variant | GivenRecipe,
    store: GivenStore,
    out: str | Path,
    *,
    holdout: GivenHoldout | Sequence[GivenHoldout],
    swaps: Swaps = "single",
    orders: int = 4,
    **options: Unpack[StudyOptions],
) -> Gap:
    """Train mixtures of two recipes, and say how much of the gap between them is due to each part.

    Parts that are equal in both contribute exactly nothing and cost no training; so do the two scores, which decide
    no mask. The same call made again continues an interrupted one.

    Args:
        left: The recipe whose lead over the other is explained: a variant, a pipeline or its name.
        right: The other recipe.
        store: The cases.
        out: Folder for everything.
        holdout: The test cases, or folds, as for :func:`llmseg.run_study`.
        swaps: ``single``: each part alone is put into either recipe. That takes 2 n + 2 trainings per seed for n parts
            that differ, and what these effects do not add up to is called interaction. ``all``: Shapley values, from
            all mixtures: 2 ** n trainings per seed. ``sampled``: Shapley values from some orders of exchange.
        orders: Number of orders for ``sampled``.
        **options: The options of :func:`llmseg.run_study`: ``seeds``, ``epochs``, ``device``, ``precision``,
            ``tolerance``, ``progress``. A gap cannot be divided without one of its mixtures, so that
            ``leave_out_failing`` leaves nothing.

    Raises:
        UserError: The recipes decide alike or their parts do not fit, or as :func:`llmseg.run_study`.

    Example:
        >>> import llmseg
        >>> store = llmseg.data.find_store("cohort.h5")  # doctest: +SKIP
        >>> gap = run_gap("gpt-o3", "gpt-4", store, "gaps/o3-4", holdout=llmseg.hold_out(store))  # doctest: +SKIP
        >>> print(gap.sentence())  # doctest: +SKIP
    """
    gap, design = design_gap(left, right, store, out, holdout=holdout, swaps=swaps, orders=orders, **options)
    (study,) = run_designs([design], Launch.of(options))
    if study is None:
        raise UserError(f"{list_failures(design)}; a gap needs all its mixtures: mend it")
    return finish_gap(gap)


def design_gap(
    left: Variant | GivenRecipe,
    right: Variant | GivenRecipe,
    store: GivenStore,
    out: str | Path,
    *,
    holdout: GivenHoldout | Sequence[GivenHoldout],
    swaps: Swaps,
    orders: int,
    **options: Any,
) -> tuple[Gap, Design]:
    """Return a gap, and the study that has to be trained for it; the arguments are those of :func:`run_gap`."""
    left, right = find_variant(left), find_variant(right)
    folder = Path(out)
    check_kind(folder, "gap", holds=is_study(folder / "study"))
    chosen = _choose_swaps(swaps, orders)
    # Without the parts that are equal in both, many coalitions are the same mixture: each is trained once.
    mixtures = {coalition & _find_differing_parts(left, right) for swap in chosen for coalition in swap.coalitions}
    coalitions = sorted(mixtures, key=_sort_key)
    variants = tuple(_mix(left, right, coalition) for coalition in coalitions)
    design = Design.of(
        options,
        folder=folder / "study",
        label=f"{left.name} against {right.name}",
        variants=variants,
        store=find_store(store),
        folds=find_folds(holdout),
        essential=frozenset(variant.name for variant in variants),
    )
    return Gap(folder, left, right, chosen), design


def finish_gap(gap: Gap) -> Gap:
    """Write ``gap.csv`` from the study of a gap, and return the gap."""
    write_text(gap.folder / "gap.csv", gap.contributions().to_csv(index=False))
    return gap


def _choose_swaps(method: Swaps, orders: int) -> tuple[Swap, ...]:
    if method not in get_args(Swaps):
        allowed = ", ".join(get_args(Swaps))
        raise UserError(f"no kind of swaps '{method}'{nearest(method, get_args(Swaps))}; there are: {allowed}")
    if method == "sampled":
        return sampled_swaps(PARTS, orders)
    # A part matters differently beside poor parts and beside good ones. Single swaps ask at both ends, and average.
    return one_swaps(PARTS) if method == "single" else all_swaps(PARTS)


@functools.cache
def _find_differing_parts(left: Variant, right: Variant) -> Coalition:
    """Return the parts that change what is learnt when they are exchanged."""
    parts = frozenset(part for part in MASK_PARTS if _matters(left.recipe, right.recipe, part))
    if not parts:
        raise UserError(f"{left.name} and {right.name} differ in no part that decides a mask, so there is no gap")
    return parts


def _matters(left: Recipe, right: Recipe, part: str) -> bool:
    # Both ways, because a transplant can also change fields of other parts, such as what the network ends in.
    into_right, into_left = transplanted(right, left, [part]), transplanted(left, right, [part])
    return not (same_masks(into_right, right) and same_masks(into_left, left))


def _mix(left: Variant, right: Variant, coalition: Coalition) -> Variant:
    """Return the right recipe with some parts of the left one."""
    # Scores read what the network puts out, logits or probabilities, so they come with it. They change no mask, but a
    # score in validation that does not fit would end the training.
    scores = {"score", "test"} if "net" in coalition else set()
    return Variant(_name_mixture(left, right, coalition), transplanted(right.recipe, left.recipe, coalition | scores))


def _name_mixture(left: Variant, right: Variant, coalition: Coalition) -> str:
    given = coalition & _find_differing_parts(left, right)
    if not given:
        return right.name
    if given == _find_differing_parts(left, right):
        return left.name
    return f"{_list_parts(given)} of {left.name}"


def _list_parts(parts: Coalition) -> str:
    return "+".join(part for part in PARTS if part in parts)


def _sort_key(coalition: Coalition) -> tuple[int, Sequence[int]]:
    return len(coalition), sorted(PARTS.index(part) for part in coalition)
