"""What is known of the datasets of a report: facts of the catalogue, for stores that were prepared as that dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from llmseg.data.catalog.dataset import Dataset
from llmseg.data.store import Store
from llmseg.study.origins import find_entry
from llmseg.study.results import Results

_NOT_KNOWN = "Nothing is known of it besides these scores."
_OF_KIND = {
    "FolderStore": "A folder of images; nothing is known of it.",
    "Hdf5Store": "A folder of images; nothing is known of it.",
    "SyntheticStore": "Phantoms that llmseg drew.",
}


@dataclass(frozen=True)
class Origin:
    """Where a dataset of a report comes from.

    Attributes:
        entry: Its entry in the catalogue; ``None`` unless all runs and evaluations say that they used a store that was
            prepared as that dataset.
        sentence: What it is.
    """

    entry: Dataset | None
    sentence: str


def find_origins(results: Results, datasets: Iterable[str], stores: Sequence[Store] = ()) -> Mapping[str, Origin]:
    """Look up where datasets come from, by what runs, evaluations and stores say, and never by their names.

    Args:
        results: Runs and evaluations.
        datasets: Names of the datasets.
        stores: Stores that were given beside them.
    """
    return {name: _find_origin(name, results, stores) for name in datasets}


def _find_origin(name: str, results: Results, stores: Sequence[Store]) -> Origin:
    entry = find_entry(results, name, stores)
    if entry is not None:
        return Origin(entry, f"{entry.title}: {entry.modality}; {entry.target}.")
    sources = [run.run.record.get("source") for run in results.runs if run.dataset == name]
    kinds = {str(source.get("kind")) for source in sources if isinstance(source, Mapping)}
    return Origin(None, _OF_KIND.get(kinds.pop(), _NOT_KNOWN) if len(kinds) == 1 else _NOT_KNOWN)
