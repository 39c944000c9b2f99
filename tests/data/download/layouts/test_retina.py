from __future__ import annotations

import gzip

import numpy as np
import pytest

from llmseg.data.download.layouts import retina
from llmseg.data.download.layouts.finders import find_cases
from llmseg.errors import UserError


def paths(dataset_files):
    return {item.key: item.files[1].path for item in dataset_files.case_files}


class TestCombined:
    def test_pairs_of_one_stem_in_each_part(self, download, in_memory, read):
        dataset_files = retina.find_combined(in_memory(download("retina")))
        assert {item.key: item.part for item in dataset_files.case_files} == {
            "04_h_HRF.jpg": "training",
            "11_g_HRF.jpg": "training",
            "35_DRIVE.jpg": "training",
            "13_dr_HRF.jpg": "test",
            "33_DRIVE.jpg": "test",
        }
        assert paths(dataset_files)["33_DRIVE.jpg"] == "Test/Masks/33_DRIVE.tif"
        assert dataset_files.unpaired == (), "what is unlabelled on purpose is not alone"
        assert set(read(dataset_files)) == set(paths(dataset_files))

    @pytest.mark.parametrize("name", ["Unlabeled_test", "unlabelled_test"])
    def test_unlabelled_files_are_passed_over_even_beside_masks(self, download, in_memory, png, half, name):
        files = download("retina")
        files[f"{name}/images/99_DRIVE.png"] = files[f"{name}/masks/99_DRIVE.png"] = png(half)
        assert "99_DRIVE.png" not in paths(retina.find_combined(in_memory(files)))

    def test_one_name_in_both_parts(self, download, in_memory, read):
        files = download("retina")
        files["Test/images/04_h_HRF.jpg"] = files["Test/images/13_dr_HRF.jpg"]
        files["Test/masks/04_h_HRF.tif"] = files["Test/Masks/13_dr_HRF.tif"]
        cases = read(retina.find_combined(in_memory(files)))
        assert {"training/04_h_HRF.jpg", "test/04_h_HRF.jpg"} <= set(cases)
        np.testing.assert_array_equal(cases["test/04_h_HRF.jpg"].mask, cases["test/13_dr_HRF.jpg"].mask)


class TestDrive:
    def test_labels_are_the_first_manual(self, download, in_memory, read):
        dataset_files = retina.find_drive(in_memory(download("drive")))
        assert paths(dataset_files) == {f"{n}_training.tif": f"training/1st_manual/{n}_manual1.gif" for n in (21, 22)}
        assert {item.part for item in dataset_files.case_files} == {"training"}
        assert dataset_files.unpaired == ("test/images/01_test.tif",)
        assert all(set(np.unique(case.mask)) == {0, 255} for case in read(dataset_files).values())

    def test_older_copies_have_labels_of_the_test_part(self, download, in_memory):
        files = download("drive")
        files["test/1st_manual/01_manual1.gif"] = files["training/1st_manual/21_manual1.gif"]
        files["test/2nd_manual/01_manual2.gif"] = files["training/1st_manual/22_manual1.gif"]
        dataset_files = retina.find_drive(in_memory(files))
        assert paths(dataset_files)["01_test.tif"] == "test/1st_manual/01_manual1.gif"
        assert [item.part for item in dataset_files.case_files] == ["test", "training", "training"]
        assert dataset_files.unpaired == ()


class TestStare:
    @pytest.fixture
    def files(self, in_memory, png, half):
        files = {
            f"stare-images/im000{n}.ppm.gz": gzip.compress(png(np.zeros((6, 8, 3), np.uint8), "PPM")) for n in (1, 2)
        }
        files["labels-ah/im0001.ah.ppm.gz"] = gzip.compress(png(half, "PPM"))
        for n in (1, 2):
            files[f"labels-vk/im000{n}.vk.ppm.gz"] = gzip.compress(png(255 - half, "PPM"))
        return files

    def test_the_second_observer_only_where_the_first_is_missing(self, files, in_memory, read, half):
        dataset_files = retina.find_stare(in_memory(files))
        cases = read(dataset_files)
        np.testing.assert_array_equal(cases["im0001.ppm.gz"].mask, half)
        np.testing.assert_array_equal(cases["im0002.ppm.gz"].mask, 255 - half)
        assert (len(cases), dataset_files.unpaired) == (2, ())

    def test_a_file_that_is_not_compressed_after_all(self, files, in_memory, read, half, png):
        files["labels-ah/im0001.ah.ppm.gz"] = png(half, "PPM")
        np.testing.assert_array_equal(read(retina.find_stare(in_memory(files)))["im0001.ppm.gz"].mask, half)

    def test_a_damaged_file_is_named(self, files, in_memory, read):
        files["labels-ah/im0001.ah.ppm.gz"] = files["labels-ah/im0001.ah.ppm.gz"][:-12]
        with pytest.raises(UserError, match=r"^labels-ah/im0001\.ah\.ppm\.gz is cut off"):
            read(retina.find_stare(in_memory(files)))


class TestChase:
    def test_the_first_observer_and_both_eyes_of_a_child(self, download, in_memory):
        files = download("chase_db1")
        dataset_files = retina.find_chase(in_memory(files))
        assert paths(dataset_files) == {
            f"Image_{eye}.jpg": f"CHASEDB1/Image_{eye}_1stHO.png" for eye in ("01L", "01R", "02L")
        }
        assert [item.group for item in dataset_files.case_files] == ["child 01", "child 01", "child 02"]
        assert dataset_files.unpaired == ()

    def test_the_second_observer_where_the_first_is_missing(self, download, in_memory):
        files = download("chase_db1")
        del files["CHASEDB1/Image_01R_1stHO.png"]
        assert paths(retina.find_chase(in_memory(files)))["Image_01R.jpg"] == "CHASEDB1/Image_01R_2ndHO.png"


class TestHrf:
    def test_manual_labels_and_not_the_field_of_view(self, download, in_memory, read):
        dataset_files = retina.find_hrf(in_memory(download("hrf")))
        assert paths(dataset_files) == {
            "01_dr.JPG": "manual1/01_dr.tif",
            "01_g.jpg": "manual1/01_g.tif",
            "01_h.jpg": "manual1/01_h.tif",
        }
        assert dataset_files.unpaired == ()
        assert len(read(dataset_files)) == 3

    def test_archives_by_group(self, download, in_memory, read):
        whole, files = download("hrf"), {}
        for group, stem in (("healthy", "01_h"), ("glaucoma", "01_g"), ("diabetic_retinopathy", "01_dr")):
            image = next(content for path, content in whole.items() if path.startswith(f"images/{stem}."))
            files[f"{group}/{stem}.jpg"] = image
            files[f"{group}_manualsegm/{stem}.tif"] = whole[f"manual1/{stem}.tif"]
            files[f"{group}_fovmask/{stem}_mask.tif"] = whole[f"mask/{stem}_mask.tif"]
        grouped, plain = (read(retina.find_hrf(in_memory(tree))) for tree in (files, whole))
        assert {id.lower() for id in grouped} == {id.lower() for id in plain}
        for id in ("01_g.jpg", "01_h.jpg"):
            np.testing.assert_array_equal(grouped[id].mask, plain[id].mask)


@pytest.mark.parametrize("id", ["drive", "hrf"])
@pytest.mark.parametrize("suffix", ["", "_mask"])
def test_the_field_of_view_is_never_taken_for_vessels(id, suffix, in_memory, png, half):
    stem = {"drive": "01_test", "hrf": "01_h"}[id]
    files = in_memory({f"test/images/{stem}.tif": png(half), f"test/mask/{stem}{suffix}.gif": png(half)})
    with pytest.raises(UserError, match=rf"no case of {id} among 2 files"):
        find_cases(id, files)


def test_the_field_of_view_beside_other_names_is_not_taken_either(download, in_memory):
    with pytest.raises(UserError, match="no case of folder"):
        find_cases("folder", in_memory(download("drive")))
    dataset_files = find_cases("folder", in_memory(download("hrf")))
    assert set(paths(dataset_files).values()) == {f"manual1/01_{group}.tif" for group in ("dr", "g", "h")}
    assert dataset_files.unpaired == ()
