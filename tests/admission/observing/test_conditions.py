"""The comparison on which weights are kept, however a script writes it."""

from __future__ import annotations

import runpy

import pytest

from llmseg.admission.observing.watching.journal import Journal

CLASS = """
class EarlyStopping:
    def __init__(self, mode="min"):
        self.mode, self.best = mode, None

    def improved(self, value):
        if self.best is None:
            return True
        return value < self.best if self.mode == "min" else value > self.best

    def step(self, value, model):
        if self.improved(value):
            self.best = value
            save(model)

    def __call__(self, value):
        if self.best is None or self.is_better(value, self.best):
            self.best = value
            self.keep()
        else:
            waited = 1

    def is_better(self, new, old):
        if self.mode == "max":
            return new > old
        return new < old

    def keep(self):
        save(None)

"""


def list_conditions(text, folder, monkeypatch):
    """Return what was seen at each call of ``save`` in a script."""
    (folder / "script.py").write_text(text, encoding="utf-8")
    monkeypatch.chdir(folder)
    journal, seen = Journal(folder), []
    runpy.run_path(str(folder / "script.py"), {"save": lambda _: seen.append(journal.condition())})
    return [None if each is None else (*each["sides"], each["operator"], each["values"]) for each in seen]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("best, loss = 1.0, 0.5\nif loss < best:\n    save(0)\n", ("loss", "best", "Lt", [0.5, 1.0])),
        ("best, loss = 1.0, 0.5\nif best is None or loss < best:\n    save(0)\n", ("loss", "best", "Lt", [0.5, 1.0])),
        ("best, loss = 1.0, 0.5\nbetter = loss < best\nif better:\n    save(0)\n", ("loss", "best", "Lt", [0.5, 1.0])),
        ("best, loss = 0.5, 1.0\nif loss < best:\n    pass\nelse:\n    save(0)\n", ("loss", "best", "GtE", [1.0, 0.5])),
        (
            "best, loss = 1.0, 0.5\nif loss < best:\n    if 3 == 3:\n        save(0)\n",
            ("loss", "best", "Lt", [0.5, 1.0]),
        ),
        (
            "best, loss = 1.0, 0.5\nif best is None:\n    pass\nelif loss < best:\n    save(0)\n",
            ("loss", "best", "Lt", [0.5, 1.0]),
        ),
        (
            "def keep(model):\n    save(model)\n\nbest, loss = 1.0, 0.5\nif loss < best:\n    keep(0)\n",
            ("loss", "best", "Lt", [0.5, 1.0]),
        ),
        (
            CLASS + "stop, val = EarlyStopping(), {'dice': 0.7}\nstop.step(val['dice'], 0)\n",
            ("val['dice']", "self.best", "Lt", [0.7, 0.7]),
        ),
        (
            CLASS + "stop, val = EarlyStopping('max'), {'dice': 0.7}\nstop.step(value=val['dice'], model=0)\n",
            ("val['dice']", "self.best", "Gt", [0.7, 0.7]),
        ),
        (CLASS + "stop, loss = EarlyStopping('max'), 0.7\nstop(loss)\n", ("loss", "self.best", "Gt", [0.7, 0.7])),
    ],
)
def test_a_comparison_is_found(text, expected, tmp_path, monkeypatch):
    assert list_conditions(text, tmp_path, monkeypatch)[-1] == expected


@pytest.mark.parametrize(
    "text",
    [
        "save(0)\n",
        "if 1 == 1:\n    save(0)\n",
        "better = True\nif better:\n    save(0)\n",
        "better = better_still = True\nif not better < 0:\n    save(0)\n",
        # Which way it compares depends on what only a call could tell.
        "mode, best, loss = 'min', 1.0, 0.5\nif loss < best if len(mode) == 3 else loss > best:\n    save(0)\n",
        "def better(loss):\n    if len(str(loss)):\n        return loss < best\n    return loss > best\n\n"
        "best = 1.0\nif better(0.5):\n    save(0)\n",
        "better = 1\nbetter = better\nif better:\n    save(0)\n",
    ],
)
def test_what_does_not_depend_on_a_comparison_that_is_known(text, tmp_path, monkeypatch):
    assert list_conditions(text, tmp_path, monkeypatch) == [None]
