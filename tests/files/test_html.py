"""What values show in a notebook."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import pytest

from llmseg import Run, Study
from llmseg.files.html import table_html
from llmseg.stats import Table, compare_all, simulate
from llmseg.study.collected.results import CollectedRun
from llmseg.training.curves import curves_svg

HOSTILE = '"><script>alert(1)</script>'
VOID = {"br", "path", "circle", "polyline"}


class _Balance(HTMLParser):
    """Sees that every element is closed, and notes what is shown."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.said = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)


def check(html):
    """See that HTML is whole, runs nothing, and takes the colours of text and ground from the notebook."""
    found = _Balance(html)
    assert not {"script", "img", "link", "style", "iframe"} & {*found.tags}
    assert not re.search(r"background|(?<![-\w])color:", html)
    return "".join(found.said)


def table():
    frame = simulate(pipelines=[0.0, 0.2], datasets=2, seeds=2, cases=6).frame
    return Table(frame.assign(pipeline=frame["pipeline"].replace("llm-01", HOSTILE)), ("one remark",))


def test_a_table_of_scores():
    shown = table()
    said = check(shown._repr_html_())
    assert HOSTILE in said
    assert "One remark." in said
    mean = shown.select(pipeline="llm-02", dataset="dataset-1").frame["value"].mean()
    assert f"{mean:.3f}" in said


def test_a_claim():
    (claim,) = compare_all(table())
    said = check(claim._repr_html_())
    assert said.startswith(f"{claim.verdict}: {claim.sentence}")
    assert claim.method[1:] in said


def test_long_tables_are_cut():
    html = table_html(("a",), [(str(row),) for row in range(40)], most=30)
    assert html.count("<tr>") == 31
    assert "10 more rows" in check(html)


def run(tmp_path, rows, label=HOSTILE):
    import pandas as pd

    record = {
        "label": label, "seed": 3, "seconds": 12.4, "parameters": 1200, "how": {"device": "cpu"},
        "store": {"name": HOSTILE, "cases": 24},
    }  # fmt: skip
    columns = ("epoch", "train_loss", "validation_loss", "validation_score", "rate")
    return CollectedRun(tmp_path, record, pd.DataFrame(rows, columns=columns))


def test_a_run_shows_its_curves(tmp_path):
    html = run(tmp_path, [(1, 0.5, 0.6, 0.1, 1e-3), (2, 0.25, 0.5, 0.4, 1e-3)])._repr_html_()
    said = check(html)
    assert html.count("<svg") == 2
    assert html.count("<polyline") == 3
    assert html.count('fill="currentColor"') > 5
    assert HOSTILE in said
    assert "1,200" in said


@pytest.mark.parametrize("gap", [math.nan, math.inf])
def test_gaps_and_runs_without_a_score(tmp_path, gap):
    html = run(tmp_path, [(1, 0.5, gap, gap, 1e-3), (2, 0.25, 0.5, gap, 1e-3)])._repr_html_()
    check(html)
    assert html.count("<svg") == 1
    assert "nan" not in html
    assert curves_svg("score", {"score": [gap]}) == ""


def test_one_epoch_and_equal_values_are_points_in_the_axes():
    for values in ([0.5], [0.5, 0.5, 0.5]):
        html = curves_svg("loss", {"training": values})
        check(html)
        assert html.count("<circle") == len(values)
        assert 'cy="83.0"' in html


@pytest.mark.slow
def test_a_study_and_its_runs(phantoms, tiny_recipe, tmp_path):
    import llmseg

    variants = [
        llmseg.study.Variant(name, tiny_recipe.change("fit.rate", rate)) for name, rate in (("a<b", 1e-3), ("c", 1e-2))
    ]
    study = llmseg.run_study(
        None, variants, phantoms, tmp_path / "s", holdout=llmseg.hold_out(phantoms, fraction=0.2), seeds=1,
        measures=["dice", "hd95"], device="cpu", progress=False,
    )  # fmt: skip
    said = check(Study.open(study.folder)._repr_html_())
    assert "Study of 2 recipes" in said
    assert "a<b" in said
    assert "mean hd95" in said
    check(Run.open(study.cells[0].folder / "run")._repr_html_())
