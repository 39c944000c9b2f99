from __future__ import annotations

import pytest

from llmseg.files.places import hide_places, is_place, name_only


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("/home/ada/skin.h5", ".../skin.h5"),
        ("/home/ada/my images", ".../my images"),
        ("--data=/home/ada/skin.h5", "--data=.../skin.h5"),
        ("../ada/skin.h5", ".../skin.h5"),
        ("~/skin.h5", ".../skin.h5"),
        (r"C:\Users\ada\skin.h5", ".../skin.h5"),
        (r"\\server\ada\skin.h5", ".../skin.h5"),
        ("a,/home/ada/b,/home/ada/c", "a,.../b,.../c"),
        ("cannot read '/home/ada/x.png': no rights (/etc/y)", "cannot read '.../x.png': no rights (.../y)"),
    ],
)
def test_places_are_hidden_and_names_stay(text, hidden):
    assert hide_places(text) == hidden


@pytest.mark.parametrize(
    "text", ["runs/gpt-4", "images.size=32,32", r"(p\d+)/.*", "fit.rate=1e-3", "3/4", "and/or", "a: b", "", "-q", "."]
)
def test_what_is_no_place_stays(text):
    assert hide_places(text) == text
    assert not is_place(text)


def test_names_of_other_systems():
    assert name_only(r"D:\ada\b.png") == name_only("/ada/b.png") == name_only("b.png") == "b.png"
