"""Probes that ask what scores are computed from: P6, P10 and P11."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from llmseg.admission.findings import Finding
from llmseg.admission.probes.bench import Bench, Trial, Variation
from llmseg.admission.probes.changes import empty_masks
from llmseg.admission.probes.gates import judge_ending
from llmseg.admission.probes.numbers import Score
from llmseg.admission.probes.result import ProbeResult
from llmseg.admission.probes.seen import Counts, count_tested_pixels, find_changing_image
from llmseg.admission.probes.weights import list_replacements

_ROUNDING = 1e-3
"""Sums of other batches are rounded otherwise, and other kernels may be chosen; larger differences are no rounding."""

_AGAIN = 1e-5
"""The same batch is computed by the same kernels; a dropout deep in a network with skips changes outputs by 1e-4."""

_DEGENERATE = 0.002
"""Scores nearer to 0 or 1 may be equal for many masks, such as all that are empty."""


def probe_repeated_prediction(bench: Bench) -> ProbeResult:
    """P6: predicting the same batch again, and in batches of 1 and of 2, gives equal masks."""
    first = bench.unchanged
    if (stopped := judge_ending("P6", first)) is not None:
        return stopped
    again = first.observation.again
    moving = find_changing_image(first)
    if again is None and moving is None:
        return ProbeResult("P6", "does not apply", "no batch was seen to be scored")
    compared = {} if again is None else {"twice": again.twice, "batches of 1": again.ones, "batches of 2": again.twos}
    if again is not None and again.twice > _AGAIN:
        return _random("predicting the same batch twice", f"outputs that differ by up to {again.twice:.3g}", compared)
    if again is not None and max(again.ones, again.twos) > _ROUNDING:
        found = f"outputs that differ by up to {max(again.ones, again.twos):.3g}"
        return _random("predicting the same cases in batches of 1 and of 2", found, compared)
    if moving:
        return _random(f"images of case {moving} in two passes that are scored", "two different images", compared)
    reason = "the same cases have the same masks again, in batches of 1 and of 2"
    return ProbeResult("P6", "holds", reason, compared=compared)


def _random(evidence: str, found: str, compared: dict[str, float]) -> ProbeResult:
    finding = Finding(7, evidence, expected="the same", found=found, found_by="P6")
    return ProbeResult("P6", "broken", f"{evidence}: {found}", (finding,), compared)


def probe_own_formula(bench: Bench) -> ProbeResult:
    """P10: the test score that is printed or written is what some usual formula gives on the scripts' own outputs."""
    first = bench.unchanged
    if (stopped := judge_ending("P10", first)) is not None:
        return stopped
    named = [score for score in first.scores if score.concerns_test]
    if not named:
        return ProbeResult("P10", "does not apply", "no number is called a test score")
    known = list(_usual_scores(first))
    if not known:
        return ProbeResult("P10", "does not apply", "no output was seen to be scored")
    unexplained = [score for score in named if not _is_among(score, known)]
    if unexplained:
        return ProbeResult("P10", "does not apply", f"no usual formula gives {unexplained[0]}")
    return ProbeResult("P10", "holds", f"{len(named)} test scores are what a usual formula gives on the outputs")


def _is_among(score: Score, known: list[float]) -> bool:
    unit = 10.0 ** -min(score.digits, 5)
    return any(abs(score.value - factor * value) <= 0.51 * unit + 1e-6 for value in known for factor in (1, 100))


def _usual_scores(trial: Trial) -> Iterator[float]:
    """Yield Dice and IoU of the tested outputs: of cases and batches, and means, deviations and extremes of these."""
    batches = count_tested_pixels(trial)
    for smooth, measure in itertools.product((0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1.0), (_dice, _iou)):
        by_case = [[measure(counts, smooth) for counts in batch] for batch in batches]
        by_batch = [measure(_sum(batch), smooth) for batch in batches]
        means = [float(np.mean(cases)) for cases in by_case]
        for values in (by_batch, means, list(itertools.chain(*by_case))):
            yield from values
            yield from (float(summary(values)) for summary in (np.mean, np.median, np.std, np.min, np.max) if values)


def _sum(batch: list[Counts]) -> Counts:
    both, predicted, target = (sum(values) for values in zip(*batch, strict=True))
    return both, predicted, target


def _dice(counts: Counts, smooth: float) -> float:
    both, predicted, target = counts
    return (2 * both + smooth) / (predicted + target + smooth) if predicted + target + smooth else 1.0


def _iou(counts: Counts, smooth: float) -> float:
    both, predicted, target = counts
    either = predicted + target - both
    return (both + smooth) / (either + smooth) if either + smooth else 1.0


def probe_empty_training(bench: Bench) -> ProbeResult:
    """P11: scores are others after a training on empty masks, or against other masks. What is not, nothing computes."""
    first = bench.unchanged
    if not bench.other_ids:
        return ProbeResult("P11", "does not apply", "it was not seen on which cases the scripts train")
    empty = bench.run(Variation("training-masks-empty", ((empty_masks, bench.masks_of(bench.other_ids)),)))
    if (stopped := judge_ending("P11", first, empty)) is not None:
        return stopped
    scores = [score for score in first.scores if _DEGENERATE < score.share < 1 - _DEGENERATE and score.digits > 1]
    if not scores:
        return ProbeResult("P11", "does not apply", "no score between 0 and 1 with two digits was printed or written")
    if first.tested and first.tested == empty.tested:
        return ProbeResult("P11", "does not apply", "the tested weights do not depend on the masks that are trained on")
    others = [empty]
    others += [bench.run(variation) for variation in list_replacements(bench)]
    if len(others) == 1:
        return ProbeResult("P11", "does not apply", "no case was seen to be scored only")
    if (stopped := judge_ending("P11", *others)) is not None:
        return stopped
    texts = [{score.key: score.text for score in trial.scores} for trial in others]
    constant = [score for score in scores if all(text.get(score.key) == score.text for text in texts)]
    compared = {str(score): [text.get(score.key) for text in texts] for score in scores[:20]}
    if not constant:
        return ProbeResult("P11", "holds", f"{len(scores)} scores depend on masks and weights", compared=compared)
    runs = ", ".join(f"'{trial.variation.name}'" for trial in others)
    finding = Finding(
        22,
        f"the number '{constant[0].name}' ({constant[0].place}) in the runs {runs}",
        expected="another number where weights or masks are others",
        found=f"{constant[0].text} in all {len(others) + 1} runs",
        found_by="P11",
    )
    return ProbeResult(
        "P11", "broken", f"{len(constant)} of {len(scores)} scores depend on nothing", (finding,), compared
    )
