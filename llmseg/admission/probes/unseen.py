"""P4, P5 and P7 for scripts whose batches are not seen: by losses and weights alone, so no kind of mistake is told."""

from __future__ import annotations

from llmseg.admission.probes.bench import Bench, Trial, Variation
from llmseg.admission.probes.gates import judge_ending, judge_weights
from llmseg.admission.probes.reading import FORMATS, exchange_all_masks
from llmseg.admission.probes.result import ProbeResult
from llmseg.admission.probes.weights import is_repeatable

_SHORT = Variation("unchanged-one-epoch", epochs=1)
"""What runs of one epoch are compared with: a schedule may depend on how many there are."""


def probe_exchanged_masks_unseen(bench: Bench) -> ProbeResult:
    """P4: when cases exchange their masks, the loss of the very first step is another one."""
    exchanged = exchange_all_masks(bench)
    if isinstance(exchanged, ProbeResult):
        return exchanged
    _, losses = exchanged
    one, other = losses.values()
    if not is_repeatable(bench):
        return _say_unrepeatable("P4")
    if one == other:
        return ProbeResult("P4", "broken", "the first loss does not depend on the masks", compared=losses)
    return ProbeResult("P4", "holds", "the first loss depends on which mask an image has", compared=losses)


def probe_listing_unseen(bench: Bench) -> ProbeResult:
    """P5: when folders list their files in another order, weights are the same."""
    short, other = bench.run(_SHORT), bench.run(Variation("another-listing", epochs=1, listing="2"))
    if (stopped := judge_weights("P5", short, other)) is not None:
        return stopped
    if not is_repeatable(bench):
        return _say_unrepeatable("P5")
    if short.after_epochs == other.after_epochs:
        return ProbeResult("P5", "holds", "weights are the same in both orders of listing")
    reason = "the order of listings decides the split, the order of training or the pairs"
    return ProbeResult("P5", "broken", reason)


def probe_formats_unseen(bench: Bench) -> ProbeResult:
    """P7: masks of 0 and 1, in colour, or with noise of one grey level give the same weights, or an error.

    The masks are those of the cases that are not tested.
    """
    short, ids = bench.run(_SHORT), bench.other_ids or bench.phantoms.ids
    if (stopped := judge_weights("P7", short)) is not None:
        return stopped
    if not is_repeatable(bench):
        return _say_unrepeatable("P7")
    said, is_broken = [], False
    for name, change in FORMATS:
        other = bench.run(Variation(f"masks-with-{name.replace(' ', '-')}", ((change, ids),), epochs=1))
        if other.ended_by != "script":
            return judge_ending("P7", other) or ProbeResult("P7", "does not apply", other.ending)
        differs = other.is_finished and _differ(short, other)
        is_broken |= differs
        said.append(f"{name}: {_name_outcome(other, differs)}")
    return ProbeResult("P7", "broken" if is_broken else "holds", "; ".join(said))


def _differ(one: Trial, other: Trial) -> bool:
    return one.after_epochs != other.after_epochs


def _name_outcome(other: Trial, differs: bool) -> str:
    if not other.is_finished:
        return other.ending
    return "other weights, so masks are read otherwise" if differs else "the same weights"


def _say_unrepeatable(probe: str) -> ProbeResult:
    return ProbeResult(probe, "does not apply", "two equal runs differ already (P1)")
