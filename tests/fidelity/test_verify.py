from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path

import pytest
import torch

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.fidelity.records import read_record, recorded_id
from llmseg.fidelity.verify import LEVELS, Verdict, verify

RECORDS = {path.stem: read_record(path) for path in sorted((Path(__file__).parents[1] / "golden").glob("*.json"))}
RECIPES = {stem: zoo.get(recorded_id(record)).recipe for stem, record in RECORDS.items()}
SIZES = {stem: record["architecture"]["params_total"] for stem, record in RECORDS.items()}
# Networks above this many parameters take seconds each to build and draw: their F1 belongs to the slow part.
SMALL = 7_000_000


def smallest_of_each_kind(kind) -> set[str]:
    """Return, for every kind of recipe, the record with the smallest network."""
    smallest: dict[object, str] = {}
    for stem in sorted(RECORDS, key=lambda stem: (SIZES[stem], stem)):
        smallest.setdefault(kind(RECIPES[stem]), stem)
    return set(smallest.values())


def kind_of_training(recipe):
    """Return what the loop does differently; F1 to F3 check networks, data and losses for every record."""
    fit, loss = recipe.fit, recipe.loss
    choices = (fit.optimizer, fit.schedule, fit.keep, fit.epoch_loss, fit.own_seed is None, type(recipe.split))
    return (*choices, loss.dice > 0, loss.sizes)


def mark_records(stems: set[str], quick=frozenset()) -> list:
    """Return every record; those named belong to the slow part (or the quick one), others to the thorough one."""
    slow = {stem: pytest.mark.slow if stem in stems else pytest.mark.thorough for stem in RECORDS}
    return [pytest.param(stem, marks=[] if stem in quick else slow[stem]) for stem in RECORDS]


# A network that is in the suite already, and a training that goes as another one does, wait for the thorough part.
NETWORKS = mark_records(
    smallest_of_each_kind(lambda recipe: recipe.net), {stem for stem in RECORDS if SIZES[stem] <= SMALL}
)
ONE_OF_EACH = smallest_of_each_kind(kind_of_training)
TRAININGS = mark_records(ONE_OF_EACH)
SHORT_TRAININGS = mark_records(set(RECORDS), ONE_OF_EACH)


def check(case, level: str, pipeline=None, record=None) -> Verdict:
    (verdict,) = verify(
        pipeline or case.pipeline,
        record or case.record,
        store=case.store,
        bookkeeping_store=case.bookkeeping_store,
        only=[level],
    )
    return verdict


def change_pipeline(case, path: str, value):
    return dataclasses.replace(case.pipeline, recipe=case.pipeline.recipe.change(path, value))


def assert_holds(verdict: Verdict) -> None:
    assert verdict.holds, str(verdict)
    assert verdict.figures > 10
    assert verdict.divergence is None
    assert 0 <= verdict.worst <= 1
    assert "holds" in str(verdict)


def assert_diverges(verdict: Verdict, *words: str) -> None:
    assert not verdict.holds, str(verdict)
    assert "expected" in verdict.divergence
    assert "found" in verdict.divergence
    assert [word for word in words if word not in verdict.divergence] == [], verdict.divergence
    assert verdict.divergence in str(verdict)
    assert "DIVERGES" in str(verdict)


@pytest.mark.parametrize("level", ["F2", "F3"])
def test_holds(golden_case, level):
    assert_holds(check(golden_case, level))


@pytest.mark.parametrize("golden_case", SHORT_TRAININGS, indirect=True)
def test_bookkeeping_holds(golden_case):
    assert_holds(check(golden_case, "bookkeeping"))


@pytest.mark.parametrize("golden_case", mark_records(set(RECORDS)), indirect=True)
def test_artefacts_hold(golden_case):
    assert_holds(check(golden_case, "F5"))


@pytest.mark.parametrize("golden_case", NETWORKS, indirect=True)
def test_network_holds(golden_case):
    assert_holds(check(golden_case, "F1"))


@pytest.mark.parametrize(("environment", "expected"), [({"threads": 3}, 3), ({"threads": "many"}, 1), (None, 1)])
def test_a_training_computes_on_the_threads_of_its_record(open_golden, monkeypatch, environment, expected):
    golden, used = open_golden("gpt-o3"), []

    def measure(*arguments, **options):
        used.append(torch.get_num_threads())
        yield from ()

    monkeypatch.setattr("llmseg.fidelity.dynamics.measure_dynamics", measure)
    record = {**golden.record, "environment": environment}
    (verdict,) = verify(golden.pipeline, record, store=golden.store, only=["F4"])
    assert (verdict.level, verdict.holds, used, torch.get_num_threads()) == ("F4", True, [expected], 1)


@pytest.mark.parametrize("golden_case", TRAININGS, indirect=True)
def test_dynamics_hold(golden_case):
    assert_holds(check(golden_case, "F4"))


@pytest.mark.parametrize(
    ("stem", "path", "value", "level", "words"),
    [
        ("gpt-o3", "net.concat", "skip-first", "F1", ["output (evaluation)"]),
        ("gpt-o3", "net.encoder", (32, 64, 128, 255), "F1", ["parameters"]),
        ("gpt-o3", "net.bias", True, "F1", ["parameters"]),
        ("gpt-o3", "net.output", "probability", "F1", ["output (evaluation)"]),
        ("gpt-o3", "images.colour", "rgb", "F1", ["input channels"]),
        ("gpt-4o", "images.mask_resize", "pillow-nearest", "F2", ["mask"]),
        ("gpt-o3", "images.mask_resize", "opencv-nearest", "F2", ["mask"]),
        ("gpt-4", "images.mask_threshold", 0.5, "F2", ["mask"]),
        ("gpt-4o", "images.mask_threshold", None, "F2", ["mask"]),
        ("gpt-4o", "images.image_resize", "opencv-bilinear", "F2", ["image"]),
        ("gpt-4o", "images.size", (128, 128), "F2", ["image"]),
        ("gpt-4o", "images.mean", 0.5, "F2", ["image"]),
        ("gpt-4o", "split.seed", 43, "F2", ["split"]),
        ("gpt-4o", "fit.batch_size", 4, "F2", ["loader train, batch_size"]),
        ("claude-4-sonnet", "loss.dice_smooth", 1.0, "F3", ["loss"]),
        ("deepseek-v3", "loss.dice_smooth", 0.5, "F3", ["loss"]),
        ("grok-3-mini", "loss.reads", "probability", "F3", ["loss"]),
        ("llama-3.1-405b", "loss.reads", "logits", "F3", ["loss"]),
        ("gpt-4", "score.threshold", 0.25, "F3", ["validation score"]),
        ("gpt-4", "test.threshold", 0.25, "F3", ["test score"]),
        ("gpt-4", "score.reads", "sigmoid", "F3", ["validation score"]),
        ("gpt-4", "score.smooth", 1.0, "F3", ["validation score"]),
        ("github-copilot", "split.seed", 41, "bookkeeping", ["split, train"]),
        ("llama-3.1-405b", "loss.validation_threshold", None, "bookkeeping", ["validation loss"]),
        ("llama-3.1-405b", "fit.batch_size", 16, "bookkeeping", ["loader train, batch_size"]),
    ],
)
def test_a_planted_change_is_found(open_golden, stem, path, value, level, words):
    case = open_golden(stem)
    assert case.pipeline.recipe.get(path) != value
    assert_diverges(check(case, level, change_pipeline(case, path, value)), *words)


@pytest.mark.parametrize("stem", ["gpt-4", "llama-3.1-405b", "github-copilot"])
def test_averaging_is_found_by_bookkeeping(open_golden, stem):
    case = open_golden(stem)
    other = {"batches": "cases", "cases": "batches"}[case.pipeline.recipe.fit.epoch_loss]
    assert_diverges(check(case, "bookkeeping", change_pipeline(case, "fit.epoch_loss", other)), other)


def test_averaging_is_found_by_the_values_too(open_golden):
    """Not only because the record names what the mean is over."""
    case = open_golden("gpt-4")
    other = {"batches": "cases", "cases": "batches"}[case.pipeline.recipe.fit.epoch_loss]
    record = copy.deepcopy(case.record)
    record["bookkeeping"]["train_loss_averaged_over"] = {"batches": "batch", "cases": "sample"}[other]
    verdict = check(case, "bookkeeping", change_pipeline(case, "fit.epoch_loss", other), record)
    assert_diverges(verdict, "epoch 0")


def test_to_the_end_says_how_far_the_values_lie(open_golden):
    case = open_golden("llama-3.1-405b")
    record = copy.deepcopy(case.record)
    record["objective"]["more"]["loss_gradient_wrt_output"]["l2"] *= 1 + 4e-5
    record["objective"]["more"]["loss_gradient_wrt_output"]["first8"][2] *= 1 + 1e-4
    (first,) = verify(case.pipeline, record, only=["F3"])
    (whole,) = verify(case.pipeline, record, only=["F3"], to_the_end=True)
    (right,) = verify(case.pipeline, case.record, only=["F3"], to_the_end=True)
    assert (first.beyond, whole.beyond, right.beyond) == (0, 2, 0)
    assert whole.divergence == first.divergence
    assert whole.figures == right.figures > first.figures
    assert whole.worst == pytest.approx(10, rel=0.1)
    assert right.holds
    assert "2 of" in str(whole)
    assert "times their tolerance" in str(whole)


@pytest.mark.slow
def test_rounding_excuses_no_value_that_is_off(open_golden):
    """The network is small and has no batch norm: rounding moves its second step by far less than half a percent."""
    case = open_golden("llama-3.1-405b")
    record = copy.deepcopy(case.record)
    record["train"]["steps"][1]["loss"] *= 1.005
    assert_diverges(check(case, "F4", record=record), "step 1 (epoch 1), loss", "neighbours of the start")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stem", "path", "value", "words"),
    [
        ("llama-3.1-405b", "fit.rate", 0.002, ["(epoch 0)"]),
        ("llama-3.1-405b", "fit.rate", 0.0010001, ["learning rate"]),
    ],
)
def test_a_planted_change_is_found_by_dynamics(open_golden, stem, path, value, words):
    case = open_golden(stem)
    assert case.pipeline.recipe.get(path) != value
    assert_diverges(check(case, "F4", change_pipeline(case, path, value)), *words)


class TestDamagedRecords:
    def test_a_value_of_the_record_that_is_off(self, open_golden):
        case = open_golden("llama-3.1-405b")
        record = copy.deepcopy(case.record)
        losses = record["objective"]["more"]["loss_both_empty"]
        record["objective"]["more"]["loss_both_empty"] = dict.fromkeys(losses, 0.5)
        assert_diverges(check(case, "F3", record=record), "loss on nothing", "0.5")

    @pytest.mark.parametrize("missing", ["objective", "data", "forward", "bookkeeping", "split", "seed", "loaders"])
    def test_an_incomplete_record(self, open_golden, tmp_path, missing):
        case = open_golden("llama-3.1-405b")
        record = {key: value for key, value in case.record.items() if key != missing}
        (tmp_path / "x.json").write_text(json.dumps(record))
        levels = {"forward": "F1", "objective": "F3", "bookkeeping": "bookkeeping"}
        with pytest.raises(UserError, match=f"the record has no '{missing}"):
            check(case, levels.get(missing, "F2"), record=read_record(tmp_path / "x.json"))


class TestArguments:
    def test_levels_come_in_order(self, open_golden):
        case = open_golden("llama-3.1-405b")
        verdicts = verify(case.pipeline, case.record, store=case.store, only=["F3", "F2"])
        assert [verdict.level for verdict in verdicts] == ["F2", "F3"]

    def test_a_device_that_is_not_there(self, open_golden):
        case = open_golden("llama-3.1-405b")
        with pytest.raises(UserError, match="no device 'cuda:77'"):
            list(verify(case.pipeline, case.record, only=["F3"], device="cuda:77"))

    def test_unknown_level(self, open_golden):
        case = open_golden("llama-3.1-405b")
        with pytest.raises(UserError, match="no level 'bookeeping'; did you mean 'bookkeeping'"):
            list(verify(case.pipeline, case.record, only=["bookeeping"]))

    @pytest.mark.parametrize("level", LEVELS)
    def test_stores_that_a_level_needs(self, open_golden, level):
        case = open_golden("llama-3.1-405b")
        if level in ("F1", "F3"):
            assert_holds(next(verify(case.pipeline, case.record, only=[level])))
        else:
            with pytest.raises(UserError, match=r"needs? the record's images|needs the images of that run"):
                list(verify(case.pipeline, case.record, only=[level]))

    def test_verdicts_leave_torchs_generator_alone(self, open_golden):
        case = open_golden("llama-3.1-405b")
        for level in ("F1", "F2", "F3"):
            torch.manual_seed(3)
            before = torch.get_rng_state()
            check(case, level)
            assert torch.equal(torch.get_rng_state(), before), level
