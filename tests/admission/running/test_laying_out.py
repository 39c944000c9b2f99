from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from llmseg import UserError
from llmseg.admission.running import Layout
from llmseg.admission.running.files import copy_files
from llmseg.admission.running.laying_out import lay_out


class TestLayOut:
    @pytest.fixture
    def cases(self, tmp_path):
        for kind, name in (("images", "1.png"), ("masks", "1_seg.png")):
            (tmp_path / "cases" / kind).mkdir(parents=True)
            Image.fromarray(np.full((4, 6), 9, np.uint8)).save(tmp_path / "cases" / kind / name)
        (tmp_path / "copies").mkdir()
        return tmp_path / "cases"

    def test_what_has_its_names_is_not_copied(self, cases, tmp_path):
        folders = lay_out(cases, Layout(), tmp_path / "copies")
        assert folders == {("images", ""): cases / "images", ("masks", ""): cases / "masks"}

    def test_other_names(self, cases, tmp_path):
        folders = lay_out(cases, Layout(".tif", "_mask", ".png"), tmp_path / "copies")
        assert [path.name for path in folders["images", ""].iterdir()] == ["1.tif"]
        assert [path.name for path in folders["masks", ""].iterdir()] == ["1_mask.png"]
        with Image.open(folders["images", ""] / "1.tif") as image:
            assert (image.format, image.size, image.getpixel((0, 0))) == ("TIFF", (6, 4), 9)

    @pytest.mark.parametrize("kept", [0, 8, 45])
    def test_a_damaged_file_stays_damaged(self, cases, tmp_path, kept):
        source = cases / "images" / "1.png"
        source.write_bytes(source.read_bytes()[:kept])
        folders = lay_out(cases, Layout(".jpg"), tmp_path / "copies")
        assert (folders["images", ""] / "1.jpg").read_bytes() == source.read_bytes()

    def test_a_mask_without_its_image(self, cases, tmp_path):
        (cases / "masks" / "1_seg.png").rename(cases / "masks" / "1.png")
        with pytest.raises(UserError, match=r"masks are named after their images, such as masks/001_seg\.png"):
            lay_out(cases, Layout(), tmp_path / "copies")

    def test_a_folder_without_cases(self, tmp_path):
        with pytest.raises(UserError, match="holds images/ and masks/"):
            lay_out(tmp_path, Layout(), tmp_path)

    def test_each_case_is_in_one_part(self, cases, tmp_path):
        for number in range(2, 11):
            for kind, ending in (("images", ""), ("masks", "_seg")):
                source = cases / kind / f"1{ending}.png"
                (cases / kind / f"{number}{ending}.png").write_bytes(source.read_bytes())
        layout = Layout(mask_suffix="_m", parts=("training", "test"), first_number=0, digits=1)
        folders = lay_out(cases, layout, tmp_path / "copies")
        names = {pair: sorted(path.name for path in folder.iterdir()) for pair, folder in folders.items()}
        assert names["images", "training"] == [f"{number}.png" for number in range(8)]
        assert names["masks", "training"] == [f"{number}_m.png" for number in range(8)]
        assert (names["images", "test"], names["masks", "test"]) == (["0.png", "1.png"], ["0_m.png", "1_m.png"])
        assert len(names["images", ""]) == 10


def test_pictures_stay_behind_where_cases_are_shown(tmp_path):
    for name in ("main.py", "logo.png", "data/train/1.png", "data/train/notes.txt", "data/more/1.png"):
        (tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / name).write_text("x", encoding="utf-8")
    target = tmp_path / "to"
    copy_files(tmp_path / "from", target, {}, [(target / "data/train").relative_to(target)])
    copied = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file())
    assert copied == ["data/more/1.png", "data/train/notes.txt", "logo.png", "main.py"]
