"""Items run in processes of their own: one that fails, dies, hangs or runs out of time keeps nobody from the rest."""

from __future__ import annotations

import functools
import multiprocessing
import os
import time
from typing import Any

import pytest

import llmseg

FACTS = {"device": "A", "torch": "2", "small": True}


@pytest.fixture
def run(gpu, tmp_path):
    """A function that runs items, given as name and work, and returns the results."""

    def run_items(*works, seconds=60.0, estimate=0.01, workers=1, limits=None):
        results = gpu("results").StageResults.open(tmp_path / "s.json", FACTS)
        now = time.monotonic()
        span = gpu("budget").Span(now + seconds, now + seconds)
        items = [gpu("workers").Item(name, estimate, work, (limits or {}).get(name)) for name, work in works]
        gpu("workers").run_items(items, results, span, "code", workers)
        return results

    return run_items


def note(folder, name):
    """Note that something was done, as often as it is."""
    with (folder / name).open("a") as file:
        file.write("x")
    return {"name": name}


def fail():
    raise ValueError("a reason\nand more")


def hang():
    time.sleep(600)


def die():
    os._exit(9)


def grow():
    yield {"cells": 1, "left": ["b"]}
    yield {"cells": 2, "left": []}


def break_off():
    yield {"cells": 1, "left": ["b"]}
    raise OSError("disk")


def tell_process():
    return {"pid": os.getpid()}


def test_an_item_that_fails_dies_or_hangs_is_noted_and_the_rest_goes_on(run, tmp_path):
    done = functools.partial(note, tmp_path, "good")
    results = run(("bad", fail), ("dead", die), ("slow", hang), ("good", done), limits={"slow": 0.3})
    assert results.items["good"]["value"] == {"name": "good"}
    assert results.errors["bad"]["error"] == "ValueError: a reason"
    assert results.errors["dead"]["error"] == "its process died with exit code 9"
    assert results.errors["slow"]["error"].startswith("it was ended after ")
    assert results.left == ["bad", "dead", "slow"]


def test_what_is_done_is_not_done_again_and_what_failed_comes_last(run, tmp_path):
    one, two, three = ((name, functools.partial(note, tmp_path, name)) for name in ("one", "two", "three"))
    run(one, ("two", fail))
    results = run(one, two, three)
    assert [(tmp_path / name).read_text() for name in ("one", "two", "three")] == ["x", "x", "x"]
    assert (list(results.items), results.errors, results.left) == (["one", "three", "two"], {}, [])


def test_values_come_as_they_grow(run):
    results = run(("cells", grow), ("broken", break_off))
    assert results.items["cells"]["value"] == {"cells": 2, "left": []}
    assert results.items["broken"]["value"] == {"cells": 1, "left": ["b"]}
    assert results.errors["broken"]["error"] == "OSError: disk"
    assert results.left == ["broken"]


def test_an_item_is_begun_only_if_it_will_end_in_time(run, tmp_path):
    results = run(("one", functools.partial(note, tmp_path, "one")), seconds=5, estimate=6)
    assert (results.items, results.errors, results.left) == ({}, {}, ["one"])


def test_nobody_is_to_blame_when_the_sitting_ends(run):
    results = run(("slow", hang), seconds=0.2)
    assert (results.items, results.errors, results.left) == ({}, {}, ["slow"])


def test_a_worker_keeps_its_process_until_an_item_fails(run):
    results = run(("a", tell_process), ("b", tell_process), ("bad", fail), ("c", tell_process))
    pids = [results.items[name]["value"]["pid"] for name in "abc"]
    assert pids[0] == pids[1] != pids[2]
    assert os.getpid() not in pids


meeting: dict[str, Any] = {}


def wait_for_other():
    return {"place": meeting["barrier"].wait(50)}


def test_several_work_at_once(run):
    # A barrier cannot be sent through a pipe; workers have it, for they are forked from here.
    meeting["barrier"] = multiprocessing.get_context("fork").Barrier(2)
    results = run(("a", wait_for_other), ("b", wait_for_other), workers=2)
    assert sorted(item["value"]["place"] for item in results.items.values()) == [0, 1]


def test_a_question_to_the_device_is_answered_by_another_process(gpu):
    assert gpu("workers").run_forked(tell_process, 60)["pid"] != os.getpid()
    failing = ((fail, 60, "ValueError: a reason"), (die, 60, "its process died"), (hang, 0.2, "no answer"))
    for work, seconds, words in failing:
        with pytest.raises(llmseg.UserError, match=f"the device does not answer: {words}"):
            gpu("workers").run_forked(work, seconds)
