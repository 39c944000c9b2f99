"""What the command line prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg import Pipeline, Run, zoo
from llmseg.recipe import Difference

if TYPE_CHECKING:
    import pandas as pd

    from llmseg import Evaluation, Hdf5Store, Holdout
    from llmseg.data import CacheEntry, Dataset


def table_rows(pipelines: Sequence[Pipeline]) -> list[dict[str, Any]]:
    """Return the facts of the pipeline table, one dictionary per pipeline."""
    return [
        {
            "id": p.id,
            "vendor": p.card.vendor,
            "cohort": p.card.cohort,
            "reasoning": p.card.reasoning,
            "open_weights": p.card.open_weights,
            "in_study": p.card.in_study,
            "parameters": p.card.parameters,
            "batch_size": p.recipe.fit.batch_size,
            "epochs": p.recipe.fit.epochs,
            "rate": p.recipe.fit.rate,
            "disagreements": len(p.card.disagreements),
        }
        for p in pipelines
    ]


def table(pipelines: Sequence[Pipeline]) -> str:
    """Return the pipeline table as text."""
    head = ("id", "vendor", "cohort", "reasoning", "parameters", "batch", "epochs", "rate")
    rows = [
        (
            r["id"],
            r["vendor"],
            str(r["cohort"] or "-"),
            "-" if r["cohort"] is None else "yes" if r["reasoning"] else "no",
            f"{r['parameters']:,}",
            str(r["batch_size"]),
            str(r["epochs"]),
            f"{r['rate']:g}",
        )
        for r in table_rows(pipelines)
    ]
    return columns([head, *rows])


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def description(pipeline: Pipeline) -> str:
    """Return a pipeline's card, recipe, difference from the textbook, and published against actual."""
    card = pipeline.card
    network = [("network", card.summary), ("parameters", f"{card.parameters:,}")]
    facts = [
        ("language model", f"{card.name} ({card.vendor}, {card.cohort})"),
        ("in the study", _standing(card)),
        ("reasoning", "yes" if card.reasoning else "no"),
        ("open weights", "yes" if card.open_weights else "no"),
        *network,
        ("published for", card.published_for),
        ("its conversation", card.origin),
    ]
    if card.is_reference:
        facts = [("reference", f"{card.name} ({card.vendor})"), ("origin", card.origin), *network]
    sections = [pipeline.id, columns(facts)]
    sections += [_section("edits by the authors", [f"- {edit}" for edit in card.author_edits])]
    sections += [_section("does not run as given", [f"- {m.fault}; here: {m.reading}" for m in card.mends])]
    sections += [_section("recipe", [f"{path} = {value_text(value)}" for path, value in pipeline.recipe.items()])]
    sections += [_section("assumed, as no source states it", [f"{a.path}: {a.reason}" for a in card.assumed])]
    others = differences(zoo.TEXTBOOK.diff(pipeline.recipe), "textbook", pipeline.id)
    sections += [_section("against the textbook recipe", others.splitlines())]
    sections += [_section("the study's table against what runs", _table_against_code(pipeline))]
    sections += [
        _section("where published and code disagree", [line for d in card.disagreements for line in _disagreement(d)])
    ]
    return "\n\n".join(section for section in sections if section)


def _standing(card: zoo.Card) -> str:
    if card.framework != "PyTorch":
        return f"its settings only, for {card.framework}; no training is reported"
    return "yes, one of the nineteen" if card.in_study else "no"


def _table_against_code(pipeline: Pipeline) -> list[str]:
    """Return what the study printed beside the recipe's own fields; a dash where either has none."""
    published, actual = pipeline.card.published, dict(pipeline.recipe.items())
    if published is None:
        return []
    loss = [f"{n} {value_text(actual[f'loss.{n}'])}" for n in ("bce", "dice", "reads") if f"loss.{n}" in actual]
    rows = [
        ("parameters", published.parameters, f"{pipeline.card.parameters:,}"),
        ("image size", published.image_size, actual.get("images.size")),
        ("batch size", published.batch_size, actual["fit.batch_size"]),
        ("epochs", published.epochs, actual["fit.epochs"]),
        ("optimizer", published.optimizer, f"{actual['fit.optimizer']}, rate {actual['fit.rate']:g}"),
        ("loss", published.loss, ", ".join(loss) or None),
        ("encoder", published.encoder, actual.get("net.encoder")),
        ("bottleneck", published.bottleneck, actual.get("net.bottleneck")),
        ("decoder", published.decoder, actual.get("net.decoder")),
        ("stages", f"{published.encoder_stages} down, {published.decoder_stages} up", None),
        ("block", published.block, None),
        ("head", published.head, actual["net.output"]),
        ("training time", published.training_time, None),
    ]
    cells = [(name, *("-" if v is None else value_text(v) for v in pair)) for name, *pair in rows]
    return columns([("", "printed", "runs"), *cells]).splitlines()


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{title}:", *(f"  {line}" for line in lines)]) if lines else ""


def _disagreement(d: zoo.Disagreement) -> list[str]:
    return [f"{d.about} ({d.kind})", f"  published: {d.published}", f"  code: {d.code}", f"  so: {d.consequence}"]


def differences(found: Sequence[Difference], left: str, right: str) -> str:
    """Return differences as a table of path, left and right value."""
    if not found:
        return "no difference"
    return columns([("field", left, right), *((d.path, value_text(d.left), value_text(d.right)) for d in found)])


def value_text(value: object) -> str:
    """Return a field's value as it is typed on a command line."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "none" if value is None else str(value)


def run_summary(run: Run, as_json: bool) -> Any:
    """Return where a run is and how it ended."""
    last, scores = run.history.iloc[-1], run.scores["value"]
    facts = {
        "folder": str(run.folder),
        "epochs": int(last["epoch"]),
        "train_loss": float(last["train_loss"]),
        "validation_loss": float(last["validation_loss"]),
        "test_cases": len(scores),
        "own_dice": float(scores.mean()) if len(scores) else None,
        "seconds": run.record["seconds"],
    }
    return facts if as_json else columns([(name.replace("_", " "), value_text(value)) for name, value in facts.items()])


def cache(entries: Sequence[CacheEntry], folder: Path) -> str:
    """Return a line per file of prepared cases, and their sum."""
    lines = [f"{e.store:24} {e.cases:8} cases  {size(e.shape):12} {megabytes(e.nbytes):>10}" for e in entries]
    total = megabytes(sum(e.nbytes for e in entries))
    return "\n".join([*lines, f"{len(entries)} sets of cases, {total}, in {folder}"])


def size(shape: tuple[int, int, int]) -> str:
    """Return channels, height and width in words."""
    return f"{shape[1]}x{shape[2]} {'rgb' if shape[0] == 3 else 'grey'}"


def megabytes(count: int) -> str:
    """Return a number of bytes in megabytes."""
    return f"{count / 1e6:.1f} MB"


def datasets(entries: Sequence[Dataset]) -> str:
    """Return a line per dataset."""
    head = ("id", "title", "modality", "target", "cases", "in the study", "licence")
    rows = [
        (
            e.id,
            e.title,
            e.modality,
            e.target,
            f"{e.cases:,}" if e.cases else "unknown",
            f"{e.study.cases:,}" if e.study else "in retina",
            e.licence.spdx or "unknown",
        )
        for e in entries
    ]
    return columns([head, *rows])


def dataset(entry: Dataset) -> str:
    """Return the facts of a dataset."""
    plain = ("title", "modality", "target", "colour", "cases", "sizes", "masks", "groups", "citation", "source")
    facts = [(name, value_text(getattr(entry, name) or "unknown")) for name in plain]
    licence = [(name, _known(value)) for name, value in asdict(entry.licence).items()]
    parts = [
        columns(facts),
        _section("licence", columns(licence).splitlines()),
        _section("layout", entry.layout),
        _section("what to know", entry.oddities),
        _section("the study took", [entry.study.rule] if entry.study else []),
    ]
    return "\n\n".join(part for part in parts if part)


def _known(value: object) -> str:
    return {None: "unknown", True: "yes", False: "no"}.get(value, str(value))  # type: ignore[call-overload, no-any-return]


def store_facts(store: Hdf5Store) -> dict[str, Any]:
    """Return what was prepared."""
    return {
        "path": str(store.path),
        "name": store.name,
        "cases": len(store.ids),
        "groups": len(set(store.groups.values())),
        "parts": dict(Counter(part for part in store.parts.values() if part)),
        "alone": list(store.alone),
        "digest": store.digest,
        **{name: store.provenance[name] for name in ("layout", "notes", "official_cases", "licence")},
    }


def store(store: Hdf5Store) -> str:
    """Return what was prepared, in words."""
    facts = store_facts(store)
    official, licence, size = facts["official_cases"], facts["licence"], megabytes(Path(store.path).stat().st_size)
    lines = [
        f"{facts['cases']} cases in {facts['groups']} groups, {size}, in {store.path}",
        f"layout: {facts['layout']}",
        *(f"{part}: {count}" for part, count in facts["parts"].items()),
        *([f"the official set has {official}"] if official and official != facts["cases"] else []),
        *([f"{len(facts['alone'])} files without partner, first {facts['alone'][0]}"] if facts["alone"] else []),
        *(f"note: {note}" for note in facts["notes"]),
        *([f"licence: {licence['spdx'] or 'unknown'}"] if licence else []),
        f"digest: {facts['digest']}",
    ]
    return "\n".join(lines)


def holdout_facts(holdout: Holdout) -> dict[str, Any]:
    """Return how test cases were drawn."""
    held = [case for case in holdout.cases if case.held]
    return {
        "store": holdout.store,
        "test_cases": len(held),
        "test_groups": len({case.group for case in held}),
        "cases": len(holdout.cases),
        "split": holdout.split,
        "seed": holdout.seed,
        "digest": holdout.digest,
    }


def holdout(holdout: Holdout, path: Path) -> str:
    """Return how test cases were drawn, in words."""
    facts = holdout_facts(holdout)
    return (
        f"{facts['test_cases']} of {facts['cases']} cases of {holdout.store} held out in {facts['test_groups']} groups "
        f"({holdout.split}, seed {holdout.seed}), in {path}\ndigest: {holdout.digest}"
    )


def evaluation(found: Evaluation) -> str:
    """Return the means of an evaluation."""
    record, means = found.record, found.means
    rows = [(name, *(f"{value:.4f}" for value in values)) for name, *values in means.itertuples()]
    line = f"{record['pipeline']} on {record['cases']} cases of {record['dataset']}, in {found.folder}"
    warning = [f"overlap: {record['overlap']}"] if record["overlap"] else []
    return "\n".join([columns([("mean", *means.columns), *rows]), line, *warning])


def conventions(frame: pd.DataFrame, stability: float) -> str:
    """Return who wins by which rule."""
    wide = frame.pivot_table("value", "convention", "system", sort=False, dropna=False)
    winners = frame.groupby("convention", sort=False)["winner"].first()
    rows = [
        (str(name), *(f"{value:.4f}" for value in row), str(winners[name]))
        for name, row in zip(wide.index, wide.to_numpy(), strict=True)
    ]
    table = columns([("convention", *map(str, wide.columns), "winner"), *rows])
    return f"{table}\nstability: {stability:.3f} of the pairs keep their order under every rule"
