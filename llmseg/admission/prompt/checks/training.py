"""Requirements 21 to 29: functions, losses, spreadsheets, bars, weights, time and curves."""

from __future__ import annotations

import ast
import re

from llmseg.admission.prompt.checks.source import Found, Sign, Source, keyword, met, phases_of, unmet, unseen, words_of

PHASES = ("training", "validation", "test")
_RUNS = (
    "backward",
    "no_grad",
    "inference_mode",
    "eval",
    "fit",
    "evaluate",
    "predict",
    "train_on_batch",
    "GradientTape",
)


def phase_functions(source: Source) -> dict[str, list[Found]]:
    """Return the functions whose name speaks of one phase and that run a network or loop over batches."""
    running: dict[str, list[Found]] = {phase: [] for phase in PHASES}
    for each in source.functions:
        phases = phases_of([each.name.lower()])
        loops = any(isinstance(node, ast.For) for node in ast.walk(each.node))
        if len(phases) == 1 and (loops or source.called(*_RUNS, within=each)) and not _prepares(each):
            running[phases.pop()].append(each)
    return running


def _prepares(found: Found) -> bool:
    words = found.name.lower().split("_")
    return any(
        word in ("split", "plot", "save", "copy", "loader", "loaders", "dataset", "transforms") for word in words
    )


def check_functions(source: Source) -> Sign:
    """Requirement 21."""
    running = phase_functions(source)
    present = [found for phase in PHASES for found in running[phase][:1]]
    missing = [phase for phase in PHASES if not running[phase]]
    if missing:
        return unmet(f"there is no function for {' and '.join(missing)}", present)
    return met("a function for each", present)


def check_losses(source: Source) -> Sign:
    """Requirement 22."""
    kept = [
        each
        for each in source.called("append")
        if any("loss" in word for word in words_of(each.call.func)) and _is_in_loop(each)
    ]
    phases = {phase for each in kept for phase in phases_of(words_of(each.call.func))}
    if {"training", "validation"} <= phases:
        return met("both losses are kept in the loop", kept)
    return unseen("whether both losses are computed in every epoch", kept)


def _is_in_loop(found: Found) -> bool:
    return any(isinstance(up, ast.For | ast.While) for up in found.script.above(found.node))


def check_training_losses(source: Source) -> Sign:
    """Requirement 23."""
    return check_sheet(source, "train_losses.xlsx", rows_of_losses=True)


def check_validation_losses(source: Source) -> Sign:
    """Requirement 24."""
    return check_sheet(source, "val_losses.xlsx", rows_of_losses=True)


def check_validation_dice(source: Source) -> Sign:
    """Requirement 25."""
    return check_sheet(source, "validation_dice_scores.xlsx", rows_of_losses=False)


def check_sheet(source: Source, name: str, *, rows_of_losses: bool) -> Sign:
    """Return whether a spreadsheet is written, and whether its layout is known to be wrong.

    Args:
        source: The scripts.
        name: The file.
        rows_of_losses: Whether it holds epochs in one row and losses in another. If not, it holds a row per epoch.
    """
    named = [
        Found(script, node)
        for script in source.scripts
        for node in script.nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _names_file(node.value, name)
    ]
    if not named:
        return unmet(f"nothing names {name}")
    writers = source.called("to_excel")
    if not writers:
        return unseen("how the cells are laid out", named)
    headed = [each for each in _writers_of(source, named) if _adds_labels(source, each)]
    if headed:
        return unmet("pandas adds a header or an index column", headed)
    if rows_of_losses and _has_columns_of_losses(source, named):
        return unmet("epochs and losses are columns, not rows", named)
    return unseen("how the cells are laid out", named)


def _names_file(text: str, name: str) -> bool:
    """Return whether a text ends in the name of a file, with its ending or without."""
    for end in (name, name.rpartition(".")[0]):
        before = text.removesuffix(end)
        # validation_train_losses.xlsx is another file.
        if text.endswith(end) and not re.search(r"\w$", before):
            return True
    return False


def _writers_of(source: Source, named: list[Found]) -> list[Found]:
    """Return the calls of ``to_excel`` that write one of some names: those that hold it, otherwise all."""
    writers = source.called("to_excel")
    holding = [each for each in writers if any(found.node in set(ast.walk(each.node)) for found in named)]
    return holding or (writers if len(writers) == 1 else [])


def _adds_labels(source: Source, found: Found) -> bool:
    header, index = (source.settings.constant(keyword(found.call, name)) for name in ("header", "index"))
    given = {each.arg for each in found.call.keywords}
    if None in given:  # options that another place holds
        return False
    return (index is not False and "index" not in given) or (
        header is not False and "header" not in given and _is_listed(found)
    )


def _is_listed(found: Found) -> bool:
    """Return whether the table is made of lists without names, whose header pandas numbers."""
    target = found.call.func
    made = target.value if isinstance(target, ast.Attribute) else None
    if isinstance(made, ast.Name):
        made = _assigned_to(found, made.id)
    if not (isinstance(made, ast.Call) and found.script.dotted(made.func).endswith("DataFrame")):
        return False
    named = isinstance(made.args[0], ast.Dict) if made.args else True
    return not named and keyword(made, "columns") is None


def _assigned_to(found: Found, name: str) -> ast.expr | None:
    """Return what a name was last given before a call, in its function or file."""
    scope: ast.AST = found.script.function_of(found.node) or found.script.tree
    given = [
        node
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
        and node.lineno <= found.call.lineno
    ]
    return max(given, key=lambda node: node.lineno).value if given else None


def _has_columns_of_losses(source: Source, named: list[Found]) -> bool:
    for found in _writers_of(source, named):
        target = found.call.func
        made = target.value if isinstance(target, ast.Attribute) else None
        made = _assigned_to(found, made.id) if isinstance(made, ast.Name) else made
        if isinstance(made, ast.Call) and made.args and isinstance(made.args[0], ast.Dict):
            return True
    return False


def check_bars(source: Source) -> Sign:
    """Requirement 26."""
    bars = source.called("tqdm", "trange", "auto")
    if not bars:
        return unmet("tqdm is not called")
    texts = {phase for each in bars for phase in phases_of(source.texts(each.node).split())}
    epochs = [each for each in bars if "epoch" in source.texts(each.node) or "epoch" in " ".join(words_of(each.node))]
    functions = phase_functions(source)
    phases = {p for p in PHASES if any(source.called("tqdm", "trange", within=each) for each in functions[p])} | texts
    missing = [phase for phase in PHASES if phase not in phases]
    if not missing and epochs:
        return met("bars in all phases", bars)
    if not missing and not any(_has_variable_text(each) for each in bars):
        return unmet("no bar names the epoch", bars)
    if not missing:
        return unseen("whether the text of the bars names the epoch", bars)
    return unseen(f"whether {' and '.join(missing)} has a bar", bars)


def _has_variable_text(found: Found) -> bool:
    return isinstance(keyword(found.call, "desc"), ast.Name | ast.Attribute)


def check_weights(source: Source) -> Sign:
    """Requirement 27."""
    if source.prompt.framework == "keras":
        saves = [
            *source.called("save_weights"),
            *[each for each in source.called("save") if ".keras" in source.texts(each.node)],
        ]
        kinds = {each.last for each in saves}
        return (
            met("model and weights", saves) if len(kinds) == 2 else unseen("whether model and weights are saved", saves)
        )
    saves = [each for each in source.called("save") if each.name.startswith("torch")]
    if not saves:
        return unmet("torch.save is not called")
    states = [each for each in saves if each.call.args and "state_dict" in set(words_of(each.call.args[0]))]
    whole = [each for each in saves if each.call.args and isinstance(each.call.args[0], ast.Name | ast.Attribute)]
    whole = [each for each in whole if each not in states and "state" not in " ".join(words_of(each.call.args[0]))]
    if states and whole:
        return met("the model and its state dictionary", [*whole, *states])
    if not whole and len(states) == len(saves):
        return unmet("only state dictionaries are saved", saves)
    return unseen("whether both files are saved", saves)


def check_time(source: Source) -> Sign:
    """Requirement 28."""
    clocks = [
        each
        for each in source.calls
        if each.name
        in ("time.time", "time.perf_counter", "time.monotonic", "datetime.datetime.now", "timeit.default_timer")
    ]
    if len(clocks) < 2:
        return unmet("the time is not measured", clocks)
    words = ("time", "elapsed", "duration", "took", "minutes", "seconds")
    printed = [
        each
        for each in source.called("print", "info")
        if any(part in word for word in words_of(each.node) for part in words)
    ]
    return met("measured and printed", [*printed, *clocks]) if printed else unmet("the time is not printed", clocks)


def check_curves(source: Source) -> Sign:
    """Requirement 29."""
    saving = [each for each in source.functions if source.called("savefig", within=each)]
    for each in saving:
        lines = source.called("plot", within=each)
        phases = {phase for line in lines for phase in phases_of(words_of(line.node))}
        if len(lines) > 1 and {"training", "validation"} <= phases and not source.called("subplot", within=each):
            return met("both curves in one picture", lines)
    if not source.called("savefig"):
        return unmet("no picture is saved")
    return unseen("whether a picture has both curves", source.called("plot"))
