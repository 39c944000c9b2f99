"""Collecting and merging the results of studies, and reading them as studies are read."""

from __future__ import annotations

import functools
import gzip
import json
import platform
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmseg import UserError, write_report
from llmseg.report import Question, judge
from llmseg.stats import Table
from llmseg.study import (
    Collected,
    CollectedCell,
    CollectedStudy,
    collect_studies,
    find_run,
    merge_studies,
    read_collected,
    read_results,
    read_study_status,
)
from llmseg.study.collected.cell import describe_device
from llmseg.study.collected.files import make_files, write_collected
from llmseg.study.collected.folder import HISTORY, SCORES, digest_frames, sort_cells
from llmseg.study.collected.merge import merge
from llmseg.study.collected.results import choose_cells, list_remarks

EARLIER = Path(__file__).parents[2] / "earlier_versions" / "a93af28" / "study"
"""A study of two variants with one seed."""


def read_bytes(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def change_cell(study, changes, *, run=None):
    """Change what the first cell of a study says: words of its evaluation, and fields of its run."""
    (cell,) = study.glob("base-*")
    for path in (cell / "evaluation").iterdir():
        text = path.read_text(encoding="utf-8")
        for old, new in changes.items():
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
    record = json.loads((cell / "run" / "run.json").read_text(encoding="utf-8"))
    (cell / "run" / "run.json").write_text(json.dumps({**record, **(run or {})}), encoding="utf-8")


@pytest.fixture
def copy(tmp_path):
    """A function that copies the study to a folder of its own."""
    return lambda name="study": Path(shutil.copytree(EARLIER, tmp_path / name / "tiny"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The study, collected."""
    out = tmp_path_factory.mktemp("whole") / "collected"
    collect_studies(EARLIER, out)
    return out


@pytest.fixture
def collected(whole, tmp_path):
    """A copy of the collected study."""
    return Path(shutil.copytree(whole, tmp_path / "collected"))


def test_a_collected_study_reads_as_the_study(collected):
    study, ours = read_results(EARLIER), read_results(collected)
    pd.testing.assert_frame_equal(ours.scores.frame, study.scores.frame)
    assert ours.scores.remarks == study.scores.remarks
    assert [(run.contender, run.dataset, run.seed, run.digest) for run in ours.runs] == [
        (run.contender, run.dataset, run.seed, run.digest) for run in study.runs
    ]
    for mine, theirs in zip(ours.runs, study.runs, strict=True):
        pd.testing.assert_frame_equal(mine.run.history, theirs.run.history)
        assert mine.run.recipe == theirs.run.recipe
    assert judge(ours.scores, Question.of()) == judge(study.scores, Question.of())


def test_the_report_has_the_same_bytes_but_for_images(collected, tmp_path):
    for name, source in (("a", EARLIER), ("b", collected / "scores.parquet")):
        write_report(source, tmp_path / name, cases=0)
    files = {path.relative_to(tmp_path / "a"): path.read_bytes() for path in (tmp_path / "a").rglob("*.*")}
    assert files == {path.relative_to(tmp_path / "b"): path.read_bytes() for path in (tmp_path / "b").rglob("*.*")}


def test_images_are_asked_of_the_study(collected, phantoms, tmp_path):
    written = write_report(collected, tmp_path / "report", stores=[phantoms])
    assert "overlays need runs" in written.notes[phantoms.name]
    with pytest.raises(UserError, match="which has no weights; give the folder of the study itself"):
        find_run(collected, "base")


def test_every_row_has_the_digests_of_what_made_it(collected):
    table = read_collected(collected).table()
    assert set(table["variant"]) == {"base", "slow"}
    for name in ("recipe", "data", "split", "device", "numerics", "results"):
        assert table[name].str.fullmatch("[0-9a-f]{64}").all()
    assert set(table["code"]) == {"unknown"}, "an earlier version did not record it"
    cells = pd.read_csv(collected / "cells.csv")
    long = pd.read_parquet(collected / "scores.parquet").merge(cells, on="cell", suffixes=("", "_of_cell"))
    assert len(long) == len(table)
    wide = pd.read_csv(collected / "scores.csv.gz", dtype={"case": str})
    assert len(wide) * table["measure"].nunique() == len(table)
    dice = table[table["measure"] == "dice"].reset_index(drop=True)
    assert (wide["dice"] == dice["value"]).all()
    assert (wide["case"] == dice["case"]).all()


def test_the_parquet_file_alone_makes_a_table(collected):
    frame = pd.read_parquet(collected / "scores.parquet")
    with pytest.raises(
        UserError, match=r"scores at sizes native, working are in one table; keep one, as frame\["
    ) as error:
        Table.from_frame(frame)
    assert str(error.value).endswith("frame[frame['size'] == 'native']")
    advised = frame[frame["size"] == "native"]
    pd.testing.assert_frame_equal(Table.from_frame(advised).frame, read_results(EARLIER).scores.frame)
    with pytest.raises(UserError, match=r"is a collected study; read it by llmseg\.study\.read_results"):
        Table.from_evaluations(collected)


def test_nothing_names_places_or_computers(copy, tmp_path):
    collect_studies(copy(), tmp_path / "out")
    content = b"".join(read_bytes(tmp_path / "out").values()) + gzip.decompress(
        (tmp_path / "out" / "scores.csv.gz").read_bytes()
    )
    for word in (str(tmp_path), platform.node(), "command", "started", "weights.safetensors"):
        assert word.encode() not in content


def test_collecting_grows_and_ends_with_the_same_bytes(collected, copy, tmp_path):
    study = copy()
    (study / "differences.csv").unlink()
    (cell,) = study.glob("slow-*")
    cell.rename(tmp_path / "away")
    collect_studies(study, tmp_path / "out")
    (state,) = read_study_status(tmp_path / "out")
    assert (state.cells, state.finished, state.seconds_left) == (2, 1, None)
    remark = "1 of 2 cells of the study on synthetic-mri-tumour are finished; seed 0 of 1 variant is compared"
    assert read_results(tmp_path / "out").scores.remarks[0] == remark == read_results(study).scores.remarks[0]
    (tmp_path / "away").rename(cell)
    collect_studies(study, tmp_path / "out")
    assert read_bytes(tmp_path / "out") == read_bytes(collected)
    shutil.rmtree(cell)
    collect_studies(study, tmp_path / "out")
    assert read_bytes(tmp_path / "out") == read_bytes(collected), "what is collected stays"


def test_the_measures_that_were_named_beforehand_are_kept(copy, tmp_path):
    study = copy()
    record = json.loads((study / "study.json").read_text(encoding="utf-8"))
    (study / "study.json").write_text(json.dumps({**record, "measures": ["iou", "dice"]}), encoding="utf-8")
    (plan,) = collect_studies(study, tmp_path / "out").studies.values()
    assert plan.facts["measures"] == ["iou", "dice"]
    assert merge_studies([study, EARLIER], tmp_path / "both").studies.keys() > {plan.key}
    pd.testing.assert_frame_equal(read_results(tmp_path / "both").scores.frame, read_results(EARLIER).scores.frame)


def test_a_study_that_has_not_begun_does_not_keep_others_from_being_read(copy, tmp_path):
    study = copy()
    other = tmp_path / "study" / "fundus"
    other.mkdir()
    text = (study / "study.json").read_text(encoding="utf-8").replace("synthetic-mri-tumour", "fundus")
    (other / "study.json").write_text(text, encoding="utf-8")
    results = read_results(study.parent)
    assert results.scores.remarks[0] == "no cell of the study on fundus is finished"
    collect_studies(study.parent, tmp_path / "out")
    assert set(read_results(tmp_path / "out").scores.remarks) == set(results.scores.remarks)
    with pytest.raises(UserError, match=r"no cell of .*fundus is finished yet; wait for one, see llmseg status"):
        collect_studies(other, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_changed_digest_is_a_new_cell_and_somebody_chooses(copy, tmp_path):
    first, second = copy("first"), copy("second")
    change_cell(second, {",native,dice,0.": ",native,dice,0.0"}, run={"code": "f" * 64})
    out = tmp_path / "out"
    collect_studies(first, out)
    assert len(collect_studies(second, out).cells) == 3, "the other variant is the same in both"
    with pytest.raises(
        UserError, match=r"has tiny with seed 0 on .* twice, with different code .* and results"
    ) as error:
        read_results(out)
    name, _, value = str(error.value).partition(" --only ")[2].split()[0].partition("=")
    chosen = merge_studies(out, tmp_path / "advised", only={name: [value]})
    assert [cell.code[:12] for cell in chosen.cells if cell.variant == "base"] == [value]
    assert read_results(tmp_path / "advised").datasets
    with pytest.raises(UserError, match="of which a choice could lose cells; choose a new --out"):
        merge_studies(out, out, only={"code": ["f" * 12]})
    chosen = merge_studies(out, tmp_path / "chosen", only={"code": ["f" * 12]})
    assert [cell.variant for cell in chosen.cells] == ["base"]
    assert read_results(tmp_path / "chosen").scores.contenders == ("tiny",)
    with pytest.raises(UserError, match=r"no cell has code 'abc'; there are (unknown, f{12}|f{12}, unknown)"):
        merge_studies(out, tmp_path / "none", only={"code": ["abc"]})
    with pytest.raises(UserError, match="no field 'devise'; did you mean 'device'"):
        merge_studies(out, tmp_path / "none", only={"devise": ["abc"]})


def test_two_studies_of_one_contender_are_told_by_what_differs(copy, tmp_path):
    first, second = copy("first"), copy("second")
    change_cell(second, {",native,dice,0.": ",native,dice,0.0"})
    recipe = read_results(second).runs[0].run.recipe.change("fit.rate", 0.5)
    change_cell(second, {}, run={"recipe": recipe.to_dict(), "recipe_digest": recipe.digest})
    text = (second / "study.json").read_text(encoding="utf-8")
    digest = json.loads(text)["variants"]["base"]
    (second / "study.json").write_text(text.replace(digest, recipe.digest), encoding="utf-8")
    for cell in second.glob("base-*"):
        cell.rename(second / f"base-{recipe.digest[:6]}-seed0")
    merge_studies([first, second], tmp_path / "out")
    words = r"with different study \(\w+, \w+\) and results: fit\.rate is [0-9.]+ in one and [0-9.]+ in the other"
    with pytest.raises(UserError, match=words) as error:
        read_results(tmp_path / "out")
    name, _, value = str(error.value).partition(" --only ")[2].split()[0].partition("=")
    merge_studies(tmp_path / "out", tmp_path / "new", only={name: [value]})
    assert read_results(tmp_path / "new").scores.contenders == ("tiny", "tiny slow"), "a study has all its contenders"


def test_what_can_be_compared_is_chosen_study_by_study():
    """Two studies share cells; the second has not finished one variant with its second seed."""
    cells = [cell for part in (POOL[0], POOL[3], POOL[4]) for cell in part.cells]
    facts = ({"label": None}, {"label": None, "measures": ["iou"]})
    plans = [CollectedStudy(dataset="skin", facts=own, variants={"a": 0, "b": 1}, seeds=2) for own in facts]
    both = [replace(cell, study=plan.key) for plan in plans for cell in cells]
    collected = replace(join(*POOL), studies={plan.key: plan for plan in plans}, cells=tuple(both))
    chosen = choose_cells(Path("s"), collected)
    assert [(cell.variant, cell.seed) for cell in chosen] == [("a", 0), ("b", 0)]
    remark = "3 of 4 cells of the study on skin are finished; seed 0 of 2 variants are compared"
    assert list_remarks(collected, chosen) == (remark, remark)


def test_the_same_results_of_two_devices_count_once(copy, tmp_path):
    first, second = copy("first"), copy("second")
    change_cell(second, {}, run={"hardware": {"machine": "other"}})
    assert len(merge_studies([first, second], tmp_path / "out").cells) == 3
    pd.testing.assert_frame_equal(read_results(tmp_path / "out").scores.frame, read_results(first).scores.frame)


@pytest.mark.parametrize(
    ("name", "hardware", "same"),
    [
        ("cuda:1", {"gpus": ["T4", "A100"]}, True),
        ("cuda", {"gpus": ["A100"], "cores": 99}, True),
        ("cuda:0", {"gpus": ["T4", "A100"]}, False),
        ("cpu", {"gpus": ["A100"]}, False),
        ("cuda", {"gpus": ["A100"], "threads": 7}, False),
    ],
)
def test_the_device_is_told_by_its_kind_and_not_by_its_number(name, hardware, same):
    ours = describe_device("cuda:0", {"gpus": ["A100", "A100"], "cores": 8})
    assert (describe_device(name, hardware) == ours) is same


def test_other_results_under_the_same_digests_are_refused(copy, tmp_path):
    first, second = copy("first").parent, copy("second").parent
    change_cell(second / "tiny", {",native,dice,0.": ",native,dice,0.0"})
    with pytest.raises(
        UserError, match=r"tiny with seed 0 on .* has other results in .*second.* than in .*first"
    ) as error:
        merge_studies([first, second], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    named = (first / "tiny", second / "tiny")
    assert str(error.value).endswith("llmseg study merge {0} {1} --prefer {0} -o NEW".format(*named))
    merge_studies(named, tmp_path / "advised", prefer=named[0])
    preferred = merge_studies([first, second], tmp_path / "new", prefer=first)
    assert make_files(preferred) == make_files(collect_studies(first, tmp_path / "only"))
    with pytest.raises(UserError, match="third is none of the folders that are merged"):
        merge_studies([first, second], tmp_path / "out", prefer="third")


@pytest.mark.parametrize(
    ("name", "changes"),
    [("data", {'"store_digest": "': '"store_digest": "0'}), ("evaluator", {'"evaluator": 1': '"evaluator": 2'})],
)
def test_what_cannot_be_compared_is_refused(copy, tmp_path, name, changes):
    study = copy()
    change_cell(study, changes)
    collect_studies(study, tmp_path / "out")
    with pytest.raises(UserError, match=f"differ in {name} .* and cannot be compared; choose one") as error:
        read_results(tmp_path / "out")
    field, _, value = str(error.value).partition(" --only ")[2].split()[0].partition("=")
    merge_studies(tmp_path / "out", tmp_path / "new", only={field: [value]})
    assert len(read_results(tmp_path / "new").runs) == 1


def spoil_table(change):
    def spoil(folder):
        path = folder / "scores.parquet"
        change(pd.read_parquet(path)).to_parquet(path)

    return spoil


def spoil_json(*words):
    def spoil(folder):
        path = folder / "collected.json"
        path.write_text(path.read_text(encoding="utf-8").replace(*words), encoding="utf-8")

    return spoil


def truncate(name):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-100])


def edit_csv(folder):
    text = gzip.decompress((folder / "scores.csv.gz").read_bytes()).decode()
    (folder / "scores.csv.gz").write_bytes(gzip.compress(text.replace("0.", "0.9", 1).encode()))


SPOILED = {
    "doubled rows": (
        spoil_table(lambda frame: pd.concat([frame, frame[:3]])),
        r"3 rows stand twice, such as .* of tiny",
    ),
    "rows of no cell": (spoil_table(lambda frame: frame.assign(cell="0" * 16)), "which is not among those of"),
    "rows of another dataset": (spoil_table(lambda frame: frame.assign(dataset="skin")), "has rows of dataset 'skin'"),
    "rows of another seed": (spoil_table(lambda frame: frame.assign(seed=1)), "has rows of seed 1 in the cell of"),
    "a column less": (spoil_table(lambda frame: frame.drop(columns="group")), "it has no column 'group'"),
    "another score": (
        spoil_table(lambda frame: frame.assign(value=frame["value"] / 2)),
        "tiny with seed 0 .* does not",
    ),
    "cut off": (truncate("scores.parquet"), "it holds no parquet"),
    "losses cut off": (truncate("history.parquet"), r"history.parquet is damaged: it holds no parquet"),
    "a csv edited by hand": (edit_csv, "scores.csv.gz was changed after llmseg wrote it; it is a copy of"),
    "another evaluator": (spoil_json('"evaluator": 1', '"evaluator": 2'), r"what it says of \w+ was changed"),
    "other facts": (spoil_json('"epochs": 2', '"epochs": 3'), "collected.json was changed after llmseg wrote it"),
    "no json": (spoil_json("{", "["), "it holds no JSON"),
    "a later version": (spoil_json('"collected": 1', '"collected": 2'), "written by a later version of llmseg"),
    "no recipe": (spoil_json('"recipes"', '"others"'), "it does not say 'recipes'"),
    "no table": (lambda folder: (folder / "scores.parquet").unlink(), "scores.parquet cannot be read"),
}


@pytest.mark.parametrize("fault", SPOILED)
def test_a_damaged_collected_study_is_refused_and_kept(collected, tmp_path, fault):
    spoil, words = SPOILED[fault]
    spoil(collected)
    before = read_bytes(collected)
    for use in (read_results, read_collected, lambda folder: collect_studies(EARLIER, folder)):
        with pytest.raises(UserError, match=words):
            use(collected)
    assert read_bytes(collected) == before


def test_a_copy_that_was_edited_is_written_anew(collected):
    whole = read_bytes(collected)
    edit_csv(collected)
    (collected / "scores.csv.gz").unlink()  # as the message says
    assert len(read_results(collected).runs) == 2
    collect_studies(EARLIER, collected)
    assert read_bytes(collected) == whole


def test_a_folder_with_something_else_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "scores.parquet").write_text("mine")
    with pytest.raises(UserError, match="is not empty and holds no collected study; choose another --out"):
        collect_studies(EARLIER, tmp_path / "out")
    assert (tmp_path / "out" / "scores.parquet").read_text() == "mine"
    with pytest.raises(UserError, match="nowhere: no such folder"):
        collect_studies(tmp_path / "nowhere", tmp_path / "new")
    with pytest.raises(UserError, match="it holds no study; name the --out of"):
        collect_studies(tmp_path / "out", tmp_path / "new")


def test_a_folder_inside_of_what_is_read_is_refused(copy):
    study = copy()
    with pytest.raises(UserError, match=r"results lies in .*study, which is read; choose an --out beside it"):
        collect_studies(study.parent, study.parent / "results")
    assert not (study.parent / "results").exists()


def test_contenders_beside_the_recipes_are_collected(copy, tmp_path):
    study = copy()
    (evaluation,) = study.glob("slow-*/evaluation")
    beside = study / "beside" / "nnunet-seed0" / "trainings" / "short"
    shutil.copytree(evaluation, beside / "evaluation")
    for name in ("scores.csv", "evaluation.json"):
        path = beside / "evaluation" / name
        path.write_text(path.read_text(encoding="utf-8").replace("tiny", "nnunet-v2"), encoding="utf-8")
    (beside / "imported.json").write_text(json.dumps({"nnunetv2": "2.8.0", "images_seen": 40}))
    collected = collect_studies(study, tmp_path / "out")
    assert [
        (cell.pipeline, cell.code, cell.facts.get("images_seen")) for cell in collected.cells if cell.is_beside
    ] == [("nnunet-v2", "nnunetv2 2.8.0", 40)]
    ours, theirs = read_results(tmp_path / "out"), read_results(study)
    assert ours.scores.contenders == ("tiny", "tiny slow", "nnunet-v2")
    pd.testing.assert_frame_equal(ours.scores.frame, theirs.scores.frame)
    assert ours.scores.remarks == theirs.scores.remarks
    (state,) = read_study_status(tmp_path / "out")
    assert (state.cells, state.finished) == (2, 2)


def test_a_full_disk_keeps_what_was_there(collected, copy, monkeypatch):
    study, before = copy(), read_bytes(collected)
    change_cell(study, {}, run={"code": "f" * 64})
    written = []

    def write(path, content):
        written.append(path.name)
        if len(written) == 3:
            raise UserError(f"cannot write {path}: No space left on device; what was there before is kept")
        path.write_bytes(content)

    monkeypatch.setattr("llmseg.study.collected.files.write_bytes", write)
    with pytest.raises(UserError, match="No space left on device"):
        collect_studies(study, collected)
    assert read_bytes(collected) == before


def make_pool():
    """Cells of two studies, as two machines and two versions of the code may have made them."""
    parts = []
    for label, variant, seed, code, seconds in (
        (None, "a", 0, "1", 1.0),
        (None, "a", 0, "1", 2.0),
        (None, "a", 0, "2", 1.0),
        (None, "b", 0, "1", 1.0),
        (None, "b", 1, "1", 1.0),
        ("c", "=c", None, "1", 1.0),
    ):
        study = CollectedStudy(
            dataset="skin", facts={"label": label}, variants={variant: ord(variant[-1]) % 2}, seeds=(seed or 0) + 1
        )
        rows = [("test", case, "g", "native", name, 0.5) for case in "xy" for name in ("dice", "iou")]
        scores = pd.DataFrame(rows, columns=list(SCORES))
        history = pd.DataFrame([(1, 0.5, 0.25, 0.1, 1e-3)], columns=list(HISTORY))
        cell = CollectedCell(
            **{
                "study": study.key,
                "dataset": "skin",
                "data": "d",
                "holdout": None,
                "split": "s",
                "pipeline": label or variant,
            },
            **{"variant": variant, "recipe": variant, "seed": seed, "evaluator": 1, "tolerance": 2.0, "code": code},
            **{"device": "cpu", "numerics": "n", "results": digest_frames(scores, history)},
            facts={"seconds": seconds, "epochs": 1},
        )
        frames = ({cell.key: scores}, {cell.key: history})
        plan = {study.key: study}
        parts.append(Collected(plan, sort_cells([cell], plan), {variant: {"net": variant}}, *frames))
    return parts


POOL = make_pool()


def join(*parts):
    return merge([(str(number), part) for number, part in enumerate(parts)])


CHOICES = st.lists(st.integers(0, len(POOL) - 1), min_size=1, max_size=4)


@settings(max_examples=5, deadline=None)
@given(st.tuples(CHOICES, CHOICES, CHOICES))
def test_merging_is_associative_commutative_and_idempotent_in_bytes(chosen):
    a, b, c = (join(*(POOL[index] for index in indices)) for indices in chosen)
    whole = make_files(join(a, b, c))
    assert whole == make_files(join(join(c, a), join(b, b)))
    assert make_files(join(a, a)) == make_files(a)


def test_what_is_written_is_read(tmp_path):
    whole = join(*POOL)
    write_collected(tmp_path / "out", whole)
    assert make_files(read_collected(tmp_path / "out")) == make_files(whole)


def test_failures_count_until_the_variant_is_trained_elsewhere(copy, tmp_path):
    study = copy()
    (study / "failures").mkdir()
    note = {"variant": "slow", "seed": 0, "kind": "diverged", "cause": "the loss is not a number"}
    (study / "failures" / "slow-seed0.json").write_text(json.dumps(note))
    (cell,) = study.glob("slow-*")
    shutil.rmtree(cell)
    collect_studies(study, tmp_path / "out")
    remarks = ("left out: slow with seed 0: the loss is not a number",)
    assert read_results(tmp_path / "out").scores.remarks == remarks == read_results(study).scores.remarks[-1:]
    collect_studies(EARLIER, tmp_path / "out")
    assert read_results(tmp_path / "out").scores.remarks == ()
    assert set(read_results(tmp_path / "out").scores.contenders) == {"tiny", "tiny slow"}
    assert replace(read_collected(tmp_path / "out").cells[0], seed=7).key not in read_collected(tmp_path / "out").scores


@pytest.mark.slow
def test_a_process_that_is_killed_leaves_the_old_content_or_the_new(kill_at_every_change):
    old, new = join(*POOL), join(*POOL[:2])
    files = {len(content.cells): make_files(content) for content in (old, new)}
    seen = set()
    for folder in kill_at_every_change(
        functools.partial(write_collected, collected=new), lambda folder: write_collected(folder, old)
    ):
        left = read_collected(folder)
        seen.add(len(left.cells))
        assert make_files(left) == files[len(left.cells)]
        assert sum(state.finished for state in read_study_status(folder)) <= len(left.cells)
        write_collected(folder, new)
        assert read_bytes(folder) == files[1]
    assert seen == {1, 5}
