"""Pictures of committed results, drawn anew for every site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

import llmseg

FOLDER = "pictures"


def draw_pictures(app: Sphinx) -> None:
    """Draw the picture of the first page: scores of pipelines on two datasets."""
    folder = Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    results = llmseg.study.read_results([Path(app.srcdir).parent / "benchmarks" / "results" / "realdata_64"])
    # The page says below the picture what the remarks of the table would say in it.
    llmseg.figures.save(llmseg.figures.box_plots(llmseg.stats.Table(results.scores.frame)), folder / "scores.svg")


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect with Sphinx."""
    app.connect("builder-inited", draw_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
