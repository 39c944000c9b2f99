"""The site in a browser: what a newcomer opens first, in light, in dark and on a phone."""

from __future__ import annotations

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PAGES = (
    "index.html",
    "tutorial/index.html",
    "how-to/report.html",
    "reference/pipelines/gpt-4o.html",
    "reference/api/llmseg.train.html",
    "reference/command-line.html",
    "reference/file-formats.html",
    "how-to/ablate-in-a-notebook.html",
)
LOOKS = pytest.mark.parametrize(
    "open_page",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}}],
    indirect=True,
    ids=["light", "dark", "phone"],
)

# Texts that reach beyond the window. Code, tables and pictures may: they can be scrolled, each for itself.
CUT_OFF = """() => [...document.querySelectorAll("main :is(p, li, dt, dd, code, h1, h2, h3, a)")]
    .filter((node) => node.getClientRects().length && node.getBoundingClientRect().right > innerWidth + 1)
    .filter((node) => !node.closest("pre, .pst-scrollable-table-container, .cell_output, figure"))
    .map((node) => node.textContent.trim().slice(0, 60))"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: every request would be a line."""


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served: opened from disk, a browser would not let its search read the pages."""
    server = ThreadingHTTPServer(("localhost", 0), functools.partial(_Quiet, directory=site))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@LOOKS
@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_whole_and_everybody_can_use_it(open_page, find_barriers, address, path):
    page = open_page(f"{address}/{path}")
    page.wait_for_load_state("networkidle")
    assert page.locator("h1").count() == 1
    pictures = page.locator("article img").all()
    for picture in pictures:
        picture.scroll_into_view_if_needed()
        page.wait_for_function("one => one.complete && one.naturalWidth > 0", arg=picture.element_handle())
    assert bool(pictures) or "pipelines" not in path
    width = page.evaluate("innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CUT_OFF) == []
    assert find_barriers(page) == []


def test_dark_is_dark(open_page, address):
    grounds = []
    for scheme in ("light", "dark"):
        page = open_page(f"{address}/index.html")
        page.emulate_media(color_scheme=scheme)
        page.reload()
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] != grounds[1]


@LOOKS
def test_search_finds_a_function(open_page, find_barriers, address):
    page = open_page(f"{address}/search.html?q=compare_all")
    page.locator("#search-results li a").first.wait_for()
    found = page.locator("#search-results li a").evaluate_all("all => all.map(one => one.href)")
    assert any("llmseg.stats.compare_all" in link for link in found)
    page.wait_for_load_state("networkidle")
    assert find_barriers(page) == []
