"""The catalogue: facts of the study's six datasets, and of the sets that one of them is made of.

``dataset`` says what an entry holds (layout, masks, groups, licence, citation, what the study took). ``entries`` has
the entries. How to read a dataset is in :mod:`llmseg.data.download.layouts`.
"""

from __future__ import annotations

from llmseg.data.catalog.dataset import Dataset
from llmseg.data.catalog.entries import DATASETS
from llmseg.errors import UserError, nearest
from llmseg.files import clean_name


def dataset_names() -> tuple[str, ...]:
    """Return the ids of the catalogue, the study's six first.

    Example:
        >>> dataset_names()[:6]
        ('bagls', 'bolus', 'brain', 'ham10000', 'umd', 'retina')
    """
    return tuple(_index_by_id())


def get_dataset(name: str) -> Dataset:
    """Return a dataset by id, title or alias. Capitals, spaces and signs do not matter.

    Raises:
        UserError: There is none of that name.

    Example:
        >>> get_dataset("Skin").title
        'HAM10000'
    """
    by_name = {
        _normalise(alias): entry
        for entry in _index_by_id().values()
        for alias in (entry.id, entry.title, *entry.aliases)
    }
    if _normalise(name) not in by_name:
        raise UserError(f"no dataset '{name}'{nearest(name, by_name)}; known are {', '.join(dataset_names())}")
    return by_name[_normalise(name)]


def _normalise(name: str) -> str:
    return clean_name(name.lower(), also="", instead="")


def _index_by_id() -> dict[str, Dataset]:
    return {entry.id: entry for entry in DATASETS}
