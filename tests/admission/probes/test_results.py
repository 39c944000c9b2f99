"""What each probe says of runs that are made up: every way to end, without running anything."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from llmseg.admission import PROBES, Bench, Phantoms, ProbeResult, Trial, Variation, read_observation
from llmseg.admission.observing import Again, Item, Parts, Pass
from llmseg.admission.observing.matching import Match
from llmseg.admission.observing.observation import Weights
from llmseg.admission.observing.record import Event, Record
from llmseg.admission.runner import Runner

PARTS = Parts(("001", "002", "003"), ("004", "005"), ("006", "007"))
WEIGHTS = Weights(("a", "b", "c"), "c")
RECORD = Record((), (), None)
SEEN = read_observation(Path("/nowhere"), Phantoms(12))
"""Nothing was seen."""


def make_pass(number: int, part: str, epoch: int, items: tuple[Item, ...], **values: Any) -> Pass:
    """Return a pass of a sound script; ``values`` replace fields."""
    learns = part == "training"
    fields: dict[str, Any] = {
        "at": number,
        "number": number,
        "part": part,
        "epoch": epoch,
        "block": 2 * epoch + (not learns) + 10 * (part == "test"),
        "items": items,
        "network": 0,
        "is_training": learns,
        "norms": (1, int(learns)),
        "drops": (0, 0),
        "learns": learns,
        "loss": 1.0 / number if learns else None,
        "backward": None,
        "functions": (),
        "made_by": ("", None),
        "steps": number,
        "place": "train.py:1" if learns else f"{part}.py:1",
        "record": RECORD,
        "about": {},
    }
    return Pass(**fields | values)


def make_item(id: str, **values: Any) -> Item:
    """Return an image with its own mask."""
    fields = {"mask_id": id, "input_sha": f"image {id}", "target_sha": f"mask {id}", "counts": (30, 40, 60)}
    return Item(Match(id), **fields | values)


def make_passes(parts: Parts = PARTS, epochs: int = 3) -> tuple[Pass, ...]:
    """Return the passes of a sound script: every part in one batch."""
    order = [(part, epoch) for epoch in range(1, epochs + 1) for part in ("training", "validation")]
    return tuple(
        make_pass(number, part, epoch, tuple(make_item(id) for id in getattr(parts, part)))
        for number, (part, epoch) in enumerate([*order, ("test", epochs)], start=1)
    )


@dataclass
class Made:
    """What a made-up run does otherwise than the unchanged run of a sound script."""

    weights: Weights = WEIGHTS
    parts: Parts = PARTS
    passes: tuple[Pass, ...] = field(default_factory=make_passes)
    again: Any = None
    printed: str = "Test Dice: 0.4213\n"
    ended_by: str = "script"
    is_finished: bool = True
    written: tuple[str, ...] = ()
    losses: tuple[float, ...] | None = None
    """Of a training with Keras, of which no pass is seen."""


class MadeUpBench(Bench):
    """A bench that has runs by name, and for all others a sound one."""

    made: dict[str, Made]

    def run(self, variation: Variation) -> Trial:
        made = self.made.get(variation.name, Made())
        ending = "ended by the script" if made.is_finished else f"ended by the {made.ended_by} (why)"
        folder = Path("/nowhere")
        trial = Trial(
            *(variation, made.ended_by, made.is_finished, ending, made.printed, folder, self.phantoms, made.written)
        )
        seen = replace(SEEN, passes=made.passes, parts=made.parts, weights=made.weights, again=made.again)
        if made.losses is not None:
            events = [Event(n, "keras trained", {"loss": loss}) for n, loss in enumerate(made.losses)]
            record = Record((Event(0, "keras step", {}), *events), (), None)
            seen = replace(seen, passes=(), parts=Parts(), record=record)
        trial.__dict__["observation"] = seen
        return trial


@pytest.fixture
def bench():
    """A function that returns a bench with runs that are made up, by name."""

    def make(**made: Made) -> Bench:
        bench = MadeUpBench(Runner(Path("/nowhere")), Phantoms(12), Path("/nowhere"))
        object.__setattr__(bench, "made", {name.replace("_", "-"): each for name, each in made.items()})
        return bench

    return make


def ask(id, bench):
    result = PROBES[id].check(bench)
    assert result.probe == id
    assert {finding.number for finding in result.findings} <= set(PROBES[id].finds)
    assert all(finding.found_by == id for finding in result.findings)
    return result


def numbers(result):
    return [finding.number for finding in result.findings]


@pytest.mark.parametrize("id", ["P1", "P2", "P3", "P5", "P8", "P10"])
def test_a_sound_script_passes(id, bench):
    result = ask(id, bench())
    if id != "P10":
        assert result.state == "holds", result


@pytest.mark.parametrize("id", PROBES)
def test_nothing_is_said_of_a_script_that_did_not_end(id, bench):
    for ended_by, state in (("limit", "does not apply"), ("script", "does not apply"), ("harness", "harness fault")):
        made = Made(ended_by=ended_by, is_finished=False)
        result = ask(id, bench(unchanged=made, masks_empty_and_full=made, training_masks_empty=made))
        assert (result.state, result.findings) == (state, ())


def test_equal_runs_that_differ_void_the_others(bench):
    other = Made(Weights(("a", "x", "y"), "y"))
    made = bench(again=other, test_replaced=other, validation_masks_inverted=other)
    assert ask("P1", made).state == "broken"
    for id in ("P2", "P3"):
        assert ask(id, made).state == "does not apply"


def test_losses_that_are_no_numbers_are_equal_to_themselves(bench):
    passes = tuple(replace(each, loss=float("nan") if each.learns else None) for each in make_passes())
    again = tuple(replace(each, loss=float("nan") if each.learns else None) for each in make_passes())
    made = bench(unchanged=Made(passes=passes), test_replaced=Made(passes=again))
    assert ask("P1", made).state == "holds"


@pytest.mark.parametrize(
    ("images", "masks", "training", "found"),
    [
        (True, False, PARTS.training, [10]),
        (True, True, ("001", "006"), [9]),
        (False, True, ("001", "006"), [9]),
        (False, True, PARTS.training, [10]),
    ],
)
def test_what_changes_the_first_epoch_is_told_apart(images, masks, training, found, bench):
    parts, leak, same = replace(PARTS, training=training), Weights(("x", "y", "z"), "z"), Weights(("a", "b", "c"), "c")
    made = bench(
        unchanged=Made(parts=parts),
        validation_masks_inverted=Made(parts=parts),
        test_replaced=Made(leak, parts),
        test_images_replaced=Made(leak if images else same, parts),
        test_masks_inverted=Made(leak if masks else same, parts),
    )
    result = ask("P2", made)
    assert numbers(result) == found
    assert result.findings[0].certainty == ("likely" if found == [10] and masks else "certain")


def test_a_split_that_depends_on_masks_is_no_leak(bench):
    other = Made(Weights(("x", "y", "z"), "z"), replace(PARTS, training=("001", "002", "004")))
    assert ask("P2", bench(test_replaced=other)).state == "does not apply"
    assert ask("P3", bench(validation_masks_inverted=other)).state == "does not apply"


@pytest.mark.parametrize(("epochs", "tested"), [("abc", "b"), ("abx", "x"), ("a", "a")])
def test_a_choice_by_the_test_part_is_found(epochs, tested, bench):
    other = Made(Weights(tuple(epochs), tested))
    assert numbers(ask("P2", bench(test_replaced=other, test_masks_inverted=other))) == [11]
    assert numbers(ask("P2", bench(test_replaced=other))) == [7]


def test_a_script_with_two_parts_may_have_meant_it(bench):
    ids = tuple(f"{number:03d}" for number in range(1, 13))
    parts = Parts(ids[:9], ids[9:], ids[9:])
    other = Made(Weights(("a", "b", "c"), "b"), parts)
    made = bench(unchanged=Made(parts=parts), test_replaced=other, test_masks_inverted=other)
    assert [finding.certainty for finding in ask("P2", made).findings] == ["likely"]


def test_validation_masks_that_are_trained_on_are_found(bench):
    made = bench(validation_masks_inverted=Made(Weights(("x", "y", "z"), "z")))
    assert numbers(ask("P3", made)) == [9]


def test_early_stopping_and_keeping_the_best_are_no_mistakes(bench):
    stopped = ask("P3", bench(validation_masks_inverted=Made(Weights(("a", "b"), "b"))))
    assert (stopped.state, "when to stop" in stopped.reason) == ("holds", True)
    kept = ask("P3", bench(validation_masks_inverted=Made(Weights(("a", "b", "c"), "a"))))
    assert (kept.state, "epochs 3 and 1" in kept.reason) == ("holds", True)


def with_validations(values):
    """Passes whose validations are as good as these values."""
    passes = iter(values)
    return tuple(
        replace(each, items=tuple(replace(item, bce=-value, dice=value) for item in each.items))
        if each.part == "validation" and (value := next(passes)) is not None
        else each
        for each in make_passes()
    )


@pytest.mark.parametrize(
    ("chosen", "found"), [(("a", "c"), [18]), (("c", "a"), []), (("b", "b"), []), (("c", "c"), [])]
)
def test_the_worst_epoch_kept_as_the_best_is_found(chosen, found, bench):
    made = bench(
        unchanged=Made(Weights(("a", "b", "c"), chosen[0]), passes=with_validations([0.1, 0.2, 0.3])),
        validation_masks_inverted=Made(Weights(("a", "b", "c"), chosen[1]), passes=with_validations([0.3, 0.2, 0.1])),
    )
    assert numbers(ask("P3", made)) == found


def test_pairs_that_follow_the_listing_are_found(bench):
    ids = ("001", "002", "003", "004", "005")
    moved = [make_item(id, mask_id=other) for id, other in zip(ids, ids[1:] + ids[:1], strict=True)]
    found = bench(another_listing=Made(passes=(make_pass(1, "training", 1, tuple(moved)),)))
    assert numbers(ask("P5", found)) == [1]
    taken_for_another = (make_pass(1, "training", 1, tuple(moved[:2] + [make_item(id) for id in ids[2:]])),)
    assert ask("P5", bench(another_listing=Made(passes=taken_for_another))).findings == ()
    assert ask("P5", bench(another_listing=Made(passes=()))).state == "does not apply"
    split = ask("P5", bench(another_listing=Made(Weights(("x",), "x"))))
    assert (split.state, split.findings) == ("broken", ())


@pytest.mark.parametrize(
    ("again", "found"),
    [
        ((0.0, 1e-7, 4e-4), []),
        ((4e-4, 4e-4, 4e-4), [7]),
        ((0.2, 0.2, 0.2), [7]),
        ((0.0, 0.3, 0.1), [7]),
        ((0.0, 0.0, 0.3), [7]),
    ],
)
def test_a_network_that_predicts_otherwise_again_is_found(again, found, bench):
    assert numbers(ask("P6", bench(unchanged=Made(again=Again(4, False, *again))))) == found


def test_validation_images_that_change_are_found(bench):
    passes = list(make_passes())
    last = next(number for number, each in enumerate(passes) if (each.part, each.epoch) == ("validation", 3))
    passes[last] = replace(passes[last], items=(make_item("004", input_sha="flipped"),))
    assert numbers(ask("P6", bench(unchanged=Made(passes=tuple(passes))))) == [7]
    assert ask("P6", bench(unchanged=Made(passes=()))).state == "does not apply"


def put(id, *items):
    """Passes of one epoch with something else in the place of a case."""
    return tuple(
        replace(each, items=sum(((item,) if item.id != id else items for item in each.items), ()))
        for each in make_passes(epochs=1)
    )


@pytest.mark.parametrize("instead", [make_item("", mask_id=""), make_item("002")], ids=["blank", "another case"])
def test_a_stand_in_for_a_corrupt_image_is_found_whatever_is_printed(instead, bench):
    passes = put("001", instead)
    made = bench(corrupt_image=Made(passes=passes, printed="Error: 001.png"), corrupt_mask=Made(is_finished=False))
    (finding,) = ask("P9", made).findings
    assert (finding.number, finding.certainty) == (21, "certain")


@pytest.mark.parametrize("passes", [make_passes(epochs=1), put("001", make_item("", mask_id=""))])
def test_a_stand_in_for_a_corrupt_mask_is_found(passes, bench):
    """The image is shown with another mask, or both are blank."""
    made = bench(corrupt_image=Made(is_finished=False), corrupt_mask=Made(passes=passes))
    assert numbers(ask("P9", made)) == [21]


def test_a_last_batch_that_is_dropped_hides_no_case(bench):
    """One case is left out with a word, and no batch is incomplete now: as many cases as before."""
    before, after = make_passes(), put("001")
    before = tuple(
        replace(each, items=each.items[:2]) if each.part == "training" and each.epoch == 1 else each for each in before
    )
    left_out = Made(passes=after, printed="skipped 001.png")
    made = bench(unchanged=Made(passes=before), corrupt_image=left_out, corrupt_mask=left_out)
    assert ask("P9", made).state == "holds"


def test_a_case_that_is_left_out_needs_a_word(bench):
    silent, said = Made(passes=put("001"), printed=""), Made(passes=put("001"), printed="skipping 001.png")
    (finding,) = ask("P9", bench(corrupt_image=silent, corrupt_mask=said)).findings
    assert (finding.number, finding.certainty) == (21, "likely")
    assert ask("P9", bench(corrupt_image=said, corrupt_mask=said)).state == "holds"


@pytest.mark.parametrize(("ended_by", "state"), [("limit", "does not apply"), ("harness", "harness fault")])
def test_a_limit_is_no_clear_error(ended_by, state, bench):
    ended = Made(ended_by=ended_by, is_finished=False)
    assert ask("P9", bench(corrupt_image=ended)).state == state


def test_a_score_that_is_no_number_breaks_the_expectation(bench):
    result = ask("P8", bench(masks_empty_and_full=Made(printed="Test Dice: nan")))
    assert (result.state, result.findings) == ("broken", ())


def test_the_test_score_is_explained_by_a_formula(bench):
    """Two cases with 30 pixels in both, 40 predicted and 60 in the mask: Dice 60 / 100."""
    for printed, state in (
        ("Test Dice: 0.6000", "holds"),
        ("Test Dice 60.0 %", "holds"),
        ("Test Dice: 0.61", "does not apply"),
    ):
        assert ask("P10", bench(unchanged=Made(printed=printed))).state == state
    assert ask("P10", bench(unchanged=Made(printed="Dice 0.6"))).state == "does not apply"


def test_a_score_that_depends_on_nothing_is_found(bench):
    changed = {
        name: Made(Weights(("x", "y", "z"), "z"), printed="Test Dice: 0.1100\nBest Dice: 0.8731")
        for name in ("training_masks_empty", "test_replaced", "validation_masks_inverted")
    }
    made = bench(unchanged=Made(printed="Test Dice: 0.4213\nBest Dice: 0.8731"), **changed)
    result = ask("P11", made)
    assert numbers(result) == [22]
    assert "Best Dice" in result.findings[0].evidence
    changed["validation_masks_inverted"] = Made(printed="Best Dice: 0.2")
    assert ask("P11", bench(unchanged=Made(printed="Best Dice: 0.8731"), **changed)).state == "holds"


def test_findings_belong_to_broken_expectations_only():
    result = PROBES["P1"]
    assert result.finds == ()
    with pytest.raises(ValueError, match="only a broken expectation"):
        ProbeResult("P2", "holds", "", findings=(object(),))


def make_unseen(losses: tuple[float, ...] = (0.7, 0.6), weights: Weights = WEIGHTS, **values: Any) -> Made:
    """Return a run of which weights, losses and files are known and no batch."""
    return Made(weights, losses=losses, **{"written": ("006", "007"), **values})


class TestUnseen:
    """What is asked of a training whose batches are not seen."""

    @pytest.fixture
    def unseen(self, bench):
        """A function that returns a bench of such runs; ``made`` are those that differ."""
        names = ("unchanged", "again", "test_replaced", "test_masks_inverted", "test_images_replaced")
        short = ("masks_exchanged", "unchanged_one_epoch", "another_listing", "masks_empty_and_full")
        formats = ("noise_of_one_grey_level", "three_equal_channels", "values_of_0_and_1")
        rest = ("corrupt_image", "corrupt_mask", "training_masks_empty")
        sound = dict.fromkeys((*names, *short, *(f"masks_with_{each}" for each in formats), *rest), make_unseen())
        sound["masks_exchanged"] = make_unseen(losses=(0.8, 0.6))
        return lambda **made: bench(**{**sound, **made})

    def test_the_tested_cases_are_those_that_are_written(self, unseen):
        made = unseen()
        assert made.test_ids == ("006", "007")
        assert made.other_ids == tuple(id for id in made.phantoms.ids if id not in made.test_ids)

    @pytest.mark.parametrize("id", ["P1", "P2", "P4", "P5", "P7", "P8"])
    def test_a_sound_script_passes(self, id, unseen):
        assert ask(id, unseen()).state == "holds"

    @pytest.mark.parametrize("id", ["P3", "P6", "P10"])
    def test_what_only_batches_show_is_not_asked(self, id, unseen):
        assert ask(id, unseen()).state == "does not apply"

    def test_a_test_part_that_decides_is_likely(self, unseen):
        other = make_unseen(weights=Weights(("a", "b", "c"), "b"))
        (finding,) = ask("P2", unseen(test_replaced=other, test_masks_inverted=other)).findings
        assert (finding.number, finding.certainty) == (11, "likely")

    def test_images_of_the_test_part_that_leak_are_likely(self, unseen):
        other = make_unseen(weights=Weights(("x", "y", "z"), "z"))
        (finding,) = ask("P2", unseen(test_replaced=other, test_images_replaced=other)).findings
        assert (finding.number, finding.certainty) == (10, "likely")

    def test_a_split_by_the_masks_is_no_leak(self, unseen):
        other = make_unseen(weights=Weights(("x", "y", "z"), "z"), written=("001", "002"))
        assert ask("P2", unseen(test_replaced=other)).state == "does not apply"

    def test_without_written_masks_nothing_is_replaced(self, unseen):
        silent = make_unseen(written=())
        made = unseen(unchanged=silent, again=silent)
        assert [ask(id, made).state for id in ("P2", "P8", "P9", "P11")] == ["does not apply"] * 4

    def test_a_loss_that_does_not_depend_on_masks(self, unseen):
        assert ask("P4", unseen(masks_exchanged=make_unseen())).state == "broken"

    def test_an_order_of_files_that_matters(self, unseen):
        other = make_unseen(weights=Weights(("x",), "x"))
        assert ask("P5", unseen(another_listing=other)).state == "broken"

    def test_masks_that_are_read_otherwise(self, unseen):
        other, ended = make_unseen(weights=Weights(("x",), "x")), make_unseen(is_finished=False)
        asked = unseen(masks_with_values_of_0_and_1=other, masks_with_three_equal_channels=ended)
        said = ask("P7", asked)
        assert said.state == "broken"
        assert said.reason == (
            "noise of one grey level: the same weights; three equal channels: ended by the script (why); "
            "values of 0 and 1: other weights, so masks are read otherwise"
        )

    @pytest.mark.parametrize("id", ["P2", "P4", "P5", "P7"])
    def test_equal_runs_that_differ_void_the_others(self, id, unseen):
        other = make_unseen(losses=(0.9, 0.8), weights=Weights(("x", "y", "z"), "z"))
        assert ask(id, unseen(again=other, test_replaced=other)).state == "does not apply"

    def test_a_corrupt_file_without_an_error_tells_nothing(self, unseen):
        ended = make_unseen(is_finished=False)
        assert ask("P9", unseen(corrupt_image=ended, corrupt_mask=ended)).state == "holds"
        assert ask("P9", unseen(corrupt_image=ended)).state == "does not apply"
        named = make_unseen(printed="skipped 001.png")
        assert ask("P9", unseen(corrupt_image=named, corrupt_mask=named)).state == "holds"
