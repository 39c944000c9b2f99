"""Requirements 30 to 36: the test, its picture, and what the main file prints."""

from __future__ import annotations

import ast

from llmseg.admission.prompt.checks.source import Found, Sign, Source, keyword, met, unmet, unseen, words_of
from llmseg.admission.prompt.checks.training import check_sheet

_WINDOWS = ("matplotlib.pyplot.show", "cv2.imshow", "skimage.io.show", "plt.show")


def check_test_dice(source: Source) -> Sign:
    """Requirement 30."""
    return check_sheet(source, "test_dice_scores.xlsx", rows_of_losses=False)


def check_picture(source: Source) -> Sign:
    """Requirement 31."""
    grids = source.called("subplots", "subplot", "add_subplot")
    if not grids or not source.called("savefig"):
        return unmet("no picture with several images is saved", grids)
    chosen = source.called("sample", "choice", "permutation", "randperm", "shuffle")
    shapes = [_grid(source, each) for each in source.called("subplots")]
    titles = source.called("set_title", "title")
    fixed = titles and all(isinstance(each.call.args[0], ast.Constant) for each in titles if each.call.args)
    if (5, 3) in shapes and fixed:
        return unmet("no title has the name of a file", titles)
    if (5, 3) in shapes and chosen and titles:
        return met("five rows, three columns, names in the titles", [*grids, *titles])
    return unseen("which images the picture shows, and under which titles", grids)


def _grid(source: Source, found: Found) -> tuple[object, object]:
    given = [*found.call.args[:2], None, None]
    rows, columns = (given[i] or keyword(found.call, name) for i, name in enumerate(("nrows", "ncols")))
    return source.settings.constant(rows), source.settings.constant(columns)


def check_predictions(source: Source) -> Sign:
    """Requirement 32."""
    return unseen("whether predictions are right")


def check_summary(source: Source) -> Sign:
    """Requirement 33."""
    summaries = source.called("summary")
    if source.prompt.framework == "pytorch":
        summaries = [each for each in summaries if each.name.startswith("torchinfo")]
    if summaries:
        return met("the summary is printed", summaries)
    return unmet("torchinfo is not called" if source.prompt.framework == "pytorch" else "no summary is printed")


def check_parameters(source: Source) -> Sign:
    """Requirement 34."""
    counted = source.called("numel", "count_params", "nelement")
    if not counted:
        return unmet("the parameters are not counted")
    filtered = [each for each in counted if any("requires_grad" in set(words_of(up)) for up in _expression(each))]
    frozen = any(
        isinstance(node, ast.Assign) and any("requires_grad" in set(words_of(target)) for target in node.targets)
        for script in source.scripts
        for node in script.nodes
    )
    if filtered or not frozen:
        return met("counted", filtered or counted)
    return unmet("parameters that are not learnable are counted, too", counted)


def _expression(found: Found) -> list[ast.AST]:
    """Return the expressions around a call, up to its statement."""
    ups: list[ast.AST] = []
    for up in found.script.above(found.node):
        if isinstance(up, ast.FunctionDef | ast.For | ast.Module):
            break
        ups.append(up)
    return ups


def check_windows(source: Source) -> Sign:
    """Requirement 35."""
    windows = [each for each in source.calls if each.name in _WINDOWS]
    windows += [each for each in source.called("show") if _is_image(each)]
    return unmet("a window is opened", windows) if windows else met("nothing opens a window")


def _is_image(found: Found) -> bool:
    """Return whether a method ``show`` is called on what Pillow opened or made, or on a figure."""
    words = set(words_of(found.call.func))
    return bool(words & {"fig", "figure", "image", "img", "fromarray"})


def check_usable(source: Source) -> Sign:
    """Requirement 36."""
    wide = [
        Found(script, node)
        for script in source.scripts
        for node in script.nodes
        if isinstance(node, ast.Global) or (isinstance(node, ast.ImportFrom) and node.module == "main")
    ]
    if wide:
        return unmet("global variables are used", wide)
    read = [
        each
        for script in source.scripts
        if script.path in ("train.py", "dataset.py")
        for each in _reads_outside(source, script)
    ]
    if read:
        return unmet("functions take settings from outside instead of arguments", read)
    return met("functions take what they need as arguments")


def _reads_outside(source: Source, script: object) -> list[Found]:
    """Return where functions of a script read a setting that stands outside them in the same file."""
    settings = {
        target.id
        for found in (Found(each, node) for each in source.scripts if each is script for node in each.tree.body)
        if isinstance(found.node, ast.Assign)
        for target in found.node.targets
        if isinstance(target, ast.Name) and source.settings.constant(found.node.value) is not None
    }
    reads: list[Found] = []
    for function in source.functions:
        if function.script is not script:
            continue
        reads += [
            Found(function.script, node)
            for node in ast.walk(function.node)
            if isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Load)
            and node.id in settings
            and any(part in node.id.lower() for part in ("batch", "epoch", "lr", "learning", "path", "dir", "size"))
        ]
    return reads
