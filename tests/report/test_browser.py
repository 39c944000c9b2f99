"""The report in a browser, opened from disk, with the network off."""

from __future__ import annotations

import pytest

from llmseg.report.names import name_for_readers

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def opened(open_page):
    """A function that opens a page of a report."""
    return lambda report, path="index.html": open_page((report.folder / path).as_uri())


def names(page):
    return page.locator("#leaderboard tbody tr:visible th").all_inner_texts()


def column(page, cell):
    return [float(one.get_attribute("data-value")) for one in page.locator(f'tr:visible [data-cell="{cell}"]').all()]


def paths(report):
    return sorted(path.relative_to(report.folder).as_posix() for path in report.folder.rglob("*.html"))


def test_every_page_opens_and_draws_its_plots(opened, report, run_report):
    for site in (report, run_report):
        for path in paths(site):
            page = opened(site, path)
            for plot in page.locator("[data-plot]").all():
                plot.scroll_into_view_if_needed()
                plot.locator("svg.main-svg").first.wait_for()
            assert page.locator("h1").count() == 1
            page.close()


def test_plots_show_names_as_they_are(opened, report, hostile):
    page = opened(report, "datasets/skin.html")
    page.locator("[data-plot] svg.main-svg").first.wait_for()
    assert hostile in page.locator("[data-plot] .ytick text").all_text_contents()


def test_pictures_are_there(opened, run_report):
    page = opened(run_report, "pipelines/gpt-o3.html")
    pictures = page.locator("img").all()
    assert len(pictures) == 3  # the worst case, the best case, the network
    for picture in pictures:
        picture.scroll_into_view_if_needed()
        page.wait_for_function("one => one.complete && one.naturalWidth > 0", arg=picture.element_handle())


def test_a_picture_opens_at_full_size_with_and_without_masks(opened, run_report):
    page = opened(run_report, "pipelines/gpt-o3.html")
    page.locator(".case a").first.click()
    masks = page.locator(".full:target .mask")
    assert masks.evaluate("one => one.complete && one.naturalWidth > 0")
    assert masks.is_visible()
    page.get_by_label("Show the masks").uncheck()
    assert not masks.is_visible()
    assert page.locator(".full:target img").first.is_visible()


def test_menus_lead_from_every_page_to_pipelines_and_datasets(opened, run_report):
    page = opened(run_report, "claims.html")
    menu = page.locator("details.menu", has_text="Pipelines")
    menu.locator("summary").press("Enter")
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    menu.locator("summary").click()
    menu.get_by_role("link", name="GPT o3").click()
    assert page.locator("h1").inner_text() == "GPT o3"
    page.locator("details.menu", has_text="Datasets").locator("summary").click()
    page.locator("details.menu[open] a").first.click()
    assert [page.locator("h1").inner_text()] == [*run_report.analysis.by_dataset]


def test_sorting_by_mouse_and_by_keyboard(opened, report):
    page = opened(report)
    head = page.locator("#leaderboard thead th", has_text="Mean")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, "mean") == sorted(column(page, "mean"), reverse=True)
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(page, "mean") == sorted(column(page, "mean"))
    assert page.locator("#leaderboard [aria-sort]").count() == 1
    page.locator("#leaderboard thead th", has_text="Contender").get_by_role("button").press("Space")
    assert names(page) == sorted(names(page), key=str.lower)


def test_filters_choose_rows_and_datasets(opened, report):
    page = opened(report)
    assert len(names(page)) == len(report.analysis.overall.places)
    page.get_by_label("Cohort").select_option("2025")
    assert set(names(page)) == {"GPT o3", "DeepSeek R1"}
    assert page.get_by_role("status").inner_text() == "2 of 6 contenders shown."
    page.get_by_label("Vendor").select_option("OpenAI")
    assert names(page) == ["GPT o3"]
    page.get_by_role("button", name="Reset").click()
    page.locator("select[name=dataset]").select_option(label="Skin")
    standing = report.analysis.by_dataset["Skin"]
    assert column(page, "mean") == pytest.approx([place.mean for place in standing.places])
    assert page.locator("#leaderboard caption").inner_text().endswith("on Skin")


def test_claims_are_filtered(opened, report):
    page = opened(report, "claims.html")
    page.get_by_label("Verdict").select_option("better")
    page.get_by_label("Contender").select_option("gpt-o3")
    shown = page.locator("[data-family] .claim:visible").all_inner_texts()
    expected = [
        claim
        for family in report.analysis.families
        for claim in family.claims
        if claim.verdict == "better" and "gpt-o3" in (claim.first, claim.second)
    ]
    assert shown
    sentences = [name_for_readers(claim.sentence, report.labels) for claim in expected]
    assert [text.split(" ", 1)[1] for text in shown] == sentences


def test_the_first_stop_of_the_keyboard_leads_to_the_content(opened, report):
    page = opened(report)
    page.keyboard.press("Tab")
    skip = page.locator(":focus")
    assert skip.inner_text() == "Skip to the content"
    assert skip.bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def ground(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("open_page", [{"color_scheme": "dark"}], indirect=True)
def test_the_theme_follows_the_system_and_the_button_overrides_it_on_all_pages(opened, report):
    page = opened(report)
    dark = ground(page)
    page.get_by_role("button", name="Use the light theme").click()
    assert ground(page) != dark
    other = opened(report, "claims.html")
    assert ground(other) == ground(page)


@pytest.mark.parametrize("open_page", [{"viewport": {"width": 360, "height": 740}}], indirect=True)
def test_no_page_is_wider_than_a_phone(opened, report, run_report):
    for site in (report, run_report):
        for path in paths(site):
            page = opened(site, path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
            page.close()


@pytest.mark.parametrize("open_page", [{"viewport": {"width": 390, "height": 844}}], indirect=True)
def test_a_phone_says_which_tables_go_on(opened, report):
    page = opened(report)
    wide = page.locator(".scroll:visible").evaluate_all(
        "all => all.map(one => [one.scrollWidth > one.clientWidth, one.previousElementSibling.className])"
    )
    assert [True, "sideways"] in wide
    assert all((name == "sideways") == goes_on for goes_on, name in wide)
    page.set_viewport_size({"width": 2400, "height": 844})
    page.wait_for_function("() => document.querySelectorAll('.sideways').length === 0")


@pytest.mark.parametrize("open_page", [{"java_script_enabled": False}], indirect=True)
def test_without_javascript_the_tables_are_there(opened, report):
    page = opened(report)
    assert len(names(page)) == len(report.analysis.overall.places)
    assert page.locator("button:visible, form:visible").count() == 0
    page = opened(report, "datasets/skin.html")
    assert "This plot needs JavaScript" in page.locator("[data-plot]").inner_text()


@pytest.mark.parametrize(
    "open_page",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"viewport": {"width": 390, "height": 844}}],
    indirect=True,
    ids=["light", "dark", "phone"],
)
def test_everybody_can_use_it(opened, find_barriers, run_report):
    for path in paths(run_report):
        page = opened(run_report, path)
        assert find_barriers(page) == [], path
        page.close()


def test_a_barrier_would_be_found(open_page, find_barriers, tmp_path):
    page = tmp_path / "page.html"
    page.write_text('<html lang="en"><title>t</title><main><h1>h</h1><img src="data:,"></main></html>')
    assert "image-alt" in find_barriers(open_page(page.as_uri()))[0]
