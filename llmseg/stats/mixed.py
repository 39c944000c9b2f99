"""A mixed-effects model of the scores, as a second opinion on the resampling."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from llmseg.errors import UserError, shorten_list
from llmseg.stats.blocks import find_contender, make_blocks
from llmseg.stats.table import Table
from llmseg.stats.words import ONE_SEED, p_text

MOST_ROWS = 3000
"""Rows of a fit with several seeds, at most; with more it takes minutes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MixedModel:
    """A fitted mixed-effects model.

    Attributes:
        measure: The measure.
        reference: The contender the others are compared with.
        effects: A row per other contender: ``contender, difference, low, high, p``. The p values are not corrected for
            their number.
        variances: Variance of each random effect, and of the ``rest``.
        groups: Number of groups of cases.
        trainings: Number of trainings.
        converged: Whether the fit converged.
        formula: The model, in the notation of R.
        assumptions: What has to hold, a sentence each.
        remarks: What a reader has to know, a sentence each.
    """

    measure: str
    reference: str
    effects: pd.DataFrame
    variances: dict[str, float]
    groups: int
    trainings: int
    converged: bool
    formula: str
    assumptions: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The model in one sentence."""
        smallest = self.effects["p"].min()
        alone = ", one seed" if ONE_SEED in self.remarks else ""
        return (
            f"Mixed model of {self.measure} against {self.reference}: smallest p {p_text(smallest)} (uncorrected) "
            f"among {len(self.effects)}, {self.groups} groups, {self.trainings} trainings{alone}"
            f"{'' if self.converged else '; the fit did not converge, do not use it'}."
        )


def mixed_model(table: Table, reference: str, *, measure: str = "dice", phase: str = "test") -> MixedModel:
    """Fit a mixed-effects model of the scores, by statsmodels and REML.

    Scores are first averaged over the cases of a group. Contender and dataset are fixed effects, because both are
    compared by name. A group is a random effect that all contenders share. Where there are several seeds, two more
    random effects are fitted: the interaction of contender and group, and the training (contender, dataset and seed).

    Args:
        table: The scores.
        reference: The contender the others are compared with.
        measure: Which measure.
        phase: Which phase.

    Raises:
        UserError: There is no such contender, a score is missing, there are too many rows, or scores do not vary.

    Example:
        >>> from llmseg.stats import simulate
        >>> model = mixed_model(simulate(pipelines=[0.0, 0.05], seeds=1, cases=30), "llm-01")
        >>> model.effects["contender"].tolist(), bool(model.effects["p"][0] < 0.01)
        (['llm-02'], True)
    """
    frame = _frame(table, measure, phase)
    names = tuple(frame["contender"].unique())
    find_contender(names, reference)
    groups = frame["group"].nunique()
    if len(names) < 2:
        raise UserError(f"the table has one contender, {shorten_list(names)}; a comparison needs two")
    seeds = frame["training"].nunique() > frame[["contender", "dataset"]].drop_duplicates().shape[0]
    if seeds and len(frame) > MOST_ROWS:
        raise UserError(
            f"{len(frame)} rows (contender, seed, group) are more than the {MOST_ROWS} a mixed model can take; "
            "select() two contenders or one dataset, or use compare_all()"
        )
    if np.ptp(frame["value"]) == 0:
        raise UserError(f"all {measure} scores are {frame['value'].iloc[0]:g}; a model needs scores that vary")
    fixed = f"value ~ C(contender, Treatment({reference!r}))" + (
        " + C(dataset)" if frame["dataset"].nunique() > 1 else ""
    )
    fitted, remarks = _fit(frame, fixed, seeds)
    effects = pd.DataFrame(_effect(fitted, reference, name) for name in names if name != reference)
    parts = dict(zip(fitted.model.exog_vc.names, fitted.vcomp, strict=True))
    single = () if seeds else (ONE_SEED,)
    return MixedModel(
        measure=measure,
        reference=reference,
        effects=effects,
        variances={**{name: float(value) for name, value in parts.items()}, "rest": float(fitted.scale)},
        groups=groups,
        trainings=frame["training"].nunique(),
        converged=bool(fitted.converged),
        formula=f"{fixed} + (1 | group)" + (" + (1 | contender:group) + (1 | training)" if seeds else ""),
        assumptions=(
            "random parts and rest are normal, with the same spread everywhere",
            "groups and seeds are many: with three seeds p is too small, use compare_all()",
        ),
        remarks=(*table.remarks, *single, *remarks),
    )


def _frame(table: Table, measure: str, phase: str) -> pd.DataFrame:
    """Return a row per contender, dataset, group and seed, with the names that the random effects go by."""
    frames = []
    for block in make_blocks(table, measure, phase=phase):
        averaged = block.sums / block.sizes
        contender, seed, group = (index.ravel() for index in np.indices(averaged.shape))
        frame = pd.DataFrame({"contender": np.array(block.contenders)[contender], "dataset": block.dataset})
        frame["group"] = [f"{block.dataset} {index}" for index in group]
        frame["cell"] = frame["contender"] + " " + frame["group"]
        frame["training"] = frame["contender"] + f" {block.dataset} " + pd.Series(seed).astype(str)
        frames.append(frame.assign(value=averaged.ravel()))
    rows: pd.DataFrame = pd.concat(frames, ignore_index=True)
    return rows


def _fit(frame: pd.DataFrame, fixed: str, seeds: bool) -> tuple[Any, tuple[str, ...]]:
    """Fit the model; return it and what statsmodels says about convergence."""
    import statsmodels.formula.api as smf

    parts = {"group": "0 + C(group)", "contender in group": "0 + C(cell)", "training": "0 + C(training)"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if seeds:
            # Trainings run across groups, so the random effects are crossed. statsmodels fits crossed effects as
            # variance components within a single group that holds all rows.
            model = smf.mixedlm(fixed, frame, groups=np.ones(len(frame)), vc_formula=parts, use_sparse=True)
        else:
            model = smf.mixedlm(fixed, frame, groups="group", vc_formula={"group": "1"}, re_formula="0")
        fitted = model.fit(reml=True, method="lbfgs")
    texts = {str(warning.message).splitlines()[0] for warning in caught if "onverge" in str(warning.message)}
    return fitted, tuple(f"statsmodels says: {text}" for text in sorted(texts))


def _effect(fitted: Any, reference: str, name: str) -> dict[str, object]:
    term = f"C(contender, Treatment({reference!r}))[T.{name}]"
    low, high = fitted.conf_int().loc[term]
    return {
        "contender": name,
        "difference": float(fitted.fe_params[term]),
        "low": float(low),
        "high": float(high),
        "p": float(fitted.pvalues[term]),
    }
