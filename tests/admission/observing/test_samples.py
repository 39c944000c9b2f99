"""Samples for which no rule was written: what is found in them is true."""

from __future__ import annotations

import pytest

from llmseg.admission import find_mistakes, read_facts, read_observation


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plane", "walnut", "rowan"])
def test_mistakes_and_facts_are_those_of_the_sample(observe_sample, samples, name):
    sample = samples[name]
    ran = observe_sample(name)
    seen = read_observation(ran.record, ran.phantoms)
    assert [event["text"] for event in seen.record.list("fault")] == []
    found = find_mistakes(seen)
    assert {finding.number: finding.id for finding in found} == {
        mistake["number"]: mistake["id"] for mistake in sample["mistakes"]
    }
    facts = read_facts(seen)
    for key in ("parameters", "batch_size", "optimizer", "rate", "channels", "size", "split"):
        assert facts[key] == sample[key], key
