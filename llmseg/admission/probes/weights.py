"""Probes that compare weights: P1, P2, P3 and P5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmseg.admission.findings import Finding
from llmseg.admission.probes.bench import Bench, Trial, Variation
from llmseg.admission.probes.changes import empty_masks, invert_masks, replace_images
from llmseg.admission.probes.gates import has_same_weights, is_same_training, judge_ending, judge_weights
from llmseg.admission.probes.predictions import list_changed_predictions, list_predictions
from llmseg.admission.probes.result import ProbeResult
from llmseg.admission.probes.seen import measure_validations


def replace_test_part(bench: Bench) -> Variation:
    """Return the run with other images and masks in the test part."""
    ids = bench.test_ids
    return Variation("test-replaced", ((replace_images, ids), (invert_masks, bench.masks_of(ids))))


def invert_validation_masks(bench: Bench) -> Variation:
    """Return the run with inverted masks in the validation part."""
    return Variation("validation-masks-inverted", ((invert_masks, bench.masks_of(bench.validation_ids)),))


def list_replacements(bench: Bench) -> list[Variation]:
    """Return the runs with replaced parts that are only scored; a part that is not there has none."""
    there = ((bench.test_ids, replace_test_part), (bench.validation_ids, invert_validation_masks))
    return [make(bench) for ids, make in there if ids]


def probe_again(bench: Bench) -> ProbeResult:
    """P1: the same run again has the same weights.

    Two runs of which only cases changed that must not matter show it as well, so a run of its own is only made if those
    differ.
    """
    first = bench.unchanged
    if (stopped := judge_weights("P1", first)) is not None:
        return stopped
    for make in list_replacements(bench):
        if is_same_training(first, bench.run(make)):
            return ProbeResult("P1", "holds", f"the run '{make.name}' has the same losses and weights")
    other = bench.run(Variation("again"))
    if (stopped := judge_weights("P1", other)) is not None:
        return stopped
    if is_same_training(first, other):
        return ProbeResult("P1", "holds", "two equal runs have the same losses and weights")
    pairs = enumerate(zip(first.losses, other.losses, strict=False), start=1)
    step = next((number for number, (one, two) in pairs if one != two), None)
    where = "their losses are equal, their weights are not" if step is None else f"they differ from step {step} on"
    return ProbeResult("P1", "broken", f"two equal runs with the same seeds differ: {where}; P2, P3 and P5 are void")


def is_repeatable(bench: Bench) -> bool:
    """Return whether weights of two runs can be compared: equal runs have equal weights."""
    return probe_again(bench).state == "holds"


def probe_test_part(bench: Bench) -> ProbeResult:
    """P2: with other images and masks in the test part, all weights are the same to the last bit.

    If they are, predicted masks do not depend on the masks of the test part either.
    """
    first = bench.unchanged
    if (stopped := judge_weights("P2", first)) is not None:
        return stopped
    if not bench.test_ids:
        return ProbeResult("P2", "does not apply", "no case was scored after the training alone")
    other = bench.run(replace_test_part(bench))
    if (stopped := judge_weights("P2", other)) is not None:
        return stopped
    if has_same_weights(first, other):
        return _compare_predictions(bench)
    if (void := _judge_comparison("P2", bench, other)) is not None:
        return void
    return _explain_leak(bench, other)


def _compare_predictions(bench: Bench) -> ProbeResult:
    """Say whether masks of the test part change what is predicted for it, where weights are the same.

    That a threshold, or one of several networks, is chosen after the training shows in no weights.
    """
    first, validation = bench.unchanged, bench.unchanged.observation.parts.validation
    holds = ProbeResult("P2", "holds", f"weights are the same with other pixels in {len(bench.test_ids)} test cases")
    # A validation after the last step counts as a test, too, and may choose; nobody writes what is predicted for it.
    written = {id for _, id in list_predictions(first, bench.test_ids)}
    ids = tuple(id for id in bench.test_ids if id in written and id not in validation)
    if not ids:
        return holds
    variation, changed = next(_list_changes(bench, ids), (None, []))
    # Predictions that are drawn at random differ without a reason.
    again = bench.run(Variation("again")) if variation else first
    if variation is None or judge_ending("P2", again) is not None or list_changed_predictions(first, again, ids):
        return holds
    finding = Finding(
        11,
        f"run with {variation.name.replace('-', ' ')} ({', '.join(ids)})",
        expected="the same weights, and the same predicted masks",
        found=f"the same weights, and other predicted masks: {', '.join(changed[:3])}",
        certainty="certain" if first.sees_batches else "likely",
        found_by="P2",
    )
    reason = "the masks of the test part decide what is predicted for it"
    return ProbeResult("P2", "broken", reason, (finding,), {"changed predictions": len(changed)})


def _list_changes(bench: Bench, ids: tuple[str, ...]) -> Iterator[tuple[Variation, list[str]]]:
    """Yield the runs with other masks for some cases that predict something else for these, with the files.

    A network that has learnt little predicts all pixels or none. On inverted masks the best threshold is as low as it
    can be, and on empty ones as high; one of them is another one than on masks as they are.
    """
    first, masks = bench.unchanged, bench.masks_of(ids)
    for name, change in (("inverted-masks-of-the-test", invert_masks), ("empty-masks-of-the-test", empty_masks)):
        variation = Variation(name, ((change, masks),))
        other = bench.run(variation)
        if judge_ending("P2", other) is None and has_same_weights(first, other):
            changed = list_changed_predictions(first, other, ids)
            if changed:
                yield variation, changed


def _judge_comparison(probe: str, bench: Bench, other: Trial) -> ProbeResult | None:
    """Return the result that follows if weights cannot be compared with the unchanged run, otherwise ``None``."""
    if not is_repeatable(bench):
        return ProbeResult(probe, "does not apply", "two equal runs differ already (P1)")
    if other.observation.parts.training != bench.training_ids or other.test_ids != bench.test_ids:
        # A split may be balanced by the size of masks, which is no leak.
        return ProbeResult(probe, "does not apply", "the split itself depends on what was changed")
    return None


def _explain_leak(bench: Bench, other: Trial) -> ProbeResult:
    first, ids = bench.unchanged, ", ".join(bench.test_ids)
    compared = {"test cases": ids, "epochs": len(first.after_epochs)}
    by_masks = bench.run(Variation("test-masks-inverted", ((invert_masks, bench.masks_of(bench.test_ids)),)))
    if first.after_epochs[0] == other.after_epochs[0]:
        return _explain_choice(bench, other, by_masks, compared)
    by_images = bench.run(Variation("test-images-replaced", ((replace_images, bench.test_ids),)))
    if (stopped := judge_weights("P2", by_masks, by_images)) is not None:
        return stopped
    masks_matter = by_masks.after_epochs[0] != first.after_epochs[0]
    images_matter = by_images.after_epochs[0] != first.after_epochs[0]
    shared = sorted(set(bench.test_ids) & set(bench.training_ids))
    which = " and ".join(name for name, matters in (("images", images_matter), ("masks", masks_matter)) if matters)
    number = 9 if shared else 10
    finding = Finding(
        number,
        f"run with other {which} in the test part ({ids})",
        expected="the same weights after the first epoch, to the last bit",
        found=f"others{'; ' + ', '.join(shared) + ' are in the training part, too' if shared else ''}",
        certainty="certain" if shared or (first.sees_batches and not masks_matter) else "likely",
        found_by="P2",
    )
    reason = f"{which} of the test part change the weights of the first epoch"
    return ProbeResult("P2", "broken", reason, (finding,), compared)


def _explain_choice(bench: Bench, other: Trial, by_masks: Trial, compared: dict[str, Any]) -> ProbeResult:
    """Say why the weights after the first epoch are the same, and later or tested ones are not."""
    first, parts = bench.unchanged, bench.unchanged.observation.parts
    if (stopped := judge_weights("P2", by_masks)) is not None:
        return stopped
    is_kept = first.after_epochs == other.after_epochs
    what = "the tested weights are others" if is_kept else "the weights of later epochs are others"
    runs = f"runs with other masks, and with other masks and images, in the test part ({compared['test cases']})"
    if has_same_weights(first, by_masks):
        # Masks have no effect, so nothing was chosen. Running statistics that take in test images have this effect.
        finding = Finding(
            7,
            runs,
            expected="the same weights",
            found=f"by the images alone, {what}",
            certainty="likely",
            found_by="P2",
        )
        return ProbeResult("P2", "broken", "images of the test part change the network", (finding,), compared)
    unused = set(bench.phantoms.ids) - {*parts.training, *parts.validation, *parts.test}
    is_only_part = set(parts.test) == set(parts.validation) and not unused
    finding = Finding(
        11,
        runs,
        expected="the same weights tested",
        found=f"the weights after the first epoch are the same, {what}",
        certainty="likely" if is_only_part or not first.sees_batches else "certain",
        found_by="P2",
    )
    return ProbeResult("P2", "broken", f"the test part decides: {what}", (finding,), compared)


def probe_validation_part(bench: Bench) -> ProbeResult:
    """P3: inverted masks in the validation part change no weights of the first epoch. They may choose later ones."""
    first = bench.unchanged
    if (stopped := judge_weights("P3", first)) is not None:
        return stopped
    ids = bench.validation_ids
    if not ids:
        why = "no case was scored between epochs alone" if first.sees_batches else "it is not seen what validates"
        return ProbeResult("P3", "does not apply", why)
    other = bench.run(invert_validation_masks(bench))
    if (stopped := judge_weights("P3", other)) is not None:
        return stopped
    if (void := _judge_comparison("P3", bench, other)) is not None:
        return void
    if first.after_epochs[0] != other.after_epochs[0]:
        finding = Finding(
            9,
            f"run with inverted masks in the validation part ({', '.join(ids)})",
            expected="the same weights after the first epoch, to the last bit",
            found="others",
            found_by="P3",
        )
        return ProbeResult(
            "P3", "broken", "masks of the validation part change the weights of the first epoch", (finding,)
        )
    return _tell_choice(first, other)


def _tell_choice(first: Trial, other: Trial) -> ProbeResult:
    """Say what the validation decided; on inverted masks the best epoch is another one."""
    epochs = len(first.after_epochs), len(other.after_epochs)
    said = []
    if epochs[0] != epochs[1]:
        said.append(f"it decides when to stop (after {epochs[0]} and {epochs[1]} epochs)")
    elif first.after_epochs != other.after_epochs:
        said.append("it decides the rate or another setting of later epochs")
    chosen = first.tested_epoch, other.tested_epoch
    if None not in chosen and chosen[0] != chosen[1]:
        said.append(f"it decides which weights are tested (those of epochs {chosen[0]} and {chosen[1]})")
    compared = {"tested epochs": list(chosen), "epochs": list(epochs)}
    if _chooses_worst(first) and _chooses_worst(other) and chosen[0] != chosen[1]:
        finding = Finding(
            18,
            "runs with the masks of the validation part as they are, and inverted",
            expected="the epoch tested that is best on the validation part",
            found=f"those that are worst by cross entropy and by Dice: epochs {chosen[0]} and {chosen[1]}",
            found_by="P3",
        )
        return ProbeResult("P3", "broken", "the worst weights are kept as the best", (finding,), compared)
    reason = "the validation part decides nothing about the weights" if not said else "; ".join(said)
    return ProbeResult("P3", "holds", reason, compared=compared)


def _chooses_worst(trial: Trial) -> bool:
    """Return whether the tested weights are those that are worst on the validation part, by both measures."""
    measured, chosen = measure_validations(trial), trial.tested_epoch
    if chosen is None or len(measured) < 2 or len(measured) != len(trial.after_epochs):
        return False
    others = measured[: chosen - 1] + measured[chosen:]
    return all(measured[chosen - 1][kind] < min(each[kind] for each in others) for kind in range(2))


def probe_listing(bench: Bench) -> ProbeResult:
    """P5: when folders list their files in another order, each image has the same mask, and weights are the same."""
    first = bench.unchanged
    other = bench.run(Variation("another-listing", epochs=1, listing="2"))
    if (stopped := judge_ending("P5", first, other)) is not None:
        return stopped
    pairs = first.pairs, other.pairs
    both = sorted(set(pairs[0]) & set(pairs[1]))
    if not both:
        return ProbeResult("P5", "does not apply", "no pair of an image and a mask was seen in both runs")
    differing = [id for id in both if pairs[0][id] != pairs[1][id]]
    # One or two may be taken for another case, such as after a rotation.
    if len(differing) > max(2, len(both) / 4):
        id = differing[0]
        finding = Finding(
            1,
            f"run with another order of the files in each folder; {len(differing)} of {len(both)} cases differ",
            expected=f"image {id} with the same mask in both runs",
            found=f"image {id} with the mask of {pairs[0][id]} and then of {pairs[1][id]}",
            found_by="P5",
        )
        return ProbeResult("P5", "broken", "the order of listings decides which mask an image has", (finding,))
    if first.after_epochs[:1] != other.after_epochs[:1] and is_repeatable(bench):
        reason = "the order of listings decides the split or the order of training, not the pairs"
        return ProbeResult("P5", "broken", reason)
    return ProbeResult("P5", "holds", f"{len(both)} images have the same mask in both orders of listing")
