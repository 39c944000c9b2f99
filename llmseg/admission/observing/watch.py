"""How a script is observed: variables and a place that make Python load the observer before it."""

from __future__ import annotations

from pathlib import Path

from llmseg.admission.sandbox.command import Place

WATCHING = Path(__file__).resolve().parent / "watching"
"""The code that runs in the process of a script."""

_OBSERVER, _RECORD = Path("/admission/observer"), Path("/admission/record")


def observer_environment(
    record: Path, seed: int | None = 0, listing: str = "1", watching: Path = WATCHING
) -> dict[str, str]:
    """Return the variables with which a Python process is observed.

    Args:
        record: The folder for the record, as the process sees it; it has to be there.
        seed: Seed of the generators of Python, numpy and torch before the script begins; ``None`` for none.
        listing: Decides the order in which folders list their files, which no system promises; an empty text leaves it
            as it is.
        watching: Where the process sees the observer.

    Example:
        >>> sorted(observer_environment(Path("/tmp/record")))
        ['LLMSEG_LISTING', 'LLMSEG_RECORD', 'LLMSEG_SEED', 'PYTHONPATH']
    """
    variables = {"PYTHONPATH": str(watching / "start"), "LLMSEG_RECORD": str(record)}
    chosen = {"LLMSEG_SEED": "" if seed is None else str(seed), "LLMSEG_LISTING": listing}
    return variables | {name: value for name, value in chosen.items() if value}


def observer_places(record: Path, seed: int | None = 0, listing: str = "1") -> tuple[dict[str, str], tuple[Place, ...]]:
    """Return the variables and places with which a command in a sandbox is observed.

    Args:
        record: A new or empty folder for the record.
        seed: As for :func:`observer_environment`.
        listing: As there.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     environment, places = observer_places(Path(folder, "record"))
        >>> environment["LLMSEG_RECORD"], [str(place.seen_at) for place in places]
        ('/admission/record', ['/admission/observer', '/admission/record'])
    """
    record.mkdir(parents=True, exist_ok=True)
    places = Place(WATCHING, _OBSERVER), Place(record, _RECORD, writable=True)
    return observer_environment(_RECORD, seed, listing, _OBSERVER), places
