"""A command that was typed wrong ends in one line and exit code 2, and what the line advises can be typed."""

from __future__ import annotations

import re
import shlex

import pytest


@pytest.fixture
def refuse(call):
    """A function that types a command and returns the one line in which it ends."""

    def run(typed):
        code, out, err = call(*shlex.split(typed))
        assert (code, out) == (2, "")
        assert err.startswith("llmseg: ")
        assert err.count("\n") == 1
        return err.removeprefix("llmseg: ").rstrip("\n")

    return run


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("replay gpt-4 --epochz 3", "llmseg replay has no option '--epochz'; did you mean '--epochs'?; llmseg help"),
        ("compare a b --epcohs=3", "did you mean '--epochs'?"),
        ("replay gpt-4 --set fit.epochs=2", "; llmseg train, llmseg ablate, llmseg compare and 1 more have --set"),
        ("train gpt-4 --seeds 3", "; did you mean '--seed'?; llmseg ablate, llmseg compare, llmseg price have --seeds"),
        ("ablate gpt-4 --seed 3", "; did you mean '--seeds'?; llmseg train, llmseg replay, "),
        ("predict runs/a --holdut x", "; llmseg train, llmseg replay, llmseg evaluate and 8 more have --holdout"),
        ("report runs/a --holdout x", "; llmseg evaluate, "),
        ("replay gpt-4 --field x", "; llmseg ablate has --field"),
        ("train gpt-4 --xyzzy 3", "llmseg train has no option '--xyzzy'; llmseg help train lists all that it has"),
        ("train gpt-4 -x", "llmseg train has no option '-x'; llmseg help train"),
        ("data doctor --xyzzy", "llmseg data doctor has no option '--xyzzy'; llmseg help data doctor"),
        ("--xyzzy", "llmseg has no option '--xyzzy'"),
        # A part of a recipe as a whole is no field that could be set to a folder.
        ("data prepare folder --images x -o a.h5", "no option '--images'; llmseg train, llmseg replay, "),
        ("replay --verify nowhere/record", "no record nowhere/record"),
        ("train gpt-4", "llmseg train needs --out; for example: llmseg train "),
        ("predict runs/a", "llmseg predict needs --images and --out; for example: llmseg predict runs/llama --images "),
        ("predict", "llmseg predict needs MODEL and --images and --out"),
        ("train gpt-4 --epochs x -o y", "--epochs x: input should be a valid integer"),
        ("train gpt-4 --epochs=0 -o y", "--epochs 0: input should be greater than or equal to 1; llmseg help train"),
        ("replay gpt-4 --seed", "option '--seed' requires an argument; llmseg help replay explains it"),
        ("show gpt-4 and more", "(and more); llmseg help show explains it"),
        ("--import", "option '--import' requires an argument"),
        ("exportt x", "no command 'exportt'; did you mean 'export'?"),
        ("data doctr", "no command 'data doctr'; did you mean 'doctor'?; there are list, info, prepare, split, doctor"),
        ("prepare bagls", "no command 'prepare'; did you mean 'llmseg data prepare'?"),
        ("help data doctr", "no command 'data doctr'; did you mean 'doctor'?"),
    ],
)
def test_the_line_names_what_may_be_meant(typed, words, refuse):
    assert words in refuse(typed)


@pytest.mark.parametrize(
    ("typed", "advised"),
    [
        ("replay gpt-4 --set fit.epochs=2 --images 'a b' -o c", "train gpt-4 --set fit.epochs=2 --images 'a b' -o c"),
        ("replay gpt-4 --sett fit.epochs=2 -o c", "train gpt-4 --set fit.epochs=2 -o c"),
        ("replay gpt-4 --sett=fit.epochs=2 -o c", "train gpt-4 --set=fit.epochs=2 -o c"),
        ("replay gpt-4 --size 64,64 -o c", "train gpt-4 --set images.size=64,64 -o c"),
        ("train gpt-4 --size=64,64 -o c", "train gpt-4 --set images.size=64,64 -o c"),
        ("train gpt-4 -o c --lr 1e-3", "train gpt-4 -o c --set fit.rate=1e-3"),
        ("train gpt-4 --batch-size 4 -o c -q", "train gpt-4 --set fit.batch_size=4 -o c -q"),
        ("-v train gpt-4 --dropout 0.1 -o c", "-v train gpt-4 --set net.dropout=0.1 -o c"),
    ],
)
def test_the_whole_command_is_given_where_it_can_be_typed(typed, advised, refuse):
    advice = re.search(r"(?:so type|for example): llmseg (.*)", refuse(typed))[1]
    assert advice == advised


@pytest.mark.parametrize(
    "typed", ["train gpt-4 --seeds 3 -o c", "price gpt-4 --holdout x -o c", "ablate gpt-4 --measure dice --fold 3 -o c"]
)
def test_a_command_that_needs_more_is_named_without_an_example(typed, refuse):
    line = refuse(typed)
    assert "llmseg compare" in line or "did you mean" in line
    assert "for example" not in line


def test_what_is_advised_works_when_typed(refuse, call):
    line = refuse("show gpt-4 --rate 0.5")
    assert "it is a field of recipes, so type: llmseg show gpt-4 --set fit.rate=0.5" in line
    code, out, _ = call(*shlex.split(line.partition("so type: llmseg ")[2]))
    assert code == 0
    assert re.search(r"rate.*0\.5", out)


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [("--set", "fit.rate=0.5"), ("--rate", "0.5")])
def test_a_replay_with_a_change_is_a_training(wrong, tiny_json, folders, tmp_path, refuse, call):
    given = ["replay", tiny_json, "--images", folders[0], "--masks", folders[1], "--epochs", 1, "--out", tmp_path / "x"]
    line = refuse(shlex.join(map(str, [*given, *wrong])))
    code, _, _ = call(*shlex.split(re.search(r"(?:so type|for example): llmseg (.*)", line)[1]))
    assert code == 0
    assert (tmp_path / "x" / "run.json").is_file()


def test_help_asked_for_beside_a_mistake_prints_no_other_command(refuse):
    assert refuse("replay gpt-4 --set a=b --help").startswith("llmseg replay has no option '--set'; ")


def test_nothing_typed_is_the_help(call):
    for words in ((), ("data",)):
        code, out, err = call(*words)
        assert (code, out) == (2, "")
        assert err.startswith("Usage: ")
