"""The page that says what the time of some training steps went to."""

from __future__ import annotations

from collections.abc import Iterable

from llmseg.training.events import Beginning
from llmseg.training.observing.profile import Profile

_MEANINGS = {
    "convolution": "convolutions and transposed convolutions, forward and backward",
    "normalisation": "batch norm and its kin, forward and backward",
    "optimizer": "the update of the weights and of their moving average",
    "data": "making the batch of a step",
    "other": "all other computation: activations, pooling, loss",
    "waiting": "nothing was computed: Python was at work between two operations, or waited for another process",
}
_ON_A_GPU = {
    "data": "making the batch of a step, as far as the GPU had to wait for it or computed it",
    "waiting": "the GPU computed nothing: the host was at work, or another process was waited for",
}

_LONGEST = 12
"""Operations that the page names."""
_NAME = 80
"""Characters of a name that are shown; those of kernels have several hundred."""


def write_page(profile: Profile, beginning: Beginning, steps: range) -> str:
    """Return the page in Markdown.

    Args:
        profile: What the time went to.
        beginning: The beginning of the training.
        steps: The steps that were recorded, counted from 0.
    """
    how, fit = beginning.record["how"], beginning.record["recipe"]["fit"]
    meanings = _MEANINGS if profile.device == "cpu" else _MEANINGS | _ON_A_GPU
    processes = f", in the first of {how['processes']} processes" if how["processes"] > 1 else ""
    if processes and profile.device == "cpu":
        processes += ", whose joint batch norm counts as other"
    each = profile.seconds * 1e3 / profile.steps
    shares = sorted(profile.shares.items(), key=lambda item: -item[1])
    return "\n".join(
        [
            f"# What a training step of {beginning.record['label'] or 'this run'} spends its time on",
            "",
            f"- Measured: {profile.steps} training steps, {steps.start + 1} to {steps.stop} of {beginning.steps}, of "
            f"{fit['batch_size']} cases each. Validation and test are not in it.",
            f"- Device: {_describe_device(profile, beginning)}, in {how['precision']}{processes}.",
            f"- Time: {profile.seconds:.3g} s, {each:.3g} ms per step. Recording slows them down: look at shares.",
            "",
            *_table("group", ((group, share) for group, share in shares), each, meanings),
            "",
            "## What takes longest",
            "",
            "Each without what it calls.",
            "",
            *_table("operation, kernel or mark", list(profile.names.items())[:_LONGEST], each),
            "",
            "`trace.json.gz` has everything that was recorded. It opens at <https://ui.perfetto.dev>, and "
            "`llmseg.training.Profile.read` gives the shares of this page.",
            "",
        ]
    )


def _describe_device(profile: Profile, beginning: Beginning) -> str:
    """Return the name of a GPU; of a processor, what its speed depends on."""
    if profile.device != "cpu":
        return profile.device
    hardware = beginning.record["hardware"]
    threads = hardware["threads"]
    return f"cpu ({hardware['cpu_capability']}, {threads} {'thread' if threads == 1 else 'threads'})"


def _table(
    title: str, rows: Iterable[tuple[str, float]], milliseconds: float, meanings: dict[str, str] | None = None
) -> list[str]:
    """Return the lines of a table of shares, with what the names mean if that is given."""
    last = "" if meanings is None else " what counts |"
    lines = [f"| {title} | share | ms per step |{last}", "|---|---|---|" + ("" if meanings is None else "---|")]
    for name, share in rows:
        meaning = "" if meanings is None else f" {meanings[name]} |"
        lines.append(f"| {_shorten(name)} | {share:.1%} | {share * milliseconds:.3g} |{meaning}")
    return lines


def _shorten(name: str) -> str:
    # A bar would end the cell.
    name = name.replace("|", "/")
    return name if len(name) <= _NAME else name[: _NAME - 1] + "…"
