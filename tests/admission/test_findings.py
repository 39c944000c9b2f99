"""The catalogue of silent mistakes and the record of one that was found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmseg.admission import CATALOGUE, Finding
from llmseg.errors import UserError

RECORDS = json.loads((Path(__file__).parent / "pipelines" / "pipelines.json").read_text(encoding="utf-8"))["pipelines"]


def test_the_catalogue_is_that_of_the_samples():
    named = {(mistake["number"], mistake["id"]) for record in RECORDS for mistake in record["mistakes"]}
    assert named == {(mistake.number, mistake.id) for mistake in CATALOGUE.values()}
    assert list(CATALOGUE) == list(range(1, 25))
    assert all(set(mistake.shown_by) <= set("SOP") and mistake.shown_by for mistake in CATALOGUE.values())


def test_a_finding_says_what_and_where():
    finding = Finding(13, "softmax", "train.py:8", "a sigmoid", "a softmax over 1 channel")
    assert str(finding).startswith("13 one-channel-softmax, certain, train.py:8: softmax; expected a sigmoid")
    assert json.loads(json.dumps(finding.to_dict()))["sentence"] == CATALOGUE[13].sentence


def test_an_unknown_number_is_refused():
    with pytest.raises(UserError, match="there are 1 to 24"):
        Finding(25, "nothing")
