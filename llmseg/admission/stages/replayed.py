"""The recipe replays the record of the run that it was fitted to."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmseg.admission.own_record import verify_own_record, write_own_record
from llmseg.admission.stages.tiny_run import Seen
from llmseg.recipe.recipe import Recipe


def replay(seen: Seen, name: str, recipe: Recipe, out: Path) -> dict[str, Any]:
    """Write the record of the tiny run, let the recipe replay it, and return the verdicts on its levels.

    Args:
        seen: What the observer saw in it.
        name: What the pipeline is called.
        recipe: The recipe.
        out: The folder for the record; what is there of an earlier try is replaced.
    """
    shutil.rmtree(out, ignore_errors=True)
    try:
        path = write_own_record(out, name, seen.observation, seen.files, recipe)
        levels = [{**asdict(verdict), "text": str(verdict)} for verdict in verify_own_record(recipe, path)]
    except Exception as error:  # what was fitted stands, and the next start tries again
        return {"levels": [], "fault": f"record: {type(error).__name__}: {error}"[:300], "is_final": False}
    return {"levels": levels, "fault": "", "is_final": True}
