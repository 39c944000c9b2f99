from __future__ import annotations

import pytest

from llmseg.data.catalog import dataset_names, get_dataset
from llmseg.data.catalog.entries import DATASETS
from llmseg.errors import UserError


def test_names():
    assert dataset_names()[:6] == ("bagls", "bolus", "brain", "ham10000", "umd", "retina")
    assert dataset_names() == tuple(entry.id for entry in DATASETS)


def test_no_name_means_two_datasets():
    owners = {}
    for entry in DATASETS:
        for name in (entry.id, entry.title, *entry.aliases):
            assert owners.setdefault("".join(filter(str.isalnum, name.lower())), entry.id) == entry.id


@pytest.mark.parametrize("entry", DATASETS, ids=lambda entry: entry.id)
def test_found_by_any_name_however_it_is_written(entry):
    for name in (entry.id, entry.title, *entry.aliases):
        for written in (name, name.upper(), name.replace(" ", "-"), name.replace("_", "")):
            assert get_dataset(written) is entry


@pytest.mark.parametrize(
    ("name", "near"), [("bagels", "; did you mean 'bagls'?"), ("umdd", "; did you mean 'umd'?"), ("", "")]
)
def test_unknown_name(name, near):
    with pytest.raises(UserError) as error:
        get_dataset(name)
    assert str(error.value) == f"no dataset '{name}'{near}; known are {', '.join(dataset_names())}"


@pytest.mark.parametrize(("id", "cases", "study"), [
    ("bagls", 59250, 5002),
    ("bolus", 5002, 5002),
    ("brain", 999, 999),
    ("ham10000", 10015, 5002),
    ("umd", None, 5457),
    ("retina", 93, 73),
])  # fmt: skip
def test_numbers_of_the_study(id, cases, study):
    entry = get_dataset(id)
    assert (entry.cases, entry.study.cases) == (cases, study)


@pytest.mark.parametrize(("id", "spdx", "commercial"), [
    ("bagls", "CC-BY-NC-SA-4.0", False),
    ("ham10000", "CC-BY-NC-4.0", False),
    ("umd", "CC-BY-4.0", True),
    ("chase_db1", "CC-BY-4.0", True),
    ("hrf", "CC-BY-4.0", True),
    ("brain", None, None),
    ("drive", None, None),
    ("stare", None, None),
])  # fmt: skip
def test_licences(id, spdx, commercial):
    licence = get_dataset(id).licence
    assert (licence.spdx, licence.commercial) == (spdx, commercial)


@pytest.mark.parametrize("entry", DATASETS, ids=lambda entry: entry.id)
def test_an_entry_says_what_it_needs(entry):
    assert entry.citation
    assert entry.source
    assert entry.layout
    assert not any("\n" in line for line in entry.layout), "it becomes part of a message of one line"
    assert (entry.study is None) == (entry.id in ("drive", "stare", "chase_db1", "hrf"))
    if entry.study is not None:
        assert (entry.study.take == "groups") == (entry.study.groups is not None)
