from __future__ import annotations

import pytest

from llmseg import UserError
from llmseg.data import Subset


def test_it_holds_the_chosen_cases_in_their_order(phantoms):
    ids = (phantoms.ids[3], phantoms.ids[0])
    subset = Subset(phantoms, ids)
    assert subset.ids == ids
    assert subset.name == phantoms.name
    assert subset.groups == {id: phantoms.groups[id] for id in ids}
    assert subset.read(ids[0]).id == ids[0]


def test_other_cases_give_another_digest(phantoms):
    digests = {Subset(phantoms, phantoms.ids[:count]).digest for count in (1, 2, 3)}
    assert len({*digests, phantoms.digest}) == 4


def test_what_was_not_chosen_cannot_be_read(phantoms):
    with pytest.raises(UserError, match="among the 1 chosen"):
        Subset(phantoms, phantoms.ids[:1]).read(phantoms.ids[1])


@pytest.mark.parametrize(("ids", "words"), [((), "no cases"), (("nothing",), "lacks 1 of 1 cases, first 'nothing'")])
def test_impossible_choices_are_refused(phantoms, ids, words):
    with pytest.raises(UserError, match=words):
        Subset(phantoms, ids)
