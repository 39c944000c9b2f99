"""Writes a page per pipeline into ``reference/pipelines/``, each with a drawing, and the table of the README.

    python docs/pipeline_pages.py

Nothing on the pages is written by hand: they are made from cards, recipes, quirks and committed results.
``tests/docs/test_pipeline_pages.py`` compares them with what this module makes.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd
from page_tables import write_table

from llmseg import Pipeline, zoo
from llmseg.cli.text.pipelines import card_facts, describe_outputs, pipeline_facts, table_against_code
from llmseg.figures import draw_network, save
from llmseg.recipe import Difference, write_typed
from llmseg.report.names import page_names
from llmseg.report.standings import Standing, standing
from llmseg.stats import published
from llmseg.study import PriceList, Results, read_results
from llmseg.study.prices.page import price_tables

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference" / "pipelines"
README = ROOT / "README.md"
RESULTS = ROOT / "benchmarks" / "results"
STUDIES = ("realdata_64",)
"""Collected studies whose results stand on the pages, by the names of their folders in ``benchmarks/results``."""

MADE = "<!-- Made by docs/pipeline_pages.py: change what it is made from, not this page. -->"


def main() -> None:
    """Write all pages and drawings and the table of the README, and remove pages of pipelines that are gone."""
    README.write_text(fill_readme(README.read_text(encoding="utf-8")), encoding="utf-8")
    FOLDER.mkdir(exist_ok=True)
    pages = render_pages()
    for path in FOLDER.iterdir():
        if path.suffix in (".md", ".svg") and path.with_suffix(".md").name not in pages:
            path.unlink()
    for file, text in pages.items():
        (FOLDER / file).write_text(text, encoding="utf-8")
    for name, page in file_names().items():
        save(draw_network(name), FOLDER / f"{page}.svg", keep_text=True)


@functools.cache
def file_names() -> dict[str, str]:
    """Return the name of the files of every pipeline, without extension."""
    return page_names(zoo.all_names())


def render_pages() -> dict[str, str]:
    """Return the text of every page, by the name of its file."""
    pages = {f"{page}.md": render_page(zoo.get(name)) for name, page in file_names().items()}
    return {"index.md": render_index(), **pages}


def render_index() -> str:
    """Return the page that lists all pipelines."""
    head = ("pipeline", "vendor", "cohort", "parameters", "batch", "epochs", "rate", "quirks", "disagreements")
    rows = [
        (
            f"[{facts['id']}]({file_names()[facts['id']]}.md)",
            facts["vendor"],
            str(facts["cohort"] or "reference"),
            f"{facts['parameters']:,}",
            str(facts["batch_size"]),
            str(facts["epochs"]),
            f"{facts['rate']:g}",
            str(len(zoo.get(facts["id"]).quirks)),
            str(facts["disagreements"]),
        )
        for facts in pipeline_facts([zoo.get(name) for name in file_names()])
    ]
    return _join(
        [
            MADE,
            "# Pipelines",
            "A page for every pipeline: its card, a drawing of its network, its quirks and what they cost, what the\n"
            "study published of it, its results in our studies, and its recipe. `llmseg list --all` and\n"
            "`llmseg show NAME` print most of it.",
            write_table(head, rows),
            "\n".join(["```{toctree}", ":hidden:", "", *file_names().values(), "```"]),
        ]
    )


def fill_readme(text: str) -> str:
    """Return the README with its table of the nineteen made anew, between ``<!-- table -->`` and ``<!-- end -->``."""
    before, _, rest = text.partition("<!-- table -->\n")
    _, _, after = rest.partition("\n<!-- end -->")
    return f"{before}<!-- table -->\n{_readme_table()}\n<!-- end -->{after}"


def _readme_table() -> str:
    standings = {found.dataset: found for found in _standings(STUDIES[0])}
    rows = []
    for pipeline in map(zoo.get, zoo.names()):
        mistakes = sum(quirk.kind == "mistake" for quirk in pipeline.quirks)
        page = (FOLDER / f"{file_names()[pipeline.id]}.md").relative_to(ROOT).as_posix()
        dice = [
            next((f"{place.mean:.3f}" for place in found.places if place.contender == pipeline.id), "")
            for found in standings.values()
        ]
        facts = (str(pipeline.card.cohort), f"{pipeline.card.parameters:,}", str(len(pipeline.quirks)), str(mistakes))
        rows.append((f"[{pipeline.id}]({page})", *facts, *dice))
    head = ("pipeline", "year", "parameters", "quirks", "of these, mistakes")
    return write_table((*head, *(f"Dice on {name}" for name in standings)), rows)


def render_page(pipeline: Pipeline) -> str:
    """Return the page of a pipeline."""
    card = pipeline.card
    return _join(
        [
            MADE,
            f"# {pipeline.id}",
            *_card(pipeline),
            "## Network",
            f"![The network of {pipeline.id}: {card.summary}]({file_names()[pipeline.id]}.svg)",
            f"`llmseg show {pipeline.id} --draw FILE.svg` draws it.",
            *_quirks(pipeline),
            *_section(
                "Against the textbook recipe", _differences(zoo.TEXTBOOK.diff(pipeline.recipe), "textbook", "here")
            ),
            *_section("The study's table against what runs", _printed(pipeline)),
            *_section("Published Dice", _published_dice(pipeline)),
            *_section("Where published and code disagree", _disagreements(pipeline)),
            *_section("In our studies", _results(pipeline)),
            *_section("Replay", _replay(pipeline)),
            *_section("Recipe", _recipe(pipeline)),
        ]
    )


def _card(pipeline: Pipeline) -> Iterator[str]:
    # The first fact takes the place of the heading, which a table in Markdown must have.
    first, *others = card_facts(pipeline.card)
    yield write_table(first, others)
    for title, texts in (
        ("Edits by the authors of the study", pipeline.card.author_edits),
        ("Does not run as given", [f"{mend.fault}; here: {mend.reading}" for mend in pipeline.card.mends]),
        ("Assumed, as no source states it", [f"`{each.path}`: {each.reason}" for each in pipeline.card.assumed]),
    ):
        if texts:
            yield f"{title}:"
            yield "\n".join(f"- {text}" for text in texts)


def _quirks(pipeline: Pipeline) -> Iterator[str]:
    quirks = pipeline.quirks
    yield "## Quirks"
    if not quirks:
        yield "None is known."
        return
    items = []
    for quirk in quirks:
        change = quirk.repaired_field(pipeline.recipe)
        repair = f"Repair: `{change.path}` becomes {write_typed(change.right)} instead of {write_typed(change.left)}."
        items.append(f"- **{quirk.id}** ({quirk.kind}): {quirk.sentence} {quirk.why} {repair}")
    yield "\n".join(items)
    names = {quirk.id for quirk in quirks}
    # What a quirk costs another pipeline says little; in the textbook recipe, nothing else is unusual.
    prices = [row for row in _prices() if row["quirk"] in names and (row["planted"] or row["pipeline"] == pipeline.id)]
    if prices:
        yield "What they cost, from the [price list](../price-list.md), which says how small these trainings were:"
        yield "\n".join(price_tables(prices, level=3)).rstrip()


@functools.cache
def _prices() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = PriceList(RESULTS / "price_list.json").record["rows"]
    return rows


def _differences(differences: Iterable[Difference], left: str, right: str) -> list[str]:
    rows = [(f"`{each.path}`", write_typed(each.left), write_typed(each.right)) for each in differences]
    return [write_table(("field", left, right), rows)] if rows else ["There is no difference."]


def _printed(pipeline: Pipeline) -> list[str]:
    head, *rows = table_against_code(pipeline) or [()]
    return [write_table(head, rows)] if rows else []


def _published_dice(pipeline: Pipeline) -> list[str]:
    frame = _published_means()
    rows = [
        (str(row["dataset"]), f"{row['value']:.4f}")
        for row in frame[frame["pipeline"] == pipeline.id].to_dict("records")
    ]
    note = (
        "Means in the test that can be attributed to it, by its own Dice on its own test part.\n"
        "[What is known of these numbers](../../explanation/published.md)"
    )
    return [write_table(("dataset", "published mean Dice"), rows), f"{note}."] if rows else []


@functools.cache
def _published_means() -> pd.DataFrame:
    return published.dice_table().frame


def _disagreements(pipeline: Pipeline) -> list[str]:
    items = [
        f"- **{each.about}** ({each.kind})\n"
        f"  - *Published:* {each.published}\n"
        f"  - *Code:* {each.code}\n"
        f"  - *So:* {each.consequence}\n"
        f"  - *Source:* {each.source}"
        for each in pipeline.card.disagreements
    ]
    return ["\n".join(items)] if items else []


def _results(pipeline: Pipeline) -> list[str]:
    return [block for study in STUDIES for block in _results_in(study, pipeline)]


def _results_in(study: str, pipeline: Pipeline) -> list[str]:
    rows = []
    for found in _standings(study):
        for place in found.places:
            if place.contender == pipeline.id:
                interval = f"{place.low:.3f} to {place.high:.3f}" if place.has_interval else "not known"
                rank = f"{place.rank} of {len(found.places)}"
                rows.append((found.dataset, f"{place.mean:.3f}", interval, rank, str(found.cases), str(found.seeds)))
    if not rows:
        return []
    head = ("dataset", "mean Dice", "95 % interval", "rank", "cases", "seeds")
    trained = [run.run.recipe for run in _study(study).runs if run.contender == pipeline.id]
    changes = "; ".join(
        f"`{each.path}` {write_typed(each.right)} instead of {write_typed(each.left)}"
        for each in pipeline.recipe.diff(trained[0])
    )
    remarks = dict.fromkeys(remark for found in _standings(study) for remark in found.remarks)
    return [
        f"The study `benchmarks/studies/{study}.toml`, scored by one evaluator on held-out cases:",
        write_table(head, rows),
        *([f"Trained with {changes}."] if changes else []),
        "\n".join(f"- {remark}" for remark in remarks),
    ]


@functools.cache
def _study(name: str) -> Results:
    return read_results([RESULTS / name])


@functools.cache
def _standings(study: str) -> tuple[Standing, ...]:
    table = _study(study).scores
    # The order alone needs no resamples; two are the fewest.
    return tuple(standing(table, "dice", "test", dataset, resamples=2) for dataset in table.datasets)


def _replay(pipeline: Pipeline) -> list[str]:
    verdicts = _records().get(pipeline.id)
    if verdicts is None:
        return ["There is no record of an original run to compare it with."] if not pipeline.card.is_reference else []
    rows = [
        (
            verdict["level"],
            "holds" if verdict["holds"] else f"diverges: {verdict['divergence']}",
            str(verdict["figures"]),
            f"{verdict['worst']:.2g}",
        )
        for verdict in verdicts
    ]
    files = [f"- `{file}`: {what}" for file, what in describe_outputs(pipeline)]
    return [
        "Compared with a record of the original script (`benchmarks/results/fidelity.json`). The last column is the\n"
        "largest difference of a value, as a share of its tolerance. [How it is checked](../../how-to/replay.md).",
        write_table(("level", "verdict", "values", "largest difference"), rows),
        *(["Its scripts write:", "\n".join(files)] if files else []),
    ]


@functools.cache
def _records() -> dict[str, list[dict[str, object]]]:
    content = json.loads((RESULTS / "fidelity.json").read_text(encoding="utf-8"))
    return {record["pipeline"]: record["verdicts"] for record in content["records"]}


def _recipe(pipeline: Pipeline) -> list[str]:
    fields: dict[str, list[str]] = {}
    for path, value in pipeline.recipe.items():
        part, _, field = path.partition(".")
        fields.setdefault(part, []).append(f"{field} `{write_typed(value)}`")
    return [
        f"Digest: `{pipeline.recipe.digest}`. `llmseg fields` explains every field.",
        "<details><summary>All fields</summary>",
        write_table(("part", "fields"), [(f"`{part}`", ", ".join(texts)) for part, texts in fields.items()]),
        "</details>",
    ]


def _section(title: str, blocks: Sequence[str]) -> list[str]:
    return [f"## {title}", *blocks] if blocks else []


def _join(blocks: Iterable[str]) -> str:
    return "\n\n".join(blocks) + "\n"


if __name__ == "__main__":
    main()
