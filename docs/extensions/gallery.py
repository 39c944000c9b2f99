"""The gallery: scripts whose figures are drawn when the site is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

from llmseg.figures import save

HERE = Path(__file__).parents[1]

SETTINGS = {
    "examples_dirs": [str(HERE / "gallery")],
    "gallery_dirs": [str(HERE / "how-to" / "gallery")],
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,  # its page loads scripts from elsewhere
    "min_reported_time": 1e9,  # no page says how long it took
    "show_signature": False,
    "abort_on_example_error": True,
    "within_subsection_order": "FileNameSortKey",
    "image_scrapers": ("gallery.save_figure",),
}


def save_figure(block: Any, variables: dict[str, Any], settings: dict[str, Any]) -> str:
    """Save what a block of a script left as ``figure``, and return the text that shows it.

    Figures of the library are made without pyplot, so Sphinx-Gallery does not see them.
    """
    figure = variables["example_globals"].pop("figure", None)
    if not isinstance(figure, Figure):
        return ""
    path = save(figure, next(variables["image_path_iterator"]))
    return str(figure_rst([str(path)], settings["src_dir"]))
