"""What can be run, and what is refused before anything runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from llmseg.admission import Command, Limits, Place, python_places
from llmseg.errors import UserError


class TestPlaces:
    def test_it_is_seen_where_it_is_or_where_the_script_expects_it(self, tmp_path):
        assert Place(tmp_path).seen_at == tmp_path
        assert not Place(tmp_path).is_moved
        assert Place(tmp_path, Path("/content/data")).is_moved

    @pytest.mark.parametrize("inside", ["data", "/data/../etc", "/", "/usr/data", "/etc", "/proc/1", "/dev/shm"])
    def test_it_is_not_put_where_it_cannot_be(self, tmp_path, inside):
        with pytest.raises(UserError, match=inside.replace("/", "/")):
            Place(tmp_path, Path(inside))

    def test_it_has_to_be_there(self, tmp_path):
        with pytest.raises(UserError, match="there is no such"):
            Place(tmp_path / "none")

    def test_only_folders_are_writable(self, tmp_path):
        file = tmp_path / "a.txt"
        file.touch()
        with pytest.raises(UserError, match="only let a folder"):
            Place(file, writable=True)

    def test_python_is_among_its_own(self):
        folders = [place.outside for place in python_places()]
        assert all(Path(path).is_relative_to("/usr") or Path(path) in folders for path in (sys.prefix, sys.base_prefix))

    def test_packages_that_are_added_from_elsewhere(self, tmp_path, monkeypatch):
        packages, others = tmp_path / "other" / "site-packages", tmp_path / "code"
        for folder in (packages, others):
            folder.mkdir(parents=True)
        gone = tmp_path / "gone" / "site-packages"
        monkeypatch.setattr(sys, "path", [*sys.path, str(packages), str(others), str(gone)])
        shown = [place.outside for place in python_places()]
        assert packages in shown
        assert others not in shown

    def test_packages_of_its_own_are_shown_once(self):
        shown = [place.outside for place in python_places()]
        assert not any(one != other and one.is_relative_to(other) for one in shown for other in shown)


class TestHidden:
    """What is hidden is found in every place that would show it."""

    @pytest.fixture
    def data(self, tmp_path):
        (tmp_path / "data" / "masks").mkdir(parents=True)
        (tmp_path / "data" / "masks" / "a.png").touch()
        return tmp_path / "data"

    def find(self, *places: Place, hidden: Path) -> list[str]:
        command = Command(("true",), places[0].seen_at, places, (hidden,))
        return [str(inside) for _, inside in command.find_hidden()]

    def test_where_the_script_sees_it(self, data):
        place = Place(data, Path("/content/data"))
        assert self.find(place, hidden=data / "masks" / "a.png") == ["/content/data/masks/a.png"]
        assert self.find(place, hidden=data / "masks") == ["/content/data/masks"]

    def test_in_several_places(self, data):
        places = (Place(data, Path("/a")), Place(data / "masks", Path("/b")))
        assert self.find(*places, hidden=data / "masks" / "a.png") == ["/a/masks/a.png", "/b/a.png"]

    def test_by_what_links_lead_to(self, data, tmp_path):
        (tmp_path / "link").symlink_to(data)
        place = Place(tmp_path / "link", Path("/a"))
        assert self.find(place, hidden=data / "masks" / "a.png") == ["/a/masks/a.png"]
        assert self.find(Place(data, Path("/a")), hidden=tmp_path / "link" / "masks") == ["/a/masks"]

    def test_a_place_inside_of_what_is_hidden(self, data):
        assert self.find(Place(data / "masks", Path("/a")), hidden=data) == ["/a"]

    def test_not_elsewhere(self, data, tmp_path):
        assert self.find(Place(data, Path("/a")), hidden=tmp_path / "other") == []


def test_limits_are_above_0():
    with pytest.raises(UserError, match="processes 0: give a limit above 0, such as 1024"):
        Limits(processes=0)
    assert Limits(processes=1024) == Limits()


def test_a_command_has_arguments_and_runs_where_it_can_see(tmp_path):
    with pytest.raises(UserError, match="nothing to run"):
        Command((), tmp_path, (Place(tmp_path),))
    with pytest.raises(UserError, match="add it as a place"):
        Command(("true",), Path("/elsewhere"), (Place(tmp_path),))
    with pytest.raises(UserError, match="two places would be seen there"):
        Command(("true",), tmp_path, (Place(tmp_path), Place(tmp_path.parent, tmp_path)))
    assert Command(("true",), tmp_path / "scripts", (Place(tmp_path),)).writable == ()
