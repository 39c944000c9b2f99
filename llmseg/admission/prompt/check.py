"""Whether scripts meet the requirements of the prompt, as far as their text shows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmseg.admission.prompt.checks import data, deliverable, model, splits, testing, training
from llmseg.admission.prompt.checks.source import Check, Source, State
from llmseg.admission.prompt.prompt import Prompt, TracedPrompt, find_prompt
from llmseg.admission.prompt.requirements import Requirement
from llmseg.admission.scripts import check_parsed, read_scripts

CHECKS: dict[str, Check] = {
    "four-files": deliverable.check_files,
    "quiet-imports": deliverable.check_imports,
    "framework": deliverable.check_framework,
    "runs-unchanged": deliverable.check_run,
    "one-place-for-settings": deliverable.check_settings,
    "pairs-by-name": data.check_pairs,
    "only-images-read": data.check_endings,
    "dataset-class": data.check_dataset_class,
    "tensor-shapes": data.check_shapes,
    "no-augmentation": data.check_augmentation,
    "unet-class": model.check_unet_class,
    "one-output-channel": model.check_output,
    "small-foreground": model.check_foreground,
    "output-fits-loss": model.check_sigmoid,
    "split": splits.check_split,
    "no-leakage": splits.check_leakage,
    "copied-parts": splits.check_copies,
    "printed-counts": splits.check_counts,
    "three-loaders": splits.check_loaders,
    "own-settings": splits.check_own_settings,
    "separate-functions": training.check_functions,
    "losses-every-epoch": training.check_losses,
    "training-loss-file": training.check_training_losses,
    "validation-loss-file": training.check_validation_losses,
    "validation-dice-file": training.check_validation_dice,
    "progress-bars": training.check_bars,
    "weight-files": training.check_weights,
    "training-time": training.check_time,
    "loss-curves": training.check_curves,
    "test-dice-file": testing.check_test_dice,
    "predictions-picture": testing.check_picture,
    "right-predictions": testing.check_predictions,
    "model-summary": testing.check_summary,
    "parameter-count": testing.check_parameters,
    "no-windows": testing.check_windows,
    "usable-functions": testing.check_usable,
}
"""The check of each requirement, by its id."""


@dataclass(frozen=True)
class Compliance:
    """Whether scripts meet a requirement.

    Attributes:
        requirement: The requirement, as the prompt words it.
        state: ``"met"``, ``"not met"``, or ``"cannot be seen"`` where only a run can tell.
        note: Why. Where the state cannot be seen, it says what is open.
        places: Where, as ``file:line``, at most four; empty where something is missing.

    Example:
        >>> for compliance in check_requirements("answers/my-llm").compliances:  # doctest: +SKIP
        ...     print(compliance.state, compliance.places)
    """

    requirement: Requirement
    state: State
    note: str
    places: tuple[str, ...]


@dataclass(frozen=True)
class CheckedScripts:
    """What the check of a folder of scripts found.

    Attributes:
        folder: The folder.
        prompt: The prompt that the scripts were compared with.
        traced: The prompt that the scripts say they answer, ``None`` if they have no stamp.
        compliances: One per requirement, in their order.

    Example:
        >>> from pathlib import Path
        >>> checked = check_requirements(Path("answers/my-llm"))  # doctest: +SKIP
        >>> [each.requirement.number for each in checked.compliances if each.state == "not met"]  # doctest: +SKIP
    """

    folder: Path
    prompt: Prompt
    traced: TracedPrompt | None
    compliances: tuple[Compliance, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many requirements are met, are not met and cannot be seen."""
        found = Counter(each.state for each in self.compliances)
        return {state: found[state] for state in ("met", "not met", "cannot be seen")}

    def to_dict(self) -> dict[str, Any]:
        """Return it as values that JSON can hold."""
        rows = [
            {
                "number": each.requirement.number,
                "id": each.requirement.id,
                "section": each.requirement.section,
                "state": each.state,
                "note": each.note,
                "places": list(each.places),
            }
            for each in self.compliances
        ]
        parameters = {name: getattr(self.prompt, name) for name in ("framework", "channels", "size", "names")}
        stamp = None if self.traced is None else {"version": self.traced.version, "is_current": self.traced.is_current}
        return {"prompt": parameters, "stamp": stamp, "counts": self.counts, "requirements": rows}


def check_requirements(folder: str | Path, prompt: Prompt | None = None, **parameters: Any) -> CheckedScripts:
    """Say of each requirement whether scripts meet it, by reading their text. Nothing is imported or run.

    Args:
        folder: The folder of the scripts.
        prompt: The prompt that they answer. Without one, it is that of the stamp in them, otherwise the default prompt.
        **parameters: Parameters of :class:`Prompt` that replace those of this prompt.

    Raises:
        UserError: The folder has no scripts, or one that cannot be read or parsed.

    Example:
        >>> check_requirements("answers/my-llm").traced is not None  # doctest: +SKIP
        True
    """
    scripts = read_scripts(folder)
    check_parsed(scripts)
    traced = find_prompt(script.text for script in sorted(scripts, key=lambda script: script.path != "main.py"))
    if prompt is None:
        prompt = traced.prompt if traced is not None else Prompt()
    prompt = replace(prompt, **parameters)
    source = Source(scripts, prompt)
    compliances = []
    for requirement in prompt.requirements:
        sign = CHECKS[requirement.id](source)
        compliances.append(Compliance(requirement, sign.state, sign.note, sign.places))
    return CheckedScripts(scripts.folder, prompt, traced, tuple(compliances))
