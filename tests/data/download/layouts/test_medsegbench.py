from __future__ import annotations

import functools
import io
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from llmseg.data.download.layouts import medsegbench
from llmseg.data.download.tree import File
from llmseg.errors import UserError


def array(values):
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


@pytest.fixture
def make(in_memory):
    """A function that gives the arrays of one file."""

    def make(images, labels, part="train", **others):
        return in_memory({f"x/{part}_images.npy": array(images), f"x/{part}_label.npy": array(labels), **others})

    return make


@pytest.mark.parametrize("shape", [(70, 4, 5), (70, 4, 5, 1), (70, 4, 5, 3)])
@pytest.mark.parametrize("label_shape", [(70, 4, 5), (70, 4, 5, 1)])
def test_cases_are_those_of_the_arrays(make, read, shape, label_shape):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, shape, dtype=np.uint8)
    labels = random.integers(0, 3, label_shape, dtype=np.uint8)
    cases = read(medsegbench.find(make(images, labels)))
    assert list(cases) == [f"train_{place:05d}.png" for place in range(70)]
    for place, case in enumerate(cases.values()):
        np.testing.assert_array_equal(case.image, images[place].squeeze())
        np.testing.assert_array_equal(case.mask, np.where(labels[place].squeeze(), 255, 0))


@pytest.mark.parametrize(("short", "part"), [("train", "training"), ("val", "validation"), ("test", "test")])
def test_parts(make, short, part):
    (item,) = medsegbench.find(make(np.zeros((2, 3, 4), np.uint8), np.zeros((2, 3, 4), np.uint8), short)).case_files
    assert (item.key, item.part, item.group) == (f"{short}_00000", part, "")


def test_what_stays_alone(make):
    values = np.zeros((2, 3, 4), np.uint8)
    files = make(values, values)
    assert medsegbench.find({"x/train_label.npy": files["x/train_label.npy"]}).unpaired == ("x/train_label.npy",)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        ((2, 3, 4), (1, 3, 4), r"x/train_label\.npy has the shape \(1, 3, 4\), x/train_images\.npy \(2, 3, 4\)"),
        ((2, 3, 4), (2, 4, 3), r"x/train_label\.npy has the shape \(2, 4, 3\)"),
        ((2, 3, 4, 2), (2, 3, 4), r"x/train_images\.npy holds uint8 of shape \(2, 3, 4, 2\)"),
        ((2, 3, 4), (2, 3, 4, 3), r"x/train_label\.npy has the shape \(2, 3, 4, 3\)"),
        ((3,), (3,), r"x/train_images\.npy holds uint8 of shape \(3,\)"),
    ],
)
def test_shapes_that_do_not_fit(make, images, labels, message):
    with pytest.raises(UserError, match=message):
        medsegbench.find(make(np.zeros(images, np.uint8), np.zeros(labels, np.uint8)))


@pytest.mark.parametrize("content", [b"", b"text", array(np.zeros((2, 3, 4), np.uint8))[:-5], array(np.array([{}]))])
def test_damaged_arrays_are_named(make, content):
    values = np.zeros((2, 3, 4), np.uint8)
    files = {**make(values, values)}
    files["x/train_label.npy"] = type(files["x/train_label.npy"])("x/train_label.npy", 0, lambda: content)
    with pytest.raises(UserError, match=r"^x/train_label\.npy (is no array or is damaged|holds object)"):
        medsegbench.find(files)


def test_other_numbers_than_bytes(make):
    with pytest.raises(UserError, match=r"x/train_images\.npy holds float32"):
        medsegbench.find(make(np.zeros((2, 3, 4), np.float32), np.zeros((2, 3, 4), np.uint8)))


def test_two_files_are_not_mixed(in_memory):
    content = array(np.zeros((2, 3, 4), np.uint8))
    files = in_memory({f"{name}/train_{kind}.npy": content for name in "xy" for kind in ("images", "label")})
    with pytest.raises(UserError, match=r"x/train_images\.npy and y/train_images\.npy are the same"):
        medsegbench.find(files)


def test_threads_load_an_array_once(make):
    values, reads = array(np.zeros((300, 3, 4), np.uint8)), []

    def slow(path):
        reads.append(path)
        time.sleep(0.02)
        return values

    files = {path: File(path, 0, functools.partial(slow, path)) for path in make(np.zeros(1), np.zeros(1))}
    case_files = medsegbench.find(files).case_files
    medsegbench._decode_array.cache_clear()
    reads.clear()
    with ThreadPoolExecutor(4) as pool:
        assert sum(map(len, pool.map(lambda item: item.read(), case_files))) == 300
    assert sorted(reads) == ["x/train_images.npy", "x/train_label.npy"]


def with_header(text, data=b"", version=1):
    header = text.encode().ljust(118) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(header).to_bytes(2 if version == 1 else 4, "little") + header + data


SHAPE = "{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }"


@pytest.mark.parametrize(
    "header",
    [
        SHAPE % "10000000, 1000, 1000",
        SHAPE % "30000, 1000, 1000",
        SHAPE % "1000000000000000000000000000000, 1, 1",
        SHAPE % "-5, 16, 16",
        SHAPE % "0, 16, 16",
        SHAPE % "'a', 16, 16",
        SHAPE.replace("|u1", "O") % "1, 2, 3",
        SHAPE.replace("|u1", "<U1000000000") % "1, 2, 3",
        "__import__('os').abort()",
        "(" * 9000,
        "[" * 9000 + "]" * 9000,
        "",
    ],
)
def test_a_header_that_claims_anything_ends_in_one_line_and_takes_no_memory(in_memory, header):
    labels = array(np.zeros((2, 3, 4), np.uint8))
    files = in_memory({"x/train_images.npy": with_header(header, bytes(24)), "x/train_label.npy": labels})
    tracemalloc.start()
    try:
        with pytest.raises(UserError, match=r"^x/train_images\.npy ") as refused:
            medsegbench.find(files)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("version", [1, 2])
def test_arrays_in_columns_and_in_the_second_format(in_memory, read, version):
    values = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    columns = with_header(SHAPE.replace("False", "True") % "2, 3, 4", values.tobytes(order="F"), version)
    cases = read(medsegbench.find(in_memory({"x/train_images.npy": columns, "x/train_label.npy": array(values)})))
    np.testing.assert_array_equal([case.image for case in cases.values()], values)
