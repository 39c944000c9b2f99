"""Studies as files: what they hold, and what is refused."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from llmseg import Holdout, SyntheticStore, UserError, hold_out
from llmseg.study import plan_cells, read_study_file
from llmseg.study.file.designs import make_designs
from llmseg.study.plan import count_training_cases

TEXT = """
pipelines = ["llama-3.1-405b", "gpt-o3"]
seeds = 2
changes = ["images.size=32,32"]

[test]
fraction = 0.4

[datasets.drawn]
synthetic = "fundus"
cases = 10

[datasets.other]
synthetic = "dermoscopy"
cases = 12
"""


@pytest.fixture
def study_file(tmp_path):
    def write(text):
        path = tmp_path / "study.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_file_and_a_value_of_its_shape_say_the_same(study_file):
    grid = read_study_file(study_file(TEXT))
    value = {
        "pipelines": ["llama-3.1-405b", "gpt-o3"],
        "seeds": 2,
        "changes": ["images.size=32,32"],
        "test": {"fraction": 0.4},
        "datasets": {
            "drawn": {"synthetic": "fundus", "cases": 10},
            "other": {"synthetic": "dermoscopy", "cases": 12},
        },
    }
    assert read_study_file(value) == grid
    assert (grid.seeds, grid.protocol, grid.test.fraction, grid.test.seed) == (2, "benchmark", 0.4, 0)


def test_every_dataset_is_a_study_of_all_pipelines(study_file, tmp_path):
    designs = make_designs(read_study_file(study_file(TEXT)), tmp_path / "out")
    assert [design.folder for design in designs] == [tmp_path / "out" / "drawn", tmp_path / "out" / "other"]
    for design in designs:
        assert [variant.name for variant in design.variants] == ["llama-3.1-405b", "gpt-o3"]
        assert all(variant.recipe.images.size == (32, 32) for variant in design.variants)
        assert (design.seeds, design.label, design.exact) == (2, None, False)
    assert designs[0].folds[0] == hold_out(SyntheticStore("fundus", count=10), fraction=0.4)


def test_a_plan_reads_no_image_and_knows_how_many_cases_are_held_out(study_file, tmp_path, monkeypatch):
    grid = read_study_file(study_file(TEXT.replace("seeds = 2", "images_seen = 160")))
    drawn = make_designs(grid, tmp_path / "out")
    monkeypatch.setattr(SyntheticStore, "read", lambda *_: pytest.fail("an image was read"))
    planned = make_designs(grid, tmp_path / "out", draw=False)
    for one, other in zip(drawn, planned, strict=True):
        assert len(one.folds[0].test_ids) == len(other.folds[0].test_ids)
        assert one.variants == other.variants


@pytest.mark.parametrize("extra", ["", 'repair = "each"\nepochs = 2'])
def test_test_cases_of_a_study_that_is_begun_are_not_drawn_again(study_file, tmp_path, monkeypatch, extra):
    grid = read_study_file(study_file(f"{extra}\n{TEXT}"))
    begun = make_designs(grid, tmp_path / "out")
    for design in begun:
        design.begin()
    monkeypatch.setattr(SyntheticStore, "read", lambda *_: pytest.fail("an image was read"))
    for draw in (True, False):
        again = make_designs(grid, tmp_path / "out", draw=draw)
        assert [design.folds for design in again] == [design.folds for design in begun]


def test_other_test_cases_are_drawn_when_the_file_asks_for_others(study_file, tmp_path):
    for design in make_designs(read_study_file(study_file(TEXT)), tmp_path / "out"):
        design.begin()
    designs = make_designs(read_study_file(study_file(TEXT.replace("0.4", "0.2"))), tmp_path / "out")
    assert designs[0].folds[0] == hold_out(SyntheticStore("fundus", count=10), fraction=0.2)
    with pytest.raises(UserError, match="holds something else: its holdout differs"):
        designs[0].check_folder()


def test_with_repairs_every_pipeline_is_a_study(study_file, tmp_path):
    text = TEXT.replace("seeds = 2", 'repair = "each"\nepochs = 2')
    designs = make_designs(read_study_file(study_file(text)), tmp_path)
    # GPT o3 has no quirk but the size that is set for all, so nothing of it is repaired.
    assert [design.label for design in designs] == ["llama-3.1-405b"] * 2
    assert designs[0].folder == tmp_path / "drawn" / "llama-3.1-405b"
    names = [variant.name for variant in designs[0].variants]
    assert names[0] == "base"
    assert all(name.startswith("without ") for name in names[1:])
    assert len(names) > 1
    # What is set for all is no quirk of theirs.
    assert not {"without small-images", "without few-epochs"} & set(names)
    assert designs[0].essential == {"base"}


def test_one_quirk_is_repaired_where_it_is(study_file, tmp_path):
    text = TEXT.replace("seeds = 2", 'repair = "grey-masks, double-sigmoid"').replace('"gpt-o3"', '"grok-3-mini"')
    designs = make_designs(read_study_file(study_file(text)), tmp_path)
    assert {(design.label, variant.name) for design in designs for variant in design.variants[1:]} == {
        ("grok-3-mini", "without double-sigmoid"),
        ("llama-3.1-405b", "without grey-masks"),
    }
    with pytest.raises(UserError, match="no pipeline of the study has a quirk of its own to repair"):
        make_designs(
            read_study_file(study_file(text.replace("grey-masks, ", "").replace("grok-3-mini", "gpt-o3"))), tmp_path
        )


def test_images_seen_are_whole_epochs_of_each_split(study_file, tmp_path):
    text = TEXT.replace("seeds = 2", "images_seen = 160").replace("cases = 10", "cases = 40")
    design = make_designs(read_study_file(study_file(text)), tmp_path)[0]
    cases = {
        variant.name: count_training_cases(variant.recipe, design.folds[0].rest(design.store))
        for variant in design.variants
    }
    assert cases == {"llama-3.1-405b": 19, "gpt-o3": 19}
    assert {variant.recipe.fit.epochs for variant in design.variants} == {8}


def test_a_recipe_that_has_too_few_cases_is_named_with_the_others_and_not_here(study_file, tmp_path):
    text = TEXT.replace("seeds = 2", "images_seen = 160").replace("cases = 10", "cases = 4")
    plan = plan_cells(make_designs(read_study_file(study_file(text)), tmp_path)[:1])
    assert plan["fault"].str.contains("too few for this recipe's split").any()


def test_replay_computes_as_the_scripts_do(study_file, tmp_path):
    design = make_designs(read_study_file(study_file(TEXT.replace("seeds = 2", 'protocol = "replay"'))), tmp_path)[0]
    assert design.exact
    assert design.facts["exact"] is True


def test_places_are_relative_to_the_file_and_a_manifest_is_used(study_file, tmp_path, tiny_store):
    store = tiny_store
    holdout = hold_out(store, fraction=0.3, seed=5)
    holdout.save(tmp_path / "test.json")
    images, masks = (Path(place).relative_to(tmp_path) for place in (store.images, store.masks))
    text = f'pipelines = ["gpt-4"]\n[datasets.mine]\nimages = "{images}"\nmasks = "{masks}"\nholdout = "test.json"'
    design = make_designs(read_study_file(study_file(text)), tmp_path / "out")[0]
    assert design.store.digest == store.digest
    assert design.folds[0] == Holdout.load(tmp_path / "test.json")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("seeds = 2", "sedes = 2", "no key 'sedes'; did you mean 'seeds'"),
        ("seeds = 2", 'seeds = "two"', "seeds is 'two'; it must be a whole number"),
        ("seeds = 2", "seeds = true", "seeds is True; it must be a whole number"),
        ("seeds = 2", "seeds = 0", "seeds is 0; it must be 1 or more"),
        ("seeds = 2", "seeds = ", "cannot read"),
        ("seeds = 2", 'protocol = "benchmrk"', "no protocol 'benchmrk'; did you mean 'benchmark'"),
        ("seeds = 2", 'protocol = "fixed-epochs"', "needs epochs"),
        ("seeds = 2", "epochs = 3\nimages_seen = 5", "epochs or images_seen, not both"),
        ('["llama-3.1-405b", "gpt-o3"]', "[]", "it has no pipelines"),
        ('["llama-3.1-405b", "gpt-o3"]', '["nnunet"]', "nnunet needs a pipeline beside it"),
        ('["llama-3.1-405b", "gpt-o3"]', '["gpt-o33"]', "did you mean 'gpt-o3'"),
        ('["llama-3.1-405b", "gpt-o3"]', "[4]", "pipelines is \\[4\\]; it must be a list of texts"),
        ("fraction = 0.4", "fractoin = 0.4", "\\[test\\]: no key 'fractoin'; did you mean 'fraction'"),
        ("cases = 10", "count = 10", "dataset drawn: no key 'count'"),
        ("cases = 10", 'cases = "ten"', "dataset drawn: cases is 'ten'; it must be a whole number"),
        ("cases = 10", "cases = 2.5", "dataset drawn: cases is 2.5; it must be a whole number"),
        ("cases = 10", "cases = 10\ndepth = [1]", "depth is \\[1\\]; it must be a text or a whole number"),
        ("fraction = 0.4", 'fraction = "half"', "\\[test\\]: fraction is 'half'; it must be a number"),
        ("fraction = 0.4", 'seed = "x"', "\\[test\\]: seed is 'x'; it must be a whole number"),
        ("seeds = 2", "seeds = 1000000000000", "a study has at most 10000"),
        ("cases = 10", 'images = "a"', "give one of data, images and synthetic; there is images and synthetic"),
        ("cases = 10", 'group = "a"', "group says how folders of images are read"),
        ('synthetic = "fundus"', 'data = "none.h5"', "none.h5 is missing; llmseg data prepare"),
        ("[datasets.other]", '[datasets."a/b"]', "dataset 'a/b' names a folder"),
        ('"dermoscopy"', '"fundus"', "are both called synthetic-fundus in tables; take phantoms of another modality"),
        ('changes = ["images.size=32,32"]', 'changes = ["images.sice=32,32"]', "sice"),
    ],
)
def test_what_is_not_right_is_one_line(study_file, tmp_path, old, new, words):
    assert old in TEXT
    with pytest.raises(UserError, match=words) as error:
        make_designs(read_study_file(study_file(TEXT.replace(old, new))), tmp_path / "out")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_named_and_the_advice_is_a_study(study_file, tmp_path):
    with pytest.raises(UserError, match=r"no study file nothing\.toml") as error:
        read_study_file(Path("nothing.toml"))
    text = "\n".join(str(error.value).partition("two lines: ")[2].split(" and "))
    (design,) = make_designs(read_study_file(study_file(text)), tmp_path / "out")
    assert [variant.name for variant in design.variants] == ["gpt-4"]


def test_the_advice_for_a_missing_store_makes_it(study_file, tmp_path, tiny_store, call):
    path = study_file('pipelines = ["gpt-4"]\ndatasets.mine.data = "my store.h5"')
    with pytest.raises(UserError, match=r"my store\.h5 is missing") as error:
        make_designs(read_study_file(path), tmp_path / "out")
    command = re.search(r"llmseg (.*) makes it", str(error.value))
    assert command is not None
    arguments = shlex.split(command[1].replace("NAME", "folder").replace("DOWNLOAD", str(tiny_store.images.parent)))
    assert call(*arguments, "-q")[0] == 0
    (design,) = make_designs(read_study_file(path), tmp_path / "out")
    assert design.store.ids == tiny_store.ids


def test_the_advice_for_fixed_epochs_is_followed(study_file):
    text = TEXT.replace("seeds = 2", 'protocol = "fixed-epochs"')
    with pytest.raises(UserError, match="needs epochs, such as") as error:
        read_study_file(study_file(text))
    advised = str(error.value).partition("such as ")[2]
    assert read_study_file(study_file(f"{advised}\n{text}")).epochs == 120


def test_recipes_in_files_are_found_beside_the_study_file(tiny_recipe, tmp_path, monkeypatch):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "tiny.json").write_text(tiny_recipe.to_json())
    text = 'pipelines = ["tiny.json", "gpt-4"]\n[datasets.drawn]\nsynthetic = "mri-tumour"\ncases = 25\n'
    (tmp_path / "study" / "study.toml").write_text(text)
    monkeypatch.chdir(tmp_path)
    (design,) = make_designs(read_study_file("study/study.toml"), "out")
    assert [variant.name for variant in design.variants] == ["tiny", "gpt-4"]
    assert design.variants[0].recipe == tiny_recipe
