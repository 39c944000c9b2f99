"""Reports of runs: what was trained, and predicted masks on their images."""

from __future__ import annotations

import pytest
from PIL import Image

from llmseg import SyntheticStore, write_report
from llmseg.report import overlays

pytestmark = pytest.mark.slow


def test_pages_show_what_was_trained(pages, run_report):
    found = pages(run_report.folder)
    page = found[run_report.folder / "pipelines/gpt-o3.html"]
    assert "curves-1" in page.values("id")
    assert "Its runs did not use the published recipe" in page.said
    assert "images.size" in page.said
    assert "Trained on cpu in fp32." in found[run_report.folder / "methods.html"].said


def test_overlays_come_from_the_runs_and_the_images_they_name(pages, run_report):
    page = pages(run_report.folder)[run_report.folder / "pipelines/gpt-o3.html"]
    drawn = [attributes for tag, attributes in page.tags if tag == "img" and attributes["src"].endswith(".png")]
    assert len(drawn) == 2
    assert run_report.notes == {}
    for attributes in drawn:
        path = (run_report.folder / "pipelines" / attributes["src"]).resolve()
        assert Image.open(path).size == (int(attributes["width"]), int(attributes["height"]))
        assert attributes["alt"]


def test_images_that_hold_other_cases_are_not_taken(pages, study, monkeypatch, tmp_path):
    monkeypatch.setattr(overlays, "open_source", lambda source: SyntheticStore("mri-tumour", count=20))
    report = write_report([study.folder], tmp_path / "site", cases=1)
    page = pages(report.folder)[report.folder / "pipelines/gpt-o3.html"]
    assert "Overlays need the images; name the store by --data." in page.said
