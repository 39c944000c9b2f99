"""Which published dataset results are of: by what runs, evaluations and stores say, and never by names."""

from __future__ import annotations

from collections.abc import Sequence

from llmseg.data.catalog import dataset_names, get_dataset
from llmseg.data.catalog.dataset import Dataset
from llmseg.data.origin import find_dataset_id
from llmseg.data.store import Store
from llmseg.data.store_source import open_source
from llmseg.study.results import Results
from llmseg.training import Run


def find_entry(results: Results, dataset: str, stores: Sequence[Store] = ()) -> Dataset | None:
    """Return the entry of the catalogue that a dataset of results was prepared as.

    Args:
        results: Runs and evaluations.
        dataset: Name of the dataset.
        stores: Stores that were given beside them.

    Returns:
        The entry; ``None`` unless all runs, evaluations and stores of that name say the same, and the catalogue has it.

    Example:
        >>> find_entry(Results(None, (), (("glottis", "bagls"),)), "glottis").title
        'BAGLS'
    """
    runs = [run.run for run in results.runs if run.dataset == dataset]
    said = {run.record["prepared_as"] if "prepared_as" in run.record else _ask_store(run) for run in runs}
    said |= {id for name, id in results.prepared_as if name == dataset}
    said |= {find_dataset_id(store) for store in stores if store.name == dataset and _has_cases(store, results)}
    id = said.pop() if len(said) == 1 else None
    return get_dataset(str(id)) if id in dataset_names() else None


def _ask_store(run: Run) -> str | None:
    """Ask the store of a run that was written before runs recorded their dataset."""
    store = open_source(run.source)
    return None if store is None else find_dataset_id(store)


def _has_cases(store: Store, results: Results) -> bool:
    if results.table is None or store.name not in results.table.datasets:
        return False
    return set(results.table.select(dataset=store.name).frame["case"]) <= set(store.ids)
