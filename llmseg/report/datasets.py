"""What is known of the datasets of a report: facts of the catalogue, for stores that were prepared as that dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from llmseg.data.catalog import dataset_names, get_dataset
from llmseg.data.catalog.dataset import Dataset
from llmseg.data.origin import find_dataset_id
from llmseg.data.store import Store
from llmseg.data.store_source import open_source
from llmseg.study.results import Results
from llmseg.training import Run

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
    runs = [run.run for run in results.runs if run.dataset == name]
    said = {run.record["prepared_as"] if "prepared_as" in run.record else _ask_store(run) for run in runs}
    said |= {id for dataset, id in results.prepared_as if dataset == name}
    said |= {find_dataset_id(store) for store in stores if store.name == name and _has_cases(store, results, name)}
    id = said.pop() if len(said) == 1 else None
    if id in dataset_names():
        entry = get_dataset(str(id))
        return Origin(entry, f"{entry.title}: {entry.modality}; {entry.target}.")
    kinds = {str(run.record["source"].get("kind")) for run in runs if isinstance(run.record.get("source"), Mapping)}
    return Origin(None, _OF_KIND.get(kinds.pop(), _NOT_KNOWN) if len(kinds) == 1 else _NOT_KNOWN)


def _ask_store(run: Run) -> str | None:
    """Ask the store of a run that was written before runs recorded their dataset."""
    store = open_source(run.source)
    return None if store is None else find_dataset_id(store)


def _has_cases(store: Store, results: Results, name: str) -> bool:
    if results.table is None or name not in results.table.datasets:
        return False
    return set(results.table.select(dataset=name).frame["case"]) <= set(store.ids)
