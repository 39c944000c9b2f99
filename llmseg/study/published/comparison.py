"""Results beside the published figures of the study: Dice beside Dice, ranks beside ranks, and how well they agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from llmseg import zoo
from llmseg.data.catalog import get_dataset
from llmseg.data.store import Store
from llmseg.errors import UserError, nearest, shorten_list
from llmseg.stats.agreement import Agreement, compute_agreement
from llmseg.stats.averages import means
from llmseg.stats.published_scores import published_dice
from llmseg.stats.rank_agreement import kendall
from llmseg.stats.ranking import Ranking, rank
from llmseg.stats.table import Table, contender_names
from llmseg.stats.words import count_text
from llmseg.study.origins import find_entry
from llmseg.study.published.defects import explain_defects, scoring_defects
from llmseg.study.published.limits import list_limits
from llmseg.study.results import Results

MEASURE, PHASE = "dice", "test"
"""What the study published, and what it is compared with."""

_COLUMNS = [
    *("pipeline", "published_mean", "printed_mean", "certainty", "published_median", "published_q1", "published_q3"),
    *("defects", "mean", "low", "high", "median", "difference", "difference_of_medians"),
    *("published_rank", "rank", "rank_low", "rank_high"),
]


@dataclass(frozen=True, kw_only=True, eq=False)
class DatasetComparison:
    """Results on one dataset beside the published figures.

    Attributes:
        dataset: Name of the dataset in the results.
        published_as: What the study calls it.
        frame: A row per pipeline, in the order of our ranks: ``pipeline``; ``published_mean`` (without header cells
            where that is known exactly), ``printed_mean`` (as the study has it), ``certainty`` (of whose mean it is);
            ``published_median, published_q1, published_q3``; ``defects``, a tuple of names in ``explanations`` of the
            whole comparison; ``mean, low, high`` (ours, with the 95 % confidence interval) and ``median`` (ours, of
            cases); ``difference`` and ``difference_of_medians`` (ours less published); ``published_rank`` (by the
            published median, among the pipelines of these rows), ``rank`` (by our mean), and ``rank_low`` and
            ``rank_high`` (between them lie 95 % of its ranks on resampled cases and seeds; NaN where these are too
            few). NaN where the study has no number, or none that can be used.
        kendall: Agreement of the ranks, by pairs.
        spearman: The same as a correlation of ranks.
        of_medians: Kendall's tau with ranks by our medians, to see whether mean or median matters; NaN as the others.
        resampled: Between them lie 95 % of Kendall's tau on resampled cases and seeds; NaN where these are too few.
        remarks: What a reader has to know of this dataset, a sentence each.

    Example:
        >>> import llmseg
        >>> results = llmseg.study.read_results("studies/brain")  # doctest: +SKIP
        >>> llmseg.study.compare_with_published(results).datasets[0].kendall  # doctest: +SKIP
    """

    dataset: str
    published_as: str
    frame: pd.DataFrame
    kendall: Agreement | None
    spearman: Agreement | None
    of_medians: float
    resampled: tuple[float, float]
    remarks: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """How well the ranks agree, in words."""
        where = f"On {self.dataset}"
        if self.kendall is None or self.spearman is None:
            return f"{where}, fewer than two pipelines have a published rank and one here: no order can be compared."
        tau, rho = self.kendall, self.spearman
        who = count_text(tau.count, "pipeline")
        if math.isnan(tau.value):
            return f"{where}, all of {who} share one rank: no order can be compared."
        found = (
            f"{where}, the order of {who} agrees with the published one with Kendall's tau {_coefficient(tau)} and "
            f"Spearman's rho {_coefficient(rho)}"
        )
        if not math.isnan(self.resampled[0]):
            found += ". On other draws of our cases and seeds, tau lies between {:.2f} and {:.2f}".format(
                *self.resampled
            )
        if not tau.is_shown:
            return f"{found}. The interval of tau holds 0, so it is not shown that the orders have anything in common."
        alike = "alike" if tau.value > 0 else "opposed"
        return f"{found}. So the orders are {alike}, more than chance would make them."


def _coefficient(found: Agreement) -> str:
    return f"{found.value:.2f} ({100 * found.level:g} % interval {found.low:.2f} to {found.high:.2f})"


@dataclass(frozen=True, kw_only=True, eq=False)
class PublishedComparison:
    """Results beside the published figures of the study.

    Attributes:
        datasets: The comparison on every dataset of which the study published figures.
        explanations: What is wrong with published numbers, a sentence for each name in ``defects``.
        limits: What cannot be compared, and why, a sentence each.
        left_out: Why other datasets and contenders are not compared, a sentence each.
        remarks: What a reader has to know of all results, a sentence each.
    """

    datasets: tuple[DatasetComparison, ...]
    explanations: Mapping[str, str]
    limits: tuple[str, ...]
    left_out: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """The rows of all datasets, with ``dataset`` and ``published_as`` in front; ``defects`` is a text."""
        rows = []
        for part in self.datasets:
            texts = part.frame["defects"].map(" ".join)
            rows.append(part.frame.assign(dataset=part.dataset, published_as=part.published_as, defects=texts))
        columns = ["dataset", "published_as", *_COLUMNS]
        joined: pd.DataFrame = pd.concat(rows, ignore_index=True)[columns]
        return joined


def compare_with_published(
    results: Results, *, prepared_as: Mapping[str, str] | None = None, stores: Sequence[Store] = ()
) -> PublishedComparison:
    """Put results beside the Dice that the study published.

    Compared are the pipelines of the study under their own names, on the datasets that were prepared as one of the
    study's six. Published ranks are those of the medians in its box plots, which exist for all nineteen pipelines;
    means are known for some. The differences say what differs between our study and the published one, and not what
    was computed wrongly: read ``limits``.

    Args:
        results: As :func:`llmseg.study.read_results` returns it.
        prepared_as: Which dataset of the catalogue a dataset of the results is, by its name, where runs and
            evaluations do not say it.
        stores: Stores of the datasets, which may say it, too.

    Raises:
        UserError: The results have no Dice, or none of a pipeline and dataset that the study published; or a dataset
            is named that the results or the catalogue do not have.

    Example:
        >>> rows = pd.DataFrame({"pipeline": ["gpt-4o", "gpt-o3"], "value": [0.8, 0.9], "dataset": "scans"})
        >>> rest = {"case": "1", "group": "1", "variant": "base", "seed": 0, "phase": "test", "measure": "dice"}
        >>> results = Results(Table.from_frame(rows, fill=rest), ())
        >>> found = compare_with_published(results, prepared_as={"scans": "bagls"})
        >>> found.frame[["pipeline", "published_median", "published_rank", "rank"]].values.tolist()
        [['gpt-o3', 0.883, 1.0, 1], ['gpt-4o', 0.881, 2.0, 2]]
    """
    table = results.scores.select(measure=MEASURE, phase=PHASE)
    known = _published_names(results, table.datasets, prepared_as or {}, stores)
    published = published_dice()
    others = [name for name in table.datasets if name not in known]
    compared, left_out = [], []
    if others:
        left_out.append(f"not prepared as a dataset of the study: {shorten_list(others)}")
    strangers = [name for name in table.contenders if name not in set(published["pipeline"])]
    if strangers:
        left_out.append(f"no pipelines of the study, or changed ones: {shorten_list(strangers)}")
    for name, published_as in known.items():
        ours = _complete(Table(table.select(dataset=name).frame))
        if ours is None:
            left_out.append(f"{name}: no pipeline of the study has a score there on cases that all have")
        else:
            compared.append(_compare(name, published_as, ours, published[published["dataset"] == published_as]))
    if not compared:
        raise UserError(
            f"nothing to compare with the published figures: {'; '.join(left_out)}; give results of the study's "
            "pipelines on datasets that llmseg data prepare made, or name one by prepared_as (--as NAME=DATASET)"
        )
    pipelines = {name for part in compared for name in part.frame["pipeline"]}
    return PublishedComparison(
        datasets=tuple(compared),
        explanations=explain_defects(part.frame for part in compared),
        limits=list_limits(results, {part.dataset: part.published_as for part in compared}, pipelines),
        left_out=tuple(left_out),
        remarks=table.remarks,
    )


def _published_names(
    results: Results, datasets: Sequence[str], prepared_as: Mapping[str, str], stores: Sequence[Store]
) -> dict[str, str]:
    """Return what the study calls each dataset of the results that is one of its six."""
    for name in prepared_as:
        if name not in datasets:
            raise UserError(f"no dataset '{name}'{nearest(name, datasets)}; the results have {shorten_list(datasets)}")
    by_id = {get_dataset(name).id: name for name in published_dice()["dataset"].unique()}
    found = {}
    for name in datasets:
        entry = get_dataset(prepared_as[name]) if name in prepared_as else find_entry(results, name, stores)
        if name in prepared_as and entry is not None and entry.id not in by_id:
            raise UserError(f"the study published no figures of {entry.title}; it has {', '.join(by_id)}")
        if entry is not None and entry.id in by_id:
            found[name] = by_id[entry.id]
    return found


def _complete(table: Table) -> Table | None:
    """Return the scores of the study's pipelines on cases that all of them have; ``None`` if there are none."""
    names = contender_names(table.frame)
    ours = table.frame[names.isin(zoo.names()) & table.frame["value"].notna()]
    if ours.empty:
        return None
    try:
        return Table(ours.reset_index(drop=True), table.remarks).complete(MEASURE, phase=PHASE)
    except UserError:
        return None


def _compare(dataset: str, published_as: str, ours: Table, published: pd.DataFrame) -> DatasetComparison:
    frame = _join(ours, published)
    ranking = rank(ours, measure=MEASURE, phase=PHASE) if len(ours.contenders) > 1 else None
    if ranking is None:
        frame = frame.assign(rank=1.0, rank_low=math.nan, rank_high=math.nan)
    else:
        ranks = ranking.frame.rename(columns={"contender": "pipeline", "low": "rank_low", "high": "rank_high"})
        if ranking.few:
            ranks = ranks.assign(rank_low=math.nan, rank_high=math.nan)
        frame = ranks[["pipeline", "rank", "rank_low", "rank_high"]].merge(frame, on="pipeline")
    frame["published_rank"] = frame["place"].rank()
    both = frame[frame["published_rank"].notna()]
    enough = len(both) > 1
    orders = (-both["published_rank"].to_numpy(), both["mean"].to_numpy())
    return DatasetComparison(
        dataset=dataset,
        published_as=published_as,
        frame=frame[_COLUMNS],
        kendall=compute_agreement(*orders, "kendall") if enough else None,
        spearman=compute_agreement(*orders, "spearman") if enough else None,
        of_medians=_tau(orders[0], both["median"].to_numpy()) if enough else math.nan,
        resampled=_resample(ranking, frame) if ranking is not None and enough else (math.nan, math.nan),
        remarks=tuple(dict.fromkeys([*ours.remarks, *(ranking.remarks if ranking else ())])),
    )


def _join(ours: Table, published: pd.DataFrame) -> pd.DataFrame:
    """Return our means and medians beside the published ones, with the defects of each number."""
    averages = means(ours, measure=MEASURE, phase=PHASE).rename(columns={"contender": "pipeline"})
    by_case = ours.frame.assign(pipeline=contender_names(ours.frame)).groupby(["pipeline", "case"])["value"].mean()
    medians = by_case.groupby("pipeline").median().rename("median").reset_index()
    theirs = published.rename(
        columns={"mean": "printed_mean", "median": "published_median", "q1": "published_q1", "q3": "published_q3"}
    )
    theirs["published_mean"] = theirs["corrected"].fillna(theirs["printed_mean"])
    frame = averages[["pipeline", "mean", "low", "high"]].merge(medians, on="pipeline").merge(theirs, on="pipeline")
    frame["difference"] = frame["mean"] - frame["published_mean"]
    frame["difference_of_medians"] = frame["median"] - frame["published_median"]
    scoring = frame["pipeline"].map(lambda name: tuple(scoring_defects(name)))
    frame["defects"] = frame["defects"] + scoring
    joined: pd.DataFrame = frame
    return joined


def _tau(first: np.ndarray, second: np.ndarray) -> float:
    return float(kendall(first[None], np.round(second, 12)[None])[0])


def _resample(ranking: Ranking, frame: pd.DataFrame) -> tuple[float, float]:
    """Return between which values of Kendall's tau 95 % lie when cases and seeds are drawn again."""
    if ranking.few:
        return math.nan, math.nan
    published = frame.set_index("pipeline")["published_rank"].reindex(ranking.frame["contender"]).to_numpy()
    known = ~np.isnan(published)
    drawn = ranking.resampled[:, known].astype(float)
    low, high = np.quantile(kendall(np.broadcast_to(published[known], drawn.shape), drawn), [0.025, 0.975])
    return float(low), float(high)
