"""What llmseg train and llmseg replay print."""

from __future__ import annotations

from typing import Any

from llmseg import Run
from llmseg.cli.text.layout import align_columns
from llmseg.recipe import write_typed


def run_facts(run: Run) -> dict[str, Any]:
    """Return where a run is and how it ended, as values that JSON can hold."""
    last, scores = run.history.iloc[-1], run.scores["value"]
    return {
        "folder": str(run.folder),
        "epochs": int(last["epoch"]),
        "train_loss": float(last["train_loss"]),
        "validation_loss": float(last["validation_loss"]),
        "test_cases": len(scores),
        "own_dice": float(scores.mean()) if len(scores) else None,
        "seconds": run.record["seconds"],
    }


def describe_run(run: Run) -> str:
    """Return where a run is and how it ended, a line per fact."""
    return align_columns([(name.replace("_", " "), _fact_text(name, value)) for name, value in run_facts(run).items()])


def _fact_text(name: str, value: object) -> str:
    """Return a fact with as many decimals as tables have; JSON has them all."""
    if isinstance(value, float):
        return f"{value:.1f}" if name == "seconds" else f"{value:.4f}"
    return write_typed(value)
