"""Folders that a foreign command wrote to: nothing in them leads elsewhere, and nothing is decoded."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from llmseg.admission.sandbox import files
from llmseg.admission.sandbox.results import Results, sort_results


def take_back(folder: Path) -> list[str]:
    return [str(path) for path in files.take_back(folder, folder.stat())]


class TestLinks:
    @pytest.fixture
    def secret(self, tmp_path):
        path = tmp_path / "secret.png"
        path.write_text("secret")
        return path

    def test_links_that_lead_out_are_removed(self, work, secret):
        (work / "absolute").symlink_to(secret)
        (work / "relative").symlink_to("../secret.png")
        (work / "folder").symlink_to(secret.parent)
        (work / "nowhere").symlink_to("none")
        os.mkfifo(work / "pipe")
        assert take_back(work) == ["absolute", "folder", "nowhere", "pipe", "relative"]
        assert list(work.iterdir()) == []
        assert secret.read_text() == "secret"

    def test_a_link_to_a_file_of_the_folder_becomes_the_file(self, work):
        (work / "weights").mkdir()
        (work / "weights" / "epoch3.pth").write_text("weights")
        (work / "best.pth").symlink_to("weights/epoch3.pth")
        (work / "weights" / "last.pth").symlink_to("epoch3.pth")
        assert take_back(work) == []
        assert [(work / name).read_text() for name in ("best.pth", "weights/last.pth")] == ["weights"] * 2
        assert not any(path.is_symlink() for path in work.rglob("*"))

    def test_a_link_through_a_link_is_removed(self, work, secret):
        (work / "up").symlink_to("..")
        (work / "mask.png").symlink_to("up/secret.png")
        assert take_back(work) == ["mask.png", "up"]

    def test_what_it_may_not_read_is_readable_again(self, work):
        (work / "closed").mkdir()
        (work / "closed" / "mask.png").touch(mode=0o000)
        (work / "closed").chmod(0o000)
        (work / "suid").touch()
        (work / "suid").chmod(0o6777)
        assert take_back(work) == []
        assert (work / "closed").stat().st_mode & 0o700 == 0o700
        assert (work / "closed" / "mask.png").stat().st_mode & 0o600 == 0o600
        assert (work / "suid").stat().st_mode & 0o7000 == 0


class TestMeasuring:
    def test_what_links_lead_to_does_not_count(self, work, tmp_path):
        (tmp_path / "large.bin").write_bytes(bytes(2**20))
        (work / "link").symlink_to(tmp_path / "large.bin")
        (work / "folder").symlink_to(tmp_path)
        assert files.measure(work) == 2 * 4096

    def test_empty_files_count(self, work):
        for number in range(10):
            (work / str(number)).touch()
        assert files.measure(work) == 10 * 4096

    def test_files_without_content_do_not_take_what_they_claim(self, work):
        with (work / "sparse.bin").open("wb") as file:
            file.truncate(2**40)
        assert files.measure(work) < 2**20

    def test_too_deep_is_refused(self, work):
        inner = work
        for _ in range(files.DEEPEST + 1):
            inner = inner / "d"
            inner.mkdir()
        with pytest.raises(files.TooDeepError):
            files.measure(work)


def test_folders_that_lie_too_deep_are_removed(work):
    """Their path is longer than the system lets one name."""
    (work / "kept.csv").write_text("1")
    inner = os.open(work, os.O_RDONLY)
    for _ in range(70):
        os.mkdir("d" * 100, dir_fd=inner)
        outer, inner = inner, os.open("d" * 100, os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.close(inner)
    assert [len(Path(path).parts) for path in take_back(work)] == [files.DEEPEST]
    assert (work / "kept.csv").exists()
    assert files.measure(work) == 4096 * files.DEEPEST


def test_unreadable_files_are_found(work):
    (work / "masks").mkdir(mode=0o755)
    (work / "masks" / "a.png").touch(mode=0o644)
    assert files.find_unreadable(work) is None
    (work / "masks" / "a.png").chmod(0o600)
    assert files.find_unreadable(work) == work / "masks" / "a.png"
    (work / "masks").chmod(0o700)
    assert files.find_unreadable(work) == work / "masks"


class TestResults:
    def sort(self, work: Path) -> Results:
        return sort_results([(work, list(files.list_changed(work, {})), [PurePosixPath("link")])])

    def test_they_are_told_apart(self, work):
        mask, figure = np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.uint8)
        Image.fromarray(mask).save(work / "mask.png")
        Image.fromarray(mask).save(work / "mask.jpg")
        Image.fromarray(figure).save(work / "curves.png")
        np.save(work / "probabilities.npy", mask)
        (work / "best.PTH").write_text("weights")
        (work / "scores.csv").write_text("dice\n0.5\n")
        (work / "notes.txt").write_text("notes")
        (work / "empty.pth").touch()
        results = self.sort(work)
        assert [path.name for path in results.masks] == ["mask.jpg", "mask.png", "probabilities.npy"]
        assert [path.name for path in results.weights] == ["best.PTH"]
        assert [path.name for path in results.numbers] == ["scores.csv"]
        assert [path.name for path in results.others] == ["curves.png", "notes.txt"]
        assert [path.name for path in results.removed] == ["link"]
        assert str(results) == "weights, masks, numbers"

    def test_bombs_do_not_go_off(self, work):
        """A picture that claims 10^9 pixels, a zip of zeros, and a pickle that would run a command."""
        header = bytearray()
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(work / "small.png")
        header += (work / "small.png").read_bytes()
        header[16:24] = (32000).to_bytes(4, "big") * 2
        (work / "small.png").write_bytes(header)
        with zipfile.ZipFile(work / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("data.pkl", bytes(10**7))
        (work / "bomb.pkl").write_bytes(b"cos\nsystem\n(S'touch " + os.fsencode(work / "off") + b"'\ntR.")
        assert [path.name for path in self.sort(work).weights] == ["bomb.pkl", "bomb.pth"]
        assert not (work / "off").exists()

    def test_only_what_changed_counts(self, work):
        (work / "input.csv").write_text("a")
        (work / "changed.csv").write_text("a")
        before = files.list_states(work)
        (work / "changed.csv").write_text("ab")
        (work / "new.csv").write_text("a")
        assert sorted(map(str, files.list_changed(work, before))) == ["changed.csv", "new.csv"]
