"""The files that a script writes, from its zoo entry; F5 shows that they are those of the records."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import torch
from PIL import Image

from llmseg import zoo
from llmseg.data.synthetic import SyntheticStore
from llmseg.errors import UserError
from llmseg.fidelity import recorded_inputs
from llmseg.fidelity.artefact_figures import choose_cases
from llmseg.fidelity.artefact_sheets import Results
from llmseg.fidelity.artefacts import Source, describe_stop, write_files
from llmseg.fidelity.records import read_record, recorded_id
from llmseg.fidelity.replay import replay
from llmseg.fidelity.verify import verify
from llmseg.recipe.splits import Split
from llmseg.zoo.outputs import Copies, Labels, Model, Outputs, SampleFigure, Sheet

RECORDED = {recorded_id(read_record(path)) for path in (Path(__file__).parents[1] / "golden").glob("*.json")}
KNOWN = [name for name in zoo.all_names() if zoo.get(name).outputs is not None]
UNKNOWN = [name for name in zoo.all_names() if zoo.get(name).outputs is None]
STUDY = zoo.names(in_study=True)


def cells(path, sheet=None):
    book = openpyxl.load_workbook(path)
    return [list(row) for row in (book[sheet] if sheet else book.active).iter_rows(values_only=True)]


def make_results(recipe, validation_cases: int, test_cases: int) -> Results:
    """Return scores 0.00, 0.01, ... in the order in which a script computes them, for two epochs."""
    batch_sizes = {"validation": recipe.fit.batch_size, "test": recipe.fit.batch_size_in_test}

    def count(score, phase, cases):
        return {"case": cases, "batch": -(-cases // batch_sizes[phase]), "epoch": 1}[score.lists]

    first = count(recipe.score, "validation", validation_cases)
    validation = [[epoch + number / 100 for number in range(first)] for epoch in (0, 0.5)]
    test = None if recipe.test is None else [n / 100 for n in range(count(recipe.test, "test", test_cases))]
    return Results([0.9, 0.8], [0.7, 0.6], validation, test, batch_sizes)


@pytest.fixture
def write(tmp_path):
    """A function that writes the files of a pipeline, for eleven cases of each part where there are so many."""

    def call(name, validation_cases=11, test_cases=11):
        pipeline = zoo.get(name)
        recipe = pipeline.recipe
        form = "logit" if recipe.net.output == "logits" else "prob"
        store = SyntheticStore("mri-tumour", count=30)
        held_out = validation_cases + test_cases
        split = Split(store.ids[held_out:], store.ids[:validation_cases], store.ids[validation_cases:held_out])
        source = Source(
            dataclasses.replace(pipeline, original_names=()),
            make_results(recipe, validation_cases, test_cases),
            split,
            recorded_inputs.StandInNetwork(form).eval(),
            store,
            0,
        )
        return write_files(source, recipe, tmp_path), tmp_path

    return call


def test_all_of_the_study_and_the_reruns_are_known():
    assert {*STUDY, "gpt-o3@rgb", "gpt-o4-mini-high@rgb"} <= set(KNOWN)
    assert sum("@run-" in name for name in KNOWN) == 20
    assert all(zoo.get(name).card.framework == "TensorFlow" or zoo.get(name).card.is_reference for name in UNKNOWN)


@pytest.mark.parametrize(
    "name",
    [
        # Those with a record are checked in full by F5.
        pytest.param(name, marks=[pytest.mark.slow] if name in RECORDED else [])
        for name in KNOWN
        # Whether its figure fails is left to chance.
        if name != "qwen-3-235b-no-thinking"
    ],
)
def test_every_file_of_an_entry_is_written_and_no_other(write, name):
    written, folder = write(name)
    outputs = zoo.get(name).outputs.files
    copies = any(isinstance(output, Copies) for output in outputs)
    files = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not (copies and path.relative_to(folder).parts[0] in ("train", "val", "test"))
    }
    # As many batches as a figure of random batches needs would take eighty cases.
    stops = name == "github-copilot"
    expected = {output.file for output in outputs if not isinstance(output, Copies)}
    expected -= {"predictions.png"} if stops else set()
    per_epoch = {file for file in expected if "{epoch}" in file}
    expected = (expected - per_epoch) | {file.format(epoch=epoch) for file in per_epoch for epoch in (1, 2)}
    assert files == expected
    assert written.stopped_at == ("predictions.png" if stops else "")


@pytest.mark.parametrize("name", KNOWN)
def test_an_entry_is_told_in_words(name):
    for output in zoo.get(name).outputs.files:
        assert output.describe() == output.describe().strip() != ""


class TestSheetsWithoutARecord:
    """Those of reruns that were not recorded, by what their sheets of facts say."""

    def test_a_sheet_per_epoch_with_a_batch_per_column(self, write):
        _, folder = write("gpt-o4-mini-high@run-01")
        book = openpyxl.load_workbook(folder / "validation_dice_scores.xlsx")
        assert book.sheetnames == ["epoch_1", "epoch_2"]
        rows = cells(folder / "validation_dice_scores.xlsx", "epoch_2")
        assert rows[0] == [0, 1]
        assert rows[1:] == [[0.5 + n / 100, pytest.approx(0.58 + n / 100) if n < 3 else None] for n in range(8)]

    @pytest.mark.parametrize(
        ("name", "file", "header"),
        [
            ("gpt-o4-mini-high@run-03", "validation_dice_scores_epoch{}.xlsx", [list(range(8))]),
            ("gpt-4o@run-07", "validation_dice_scores_epoch_{}.xlsx", []),
        ],
    )
    def test_a_file_per_epoch_with_a_batch_per_row(self, write, name, file, header):
        _, folder = write(name)
        for epoch, start in ((1, 0), (2, 0.5)):
            rows = cells(folder / file.format(epoch))
            assert rows[: len(header)] == header
            first, last = rows[len(header) :]
            assert first == pytest.approx([start + n / 100 for n in range(8)])
            assert last[:3] == pytest.approx([start + n / 100 for n in (8, 9, 10)])
            assert last[3:] == [None] * 5

    def test_the_last_epoch_alone(self, write):
        _, folder = write("gpt-4o@run-03")
        rows = cells(folder / "validation_dice_scores.xlsx")
        assert rows[0] == pytest.approx([0.5 + n / 100 for n in range(8)])
        assert len(rows) == 2

    def test_rows_that_are_called_epochs_and_are_batches(self, write):
        _, folder = write("gpt-o4-mini-high@run-05")
        assert [row[0] for row in cells(folder / "test_dice_scores.xlsx")] == [None, "epoch_1", "epoch_2"]
        assert cells(folder / "validation_dice_scores.xlsx")[0] == [None, *range(11)]

    def test_epoch_numbers_that_are_text(self, write):
        _, folder = write("gpt-o4-mini-high@run-09")
        assert cells(folder / "train_losses.xlsx") == [["1", "2"], [0.9, 0.8]]
        assert cells(folder / "test_dice_scores.xlsx") == [[0, 0], [1, 0.01]]

    def test_a_named_index(self, write):
        _, folder = write("gpt-o4-mini-high@run-07")
        assert cells(folder / "validation_dice_scores.xlsx")[:2] == [["Epoch", 0, 1], ["epoch_1", 0, 0.01]]
        assert cells(folder / "test_dice_scores.xlsx") == [["Epoch", "batch_0", "batch_1"], [0, 0, 0.01]]

    def test_row_names_beside_epochs_and_losses(self, write):
        _, folder = write("gpt-4o@run-01")
        assert cells(folder / "val_losses.xlsx") == [["Epoch", 1, 2], ["Loss", 0.7, 0.6]]


def test_an_array_is_written_as_its_text(write):
    _, folder = write("gpt-o4-mini-high@run-02")
    (_, header, *_), first, _ = cells(folder / "validation_dice_scores.xlsx")
    assert header == "batch_1"
    assert first[1] == str(np.array([n / 100 for n in range(8)], dtype=np.float32))


class TestFigures:
    SPLIT = Split(tuple("abcdefgh"), ("i", "j"), tuple(f"t{n}" for n in range(12)))

    @pytest.mark.parametrize(
        ("shows", "ids", "available"),
        [
            ("first of the test part", ("t0", "t1", "t2", "t3", "t4"), 12),
            ("first of each test batch", ("t0", "t5", "t10"), 3),
        ],
    )
    def test_cases_that_are_not_drawn(self, shows, ids, available):
        choice = choose_cases(SampleFigure(file="x.png", shows=shows), self.SPLIT, 5, seed=1)
        assert (choice.ids, choice.available) == (ids, available)

    @pytest.mark.parametrize(
        ("shows", "pool"),
        [
            ("random of the test part", SPLIT.test),
            ("random of all cases", (*SPLIT.train, *SPLIT.validation, *SPLIT.test)),
            ("random of the first test batch", SPLIT.test[:5]),
            ("first of random test batches", ("t0", "t5", "t10")),
        ],
    )
    def test_cases_that_are_drawn(self, shows, pool):
        figure = SampleFigure(file="x.png", shows=shows)
        chosen = [choose_cases(figure, self.SPLIT, 5, seed) for seed in range(40)]
        assert {id for choice in chosen for id in choice.ids} == set(pool)
        assert all(len(set(choice.ids)) == min(5, len(pool)) for choice in chosen)
        assert choose_cases(figure, self.SPLIT, 5, 3) == choose_cases(figure, self.SPLIT, 5, 3)

    def test_numbers_of_cases_that_are_compared_with_those_of_batches(self):
        figure = SampleFigure(file="x.png", shows="first of test batches hit", needs=1)
        chosen = [choose_cases(figure, self.SPLIT, 5, seed).ids for seed in range(60)]
        assert set().union(*chosen) == {"t0", "t5", "t10"}
        assert () in chosen, "none of the five drawn numbers may be that of a batch"

    @pytest.mark.parametrize("name", ["gpt-4", "gpt-o3", "mistral-medium-3"])
    def test_figures_show_something(self, write, name):
        _, folder = write(name)
        for path in folder.glob("*.png"):
            with Image.open(path) as image:
                assert len(image.convert("L").getcolors()) > 10, path.name

    def test_a_figure_that_fails_ends_the_files(self, write):
        written, folder = write("qwen-3-235b", test_cases=4)
        assert written.stopped_at == "test_predictions.png"
        assert (folder / "loss_curve.png").exists()
        assert not (folder / "test_predictions.png").exists()
        assert not (folder / "test_dice_scores.xlsx").exists()


class TestReplay:
    @pytest.fixture
    def toy(self, tiny_recipe):
        outputs = zoo.get("gpt-o1-preview").outputs
        return dataclasses.replace(zoo.get("gpt-o1-preview"), recipe=tiny_recipe, original_names=(), outputs=outputs)

    def test_the_files_of_the_script_are_in_a_folder_of_their_own(self, toy, phantoms, tmp_path):
        run = replay(toy, phantoms, tmp_path / "run", artefacts="original", progress=False)
        assert not (run.folder / "replay").exists()
        folder = run.folder / "original"
        assert cells(folder / "train_losses.xlsx") == [[1, 2], pytest.approx(run.history["train_loss"].tolist())]
        listed = run.listed[run.listed["phase"] == "test"]["value"].tolist()
        assert cells(folder / "test_dice_scores.xlsx") == [pytest.approx(listed)]
        state = torch.load(folder / "unet_model_state_dict.pth", weights_only=True)
        net = torch.load(folder / "unet_model.pth", weights_only=False)
        for name, tensor in run.load_net().state_dict().items():
            assert torch.equal(state[name], tensor)
            assert torch.equal(net.state_dict()[name], tensor)
        for part, ids in (("train", run.split.train), ("val", run.split.validation), ("test", run.split.test)):
            assert len(list((folder / part / "images").iterdir())) == len(ids)
            assert len(list((folder / part / "masks").iterdir())) == len(ids)
        id = run.split.train[0]
        with Image.open(folder / "train" / "images" / id) as image:
            assert np.array_equal(np.array(image), phantoms.read(id).image)

    def test_what_the_script_would_not_reach_is_missing_and_told(self, toy, phantoms, tmp_path):
        run = replay(toy, phantoms, tmp_path / "run", artefacts="original", progress=False)
        missing = not (run.folder / "original" / "test_predictions.png").exists()
        assert missing == (len(run.split.test) < 5)
        assert ("wrote no test_predictions.png" in describe_stop(run, toy)) == missing

    def test_both_layouts_of_one_run(self, toy, phantoms, tmp_path):
        first = replay(toy, phantoms, tmp_path / "run", progress=False)
        times = {path: path.stat().st_mtime_ns for path in first.folder.iterdir() if path.is_file()}
        replay(toy, phantoms, tmp_path / "run", artefacts="original", progress=False)
        assert (first.folder / "replay").is_dir()
        assert (first.folder / "original").is_dir()
        assert {path: path.stat().st_mtime_ns for path in first.folder.iterdir() if path.is_file()} == times

    def test_an_interrupted_folder_is_written_anew(self, toy, phantoms, tmp_path, monkeypatch):
        arguments = {"artefacts": "original", "progress": False}
        with monkeypatch.context() as patch:
            patch.setattr("llmseg.fidelity.artefacts._write_model", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                replay(toy, phantoms, tmp_path / "run", **arguments)
        assert not (tmp_path / "run" / "original").exists()
        folder = replay(toy, phantoms, tmp_path / "run", **arguments).folder
        assert {path.name for path in folder.iterdir() if path.is_dir()} == {"original"}

    @pytest.mark.parametrize("name", UNKNOWN[:1] + UNKNOWN[-1:])
    def test_unknown_outputs_are_refused_before_the_training(self, phantoms, tmp_path, name):
        with pytest.raises(
            UserError, match=f"what the scripts of {name} write is not known yet: leave out --artefacts"
        ):
            replay(zoo.get(name), phantoms, tmp_path / "run", artefacts="original")
        assert not (tmp_path / "run").exists()

    def test_there_is_no_other_layout(self, toy, phantoms, tmp_path):
        with pytest.raises(
            UserError, match="artefacts 'orignal': must be one of common, original; did you mean 'original'"
        ):
            replay(toy, phantoms, tmp_path / "run", artefacts="orignal")


def change_output(pipeline, name: str, changes):
    files = [
        dataclasses.replace(output, **changes) if output.file == name else output for output in pipeline.outputs.files
    ]
    return dataclasses.replace(pipeline, outputs=Outputs(tuple(files)))


class TestF5:
    def check(self, case, pipeline, record=None):
        (verdict,) = verify(
            pipeline,
            record or case.record,
            store=case.store,
            bookkeeping_store=case.bookkeeping_store,
            only=["F5"],
        )
        return verdict

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("stem", "file", "changes", "words"),
        [
            ("llama-4-maverick", "train_losses.xlsx", {"file": "train_loss.xlsx"}, "files"),
            ("llama-4-maverick", "train_losses.xlsx", {"columns": Labels(first=("epoch", "Loss"))}, "first row"),
            ("llama-4-maverick", "train_losses.xlsx", {"layout": "row", "epochs": "above"}, "first column"),
            ("llama-4-maverick", "train_losses.xlsx", {"holds": "validation_loss"}, "train_losses.xlsx"),
            ("llama-4-maverick", "train_losses.xlsx", {"index": True}, "rows and columns"),
            ("llama-4-maverick", "train_losses.xlsx", {"renamed": True}, "table train_losses.xlsx#Sheet1, columns"),
            ("llama-4-maverick", "test_dice_scores.xlsx", {"header": False}, "rows and columns"),
            ("llama-4-maverick", "validation_dice_scores.xlsx", {"keeps": "last"}, "rows and columns"),
            ("llama-4-maverick", "validation_dice_scores.xlsx", {"keeps": "sheet"}, "sheets"),
            ("llama-4-maverick", "validation_dice_scores.xlsx", {"rows": Labels(start=1)}, "index"),
            ("llama-4-maverick", "model.pth", {"content": "whole module"}, "model.pth, content"),
            ("llama-4-maverick", "losses.png", {"size": (6, 5)}, "losses.png, size"),
            ("llama-4-maverick", "predictions.png", {"needs": 0}, "main run, files"),
            ("gpt-o4-mini-high-run-06", "test_dice_scores.xlsx", {"layout": "batch-per-row"}, "rows and columns"),
            ("gpt-o4-mini-high-run-02", "validation_dice_scores.xlsx", {"corner": "Epoch"}, "first row"),
            ("gpt-o1-preview", "train, val, test", {"apart": False}, "files"),
        ],
    )
    def test_a_planted_change_is_found(self, open_golden, stem, file, changes, words):
        case = open_golden(stem)
        verdict = self.check(case, change_output(case.pipeline, file, changes))
        assert not verdict.holds, str(verdict)
        assert words in verdict.divergence

    def test_it_holds_and_a_header_that_is_not_written_is_found(self, open_golden):
        case = open_golden("llama-4-maverick")
        verdict = self.check(case, case.pipeline)
        assert verdict.holds, str(verdict)
        assert verdict.figures > 150
        changed = change_output(case.pipeline, "test_dice_scores.xlsx", {"header": False})
        assert "rows and columns" in self.check(case, changed).divergence

    @pytest.mark.slow
    def test_a_value_in_a_recorded_sheet_that_is_off(self, open_golden):
        case = open_golden("llama-4-maverick")
        record = copy.deepcopy(case.record)
        sheet = record["bookkeeping"]["files"]["val_losses.xlsx"]["sheets"]["Sheet1"]
        sheet["cells"][2][1] *= 1.001
        assert "bookkeeping run, val_losses.xlsx, row 2" in self.check(case, case.pipeline, record).divergence

    @pytest.mark.slow
    def test_a_recorded_array_that_is_off(self, open_golden):
        case = open_golden("gpt-o4-mini-high-run-02")
        record = copy.deepcopy(case.record)
        sheet = record["bookkeeping"]["files"]["validation_dice_scores.xlsx"]["sheets"]["Sheet1"]
        sheet["cells"][1][3] = "[0.81431876]"
        assert "validation_dice_scores.xlsx, row 1" in self.check(case, case.pipeline, record).divergence

    def test_it_is_checked_only_when_asked_for(self, open_golden):
        case = open_golden("llama-4-maverick")
        with pytest.raises(UserError, match="F5 needs the record's images and those of its bookkeeping run"):
            list(verify(case.pipeline, case.record, store=case.store, only=["F5"]))
        unknown = dataclasses.replace(case.pipeline, outputs=None)
        assert next(verify(unknown, case.record, store=case.store, only=["F2"])).holds
        with pytest.raises(UserError, match="is not known yet"):
            self.check(case, unknown)


def test_outputs_of_one_name_are_refused():
    with pytest.raises(UserError, match="two outputs of one name"):
        Outputs((Model(file="a.pth", content="whole module"), Model(file="a.pth", content="state dictionary")))


def test_outputs_are_in_no_digest():
    pipeline = zoo.get("gpt-4")
    assert dataclasses.replace(pipeline, outputs=None).recipe.digest == pipeline.recipe.digest
    assert not any(isinstance(value, Sheet) for _, value in pipeline.recipe.items())
