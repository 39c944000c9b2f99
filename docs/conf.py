"""Settings of the site, which ``make docs`` builds. What is more than a setting stands in ``extensions/``."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "extensions")]

import gallery  # noqa: E402
import public_names  # noqa: E402

import llmseg  # noqa: E402

project = "llmseg"
author = "The llmseg authors"
copyright = "the llmseg authors"
version = release = llmseg.__version__

extensions = [
    # Reads Markdown as myst_parser does, and runs the cells of notebooks.
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinx_reredirects",
    "sphinx_llms_txt",
    "public_names",
    "borrowed_examples",
    "command_line",
    "pictures",
]
templates_path = ["templates"]
# The gallery offers its pages as notebooks, too, which are no pages of the site.
exclude_patterns = ["templates", "gallery", "how-to/gallery/*.ipynb"]
sphinx_gallery_conf = gallery.SETTINGS
nitpicky = True

# Markdown; commands stand in blocks without a language
highlight_language = "text"
myst_enable_extensions = ["colon_fence", "deflist", "linkify"]
myst_heading_anchors = 3
myst_linkify_fuzzy_links = False

# Notebooks are Markdown, too; their cells are run in a temporary folder, and a cell that fails is an error
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_timeout = 600
nb_execution_raise_on_error = True
# Other libraries' notes on standard error, such as tqdm's about widgets, say nothing to a reader.
nb_output_stderr = "remove"

# The reference of the API: the docstrings of the public names
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autosummary_context = {"groups": public_names.group_names()}
autosummary_filename_map = public_names.page_names()
autosummary_ignore_module_all = False
napoleon_use_ivar = True

# Pages that moved: the old address, and the new one. An address of a release leads somewhere for ever.
redirects: dict[str, str] = {}

html_theme = "pydata_sphinx_theme"
html_title = f"llmseg {version}"
html_theme_options = {
    "collapse_navigation": True,
    "navigation_depth": 2,
    "show_toc_level": 2,
    "navbar_align": "left",
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_context = {"default_mode": "auto"}
html_show_sphinx = False
html_static_path = ["static"]
html_favicon = "static/icon.svg"
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_last_updated_fmt = None
