"""Cells: whoever works on them, and whoever is killed, the tables are the same."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from llmseg import Study, SyntheticStore, Terminated, UserError, hold_out
from llmseg.files.locks import Lease
from llmseg.study import Cell, Variant, run_studies, work_on_studies
from llmseg.study.design import Design
from llmseg.study.grid import run_designs
from llmseg.study.launching.allowance import Allowance
from llmseg.study.launching.cells import digest_results, find_finished, publish, take_attempt
from llmseg.study.options import Launch
from llmseg.training.loop import NotANumber
from llmseg.training.memory import OutOfMemory

from ..conftest import find_cell, stop_at, write_cell

TABLES = ("scores.csv", "differences.csv", "study.json")


def tables(study):
    return {name: (study.folder / name).read_bytes() for name in TABLES}


def test_every_variant_is_trained_with_one_seed_before_the_next_seed(run, calls):
    study = run()
    assert calls == [(name, seed) for seed in (0, 1) for name in "abc"]
    rows = study.scores[["variant", "seed"]].drop_duplicates().values.tolist()
    assert rows == [[name, seed] for name in "abc" for seed in (0, 1)]
    assert study.is_finished
    assert study.remarks == ()


@pytest.fixture
def run_two(fake_trainings, tiny_recipe, phantoms, tmp_path):
    """A function that runs a study of two variants and two seeds on each of two datasets."""
    stores = (phantoms, SyntheticStore("fundus", count=10))
    holdouts = [hold_out(store, fraction=0.2, progress=False) for store in stores]
    variants = [Variant("a", tiny_recipe), Variant("b", tiny_recipe.change("fit.rate", 0.5))]

    def call(folder="all"):
        return run_studies(None, variants, stores, tmp_path / folder, holdouts=holdouts, seeds=2, progress=False)

    return call


def test_every_dataset_has_its_first_seeds_before_any_has_its_second(run_two, fake_trainings):
    order, written = [], []

    def note(task, attempt, at_once):
        order.append((task.cell.seed, task.design.store.name, task.variant.name))
        written.append([(study / "scores.csv").is_file() for study in siblings(task)])

    fake_trainings(note)
    assert all(study.is_finished for study in run_two())
    names = ("synthetic-mri-tumour", "synthetic-fundus")
    assert order == [(seed, name, variant) for seed in (0, 1) for name in names for variant in "ab"]
    # The second dataset has its tables as soon as it has a cell.
    assert written[2:4] == [[False, True], [True, True]]


def test_also_a_launcher_that_helps_begins_with_the_first_seeds(run_two, fake_trainings, tmp_path, calls):
    fake_trainings(stop_at("b", 0))
    with pytest.raises(Terminated):
        run_two()
    whole = [tables(study) for study in run_two("whole")]
    calls.clear()
    helped = {study.folder.name: tables(study) for study in work_on_studies(tmp_path / "all", progress=False)}
    assert [seed for _, seed in calls] == [0, 0, 0, 1, 1, 1, 1]
    assert helped == dict(zip(("synthetic-mri-tumour", "synthetic-fundus"), whole, strict=True))


def test_a_finished_study_has_its_final_tables_while_others_go_on(run_two, fake_trainings):
    finished = []
    fake_trainings(lambda task, *_: finished.append([study.is_finished for study in map(Study, siblings(task))]))
    run_two()
    assert finished[-1] == [False, True]


def siblings(task):
    """The studies of two datasets, by name."""
    return sorted(path for path in task.cell.study.parent.iterdir() if path.is_dir())


def test_nothing_private_is_published(run, tmp_path):
    study = run()
    assert not list((study.folder / ".work" / "attempts").iterdir())
    assert not list((study.folder / ".work" / "leases").iterdir())
    published = [path for path in study.folder.rglob("*") if path.is_file() and path.name != "private.json"]
    # The number of the process as a word of its own, for scores have many digits.
    words = (re.escape(os.uname().nodename), re.escape(str(tmp_path)), rf"\b{os.getpid()}\b")
    assert [path for path in published for word in words if re.search(word, path.read_text())] == []


@pytest.mark.parametrize("launchers", [1, 2], ids=["while it holds its lease", "while it takes that one over"])
def test_leases_of_finished_cells_go_with_their_killed_launchers(run, tmp_path, launchers):
    study = run()
    killed, alive = (find_cell(study.folder, "a", seed).lease for seed in (0, 1))
    imports = "import os, sys; from pathlib import Path; from llmseg.files.locks import Lease"
    # To take a lease over, filelock gives it another name and then removes it.
    end = "Path.unlink = lambda *_, **__: os._exit(0); Lease(Path(sys.argv[1])).take(); os._exit(0)"
    for _ in range(launchers):
        subprocess.run([sys.executable, "-c", f"{imports}; {end}", killed], check=True)
    assert len([path for path in killed.parent.iterdir() if path.name.startswith(killed.name)]) == launchers
    held = Lease(alive)
    assert held.take()
    run()
    assert list(killed.parent.iterdir()) == [alive]
    held.release()


def test_launchers_that_are_killed_while_others_work_leave_no_leases(run, fake_trainings, tmp_path):
    def leave(task, *_):
        (tmp_path / "s" / ".work" / "leases" / f"{task.cell.name}.lease.break.1.ab").write_text("")

    fake_trainings(leave)
    study = run()
    assert not list((study.folder / ".work" / "leases").iterdir())


def test_the_order_of_finishing_changes_nothing(run, fake_trainings, tmp_path):
    whole = tables(run())
    fake_trainings(stop_at("b", 0))
    with pytest.raises(Terminated):
        run("other")
    for variant, seed in (("c", 1), ("a", 1), ("b", 1)):
        cell = find_cell(tmp_path / "other", variant, seed)
        attempt = take_attempt(cell)
        write_cell(SimpleNamespace(cell=cell, variant=SimpleNamespace(name=variant)), attempt)
        assert publish(cell, attempt, 1.0)
    assert tables(run("other")) == whole


def test_a_cell_that_is_stopped_is_given_back_and_continued(run, fake_trainings, tmp_path, calls):
    fake_trainings(stop_at("b", 0))
    with pytest.raises(Terminated):
        run()
    study = Study.open(tmp_path / "s")
    assert not list((tmp_path / "s" / ".work" / "leases").iterdir())
    (attempt,) = find_cell(tmp_path / "s", "b", 0).attempts
    seen = []
    fake_trainings(lambda task, attempt, _: seen.append((task.cell.name, (attempt / "run" / "checkpoint").is_file())))
    assert study.remarks == (
        "1 of 6 cells of the study on synthetic-mri-tumour are finished; seed 0 of 1 variant is compared",
    )
    run()
    assert seen[0] == (attempt.name.rpartition(".")[0], True)
    assert calls.count(("a", 0)) == 1
    assert study.failures == ()


def test_what_a_killed_launcher_left_is_taken_over_and_noted(run, fake_trainings, tmp_path):
    fake_trainings(stop_at("b", 0))
    with pytest.raises(Terminated):
        run()
    cell = find_cell(tmp_path / "s", "b", 0)
    code = "import os, sys; from pathlib import Path; from llmseg.files.locks import Lease"
    code += "; Lease(Path(sys.argv[1])).take(); os._exit(9)"
    subprocess.run([sys.executable, "-c", code, str(cell.lease)], check=False)
    assert cell.lease.exists()
    notes = []
    fake_trainings(
        lambda task, attempt, _: notes.append([path.name for path in (tmp_path / "s" / "failures").iterdir()])
    )
    study = run()
    assert notes[0] == ["b-seed0.json"]
    assert notes[-1] == []
    assert study.is_finished


def test_a_cell_of_another_launcher_is_waited_for(run, fake_trainings, tmp_path, calls):
    fake_trainings(stop_at("b", 0))
    with pytest.raises(Terminated):
        run()
    cell = find_cell(tmp_path / "s", "b", 0)
    other = Lease(cell.lease)
    assert other.take()
    thread = threading.Thread(target=run)
    thread.start()
    while len(calls) < 6:
        time.sleep(0.01)
    assert not cell.is_finished
    assert calls[-1] != ("b", 0)
    other.release()
    thread.join(10)
    assert Study(tmp_path / "s").is_finished
    assert calls[-1] == ("b", 0)


@pytest.mark.parametrize(("change", "words"), [("", "with the same results"), ("!", "with OTHER results")])
@pytest.mark.usefixtures("notes_printed")
def test_of_two_that_finish_the_same_cell_the_later_goes(change, words, run, fake_trainings, tmp_path, capsys):
    def overtake(task, attempt, at_once):
        if task.variant.name == "a" and not task.cell.is_finished:
            other = task.cell.study / ".work" / "other"
            write_cell(task, other, change)
            assert publish(task.cell, other, 1.0)

    fake_trainings(overtake)
    study = run()
    err = capsys.readouterr().err
    assert err.count("was finished by another launcher, too, " + words) == 2
    kept = (find_cell(study.folder, "a", 0).folder / "run" / "weights.safetensors").read_text()
    assert kept == f"a 0{change}"
    assert study.is_finished
    assert not list((study.folder / ".work" / "attempts").iterdir())


@pytest.mark.usefixtures("notes_printed")
def test_a_launcher_whose_cell_was_taken_over_goes_on(run, fake_trainings, capsys):
    taken = []

    def take_over(task, attempt, at_once):
        if task.variant.name == "a" and not taken:
            taken.append(take_attempt(task.cell))
            raise UserError("cannot write history.csv: No such file or directory")

    fake_trainings(take_over)
    study = run()
    assert "was taken over by another launcher; this one goes on" in capsys.readouterr().err
    assert study.failures == ()
    assert study.is_finished


def test_what_diverged_is_tried_again_only_if_that_is_said(run, fake_trainings, calls):
    fake_trainings(stop_at("b", 0, NotANumber(0, 1.0)))
    with pytest.raises(
        UserError, match=r"b with seed 0: the training loss .* with --retry diverged it is tried again$"
    ):
        run()
    trained = len(calls)
    with pytest.raises(UserError, match="--retry diverged"):
        run()
    assert len(calls) == trained
    with pytest.raises(UserError, match="no failures of kind 'diverge' to retry; did you mean 'diverged'"):
        run(retry="diverge")
    assert run(retry="diverged").failures == ()


def test_too_little_memory_is_tried_again_with_half_of_the_batch(run, fake_trainings, tiny_recipe):
    sizes = []

    def need(task, attempt, at_once):
        if task.variant.name == "b":
            sizes.append(at_once)
            if at_once != 1:
                raise OutOfMemory("too little") if at_once else torch.OutOfMemoryError("CUDA out of memory")

    fake_trainings(need)
    for _ in range(2):
        study = run(leave_out_failing=True)
        assert study.variants == ("a", "c")
        (failure,) = study.failures
        assert (failure.kind, "CUDA out of memory" in failure.log) == ("out-of-memory", True)
    assert tiny_recipe.fit.batch_size == 4
    assert run(leave_out_failing=True, retry=["out-of-memory"]).variants == ("a", "c")
    study = run(leave_out_failing=True, retry=["out-of-memory"])
    assert sizes == [None, 2, 1, 1]
    assert study.variants == ("a", "b", "c")


def test_another_error_is_tried_again_by_the_next_call(run, fake_trainings):
    fake_trainings(stop_at("b", 0, RuntimeError("cuDNN error")))
    study = run(leave_out_failing=True)
    assert [(f.kind, "stop" in f.log, str(Path.home()) in f.log) for f in study.failures] == [("error", True, False)]
    assert str(Path(__file__).parent) not in study.failures[0].log
    study = run()
    assert study.failures == ()
    assert study.variants == ("a", "b", "c")


def test_a_gpu_that_fails_ends_the_launcher(run, fake_trainings, calls):
    """Every other training would meet the same error."""
    fake_trainings(stop_at("b", 0, RuntimeError("CUDA error: device-side assert triggered")))
    with pytest.raises(RuntimeError, match="device-side assert"):
        run(leave_out_failing=True)
    assert calls == [("a", 0), ("b", 0)]
    assert run().variants == ("a", "b", "c")


def test_another_launcher_opens_the_study_by_itself(run, fake_trainings, tmp_path, calls):
    whole = tables(run("whole"))
    fake_trainings(stop_at("b", 0))
    with pytest.raises(Terminated):
        run()
    (study,) = work_on_studies(tmp_path, progress=False)[:1]
    assert tables(study) == whole
    assert calls.count(("a", 0)) == 2  # one in each study


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda study: (study / "private.json").unlink(), "does not say where its cases are"),
        (lambda study: change_source(study, count=3), "is not in the state in which .* was begun"),
        (lambda study: change_source(study, modality="none"), "are not at .* any more"),
        (lambda study: (study / "study.json").unlink(), "no study to work on"),
    ],
)
def test_a_study_that_cannot_be_opened_by_itself_is_one_line(spoil, words, run, tmp_path):
    spoil(run().folder)
    with pytest.raises(UserError, match=words):
        work_on_studies(tmp_path / "s", progress=False)


def change_source(study, **fields):
    path = study / "private.json"
    record = json.loads(path.read_text())
    record["source"] |= fields
    path.write_text(json.dumps(record))


def test_a_folder_that_takes_no_leases_is_one_line(run, tmp_path):
    run()
    (tmp_path / "s" / "a-000000-seed9").mkdir()
    leases = tmp_path / "s" / ".work" / "leases"
    leases.rmdir()
    leases.write_text("mine")
    with pytest.raises(UserError, match=r"cannot make the folder .*leases"):
        run(seeds=3)


def test_a_cell_that_an_earlier_version_left_unfinished_is_continued(run, fake_trainings, tmp_path):
    study = run()
    cell = find_cell(study.folder, "b", 1)
    before = digest_results(cell.folder)
    (cell.folder / "evaluation" / "evaluation.json").unlink()
    (cell.folder / "evaluation" / "mine.txt").write_text("kept")
    run()
    assert digest_results(cell.folder) == before
    assert (cell.folder / "evaluation" / "mine.txt").read_text() == "kept"


def test_more_seeds_extend_a_finished_study(run, calls):
    two = run()
    assert len(two.differences()) == 2
    assert run(seeds=3).differences()["seeds"].tolist() == [3, 3]
    assert len(calls) == 9


def test_torchrun_is_refused(run, monkeypatch, tmp_path):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="start a study without it"):
        run()
    assert not (tmp_path / "s").exists()


def test_finished_cells_are_found_among_many(run):
    study = run()
    (finished, *others) = study.cells
    for cell in others:
        (cell.folder / "evaluation" / "evaluation.json").unlink()
    begun = [Cell(study.folder, "a", "000000", 7), Cell(study.folder / "none", "a", "000000", 0)]
    assert find_finished([*study.cells, *begun]) == {finished}


def test_names_of_cells():
    cell = Cell(Path("s"), "loss.dice=0.0 é/x", "0123456789", 2)
    assert cell.name == "loss.dice=0.0_é_x-012345-seed2"


def test_one_line_shows_cell_and_time_left(run, capsys):
    run(progress=True)
    lines = [line.split("|") for line in capsys.readouterr().err.replace("\r", "\n").splitlines() if "cells" in line]
    assert [lines[0][0].strip(), lines[0][2].strip()] == ["a, seed 0", "0 of 6 cells"]
    assert lines[-1][0].strip() == "finished"
    assert lines[-1][2].strip().startswith("6 of 6 cells")


@pytest.fixture
def allow(fake_trainings, tiny_recipe, phantoms, tmp_path):
    """A function that trains what some hours allow of two variants and two seeds.

    By plan, a cell takes an hour or two seconds; all take two.
    """
    variants = (Variant("dear", tiny_recipe), Variant("cheap", tiny_recipe.change("fit.rate", 0.5)))
    holdout = hold_out(phantoms, fraction=0.2, progress=False)
    design = Design(
        folder=tmp_path / "s", label=None, variants=variants, store=phantoms, folds=(holdout,), seeds=2, epochs=1
    )

    def call(hours, seconds=(3600, 2)):
        plan = {cell: each for variant, each in zip(variants, seconds, strict=True) for cell in design.cells(variant)}
        return list(run_designs([design], Launch(progress=False), allowance=Allowance(hours, plan)))

    return call


def test_only_what_fits_is_begun_and_the_most_informative_first(allow, calls, tmp_path):
    (study,) = allow(0.1)
    assert calls == [("cheap", 0), ("cheap", 1)]
    assert not study.is_finished
    assert (tmp_path / "s" / "scores.csv").is_file()
    (study,) = allow(2.5)
    assert calls[2:] == [("dear", 0), ("dear", 1)]
    assert study.is_finished


def test_seeds_go_in_turn_while_the_time_lasts(allow, calls):
    allow(3)
    assert calls == [("cheap", 0), ("dear", 0), ("cheap", 1), ("dear", 1)]


def test_nothing_fits_and_nothing_is_begun(allow, calls, tmp_path):
    assert allow(0.0001) == [None]
    assert calls == []
    assert Study(tmp_path / "s").record["seeds"] == 2


def test_what_cells_really_took_corrects_the_estimate(allow, calls):
    # A cell takes two seconds here, twice what was planned for the cheap one: the dear one would take 7200.
    allow(1.5, seconds=(3600, 1))
    assert calls == [("cheap", 0), ("cheap", 1)]


def test_a_launcher_whose_time_is_limited_waits_for_nobody(allow, calls, tmp_path):
    allow(0.0001)
    held = Lease(next(cell for cell in Study(tmp_path / "s").cells if cell.variant == "dear").lease)
    assert held.take()
    allow(2.5)
    assert calls == [("cheap", 0), ("cheap", 1), ("dear", 1)]
    held.release()
