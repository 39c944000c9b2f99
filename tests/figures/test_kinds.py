"""Figures of what folders hold."""

from __future__ import annotations

import pytest

from llmseg import UserError
from llmseg.figures.kinds import KINDS, Choices, draw, draw_all
from llmseg.study.results import Results


def test_studies_and_masks_are_found_with_their_names(results, phantoms):
    assert results.scores.contenders == ("ours", "gpt-4", "gpt-o3")
    assert results.datasets == (phantoms.name,)
    assert "masks of ours came without a seed, which is taken for 0" in results.scores.remarks
    assert [(one.contender, one.seed, len(one.validation), one.chosen) for one in results.curves] == [
        ("gpt-4", 0, 1, 25),
        ("gpt-o3", 0, 1, 25),
    ]


def test_references_may_come_from_masks(results):
    axes = draw("boxes", results, Choices(references=("ours",))).axes[0]
    assert axes.get_yticklabels()[0].get_text() == "ours"


def test_all_figures_are_drawn_or_left_out_with_a_reason(results, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr("llmseg.figures.kinds.save", lambda figure, path: drawn.append(path) or path)
    files, left_out = draw_all(results, tmp_path / "all", extension="svg")
    assert files == drawn
    # Every kind is drawn or left out, none both or twice.
    assert sorted([*(path.stem for path in files), *left_out]) == sorted(KINDS)
    assert set(left_out) == {"boxes-of-runs", "losses-of-runs", "panels", "worst", "critical-difference", "published"}
    assert "use --data" in left_out["worst"]
    assert all(path.suffix == ".svg" for path in files)


def test_what_folders_lack_is_told(results, phantoms):
    nothing = Results(None, ())
    with pytest.raises(UserError, match="hold no scores"):
        draw("boxes", nothing)
    with pytest.raises(UserError, match="there are no trainings"):
        draw("losses", nothing)
    with pytest.raises(UserError, match="no dataset 'x'"):
        results.select_datasets("x")
    with pytest.raises(UserError, match="no case 'x'"):
        draw("panels", results, Choices(cases=("x",), stores=(phantoms,)))
