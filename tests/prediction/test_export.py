from __future__ import annotations

import json
import re
import resource
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from llmseg import UserError, export_model, zoo
from llmseg.prediction import ExportSizes, choose_export_size, compare_export, read_export_sizes
from llmseg.prediction import export as exporting
from llmseg.prediction.export_formats import FORMATS as ALL_FORMATS

FORMATS = ("pt2", pytest.param("onnx", marks=pytest.mark.slow))


@pytest.fixture
def net(tiny_recipe):
    """A network whose probabilities differ from pixel to pixel."""
    torch.manual_seed(0)
    net = tiny_recipe.net.build(1).eval()
    with torch.no_grad():
        net.head.weight *= 20
    return net


def open_export(path):
    """The file as a program elsewhere would open it: a function of arrays, and the texts stored in it."""
    if path.suffix == ".pt2":
        about = {"recipe": "", "recipe_digest": "", "sizes": ""}
        module = torch.export.load(path, extra_files=about).module()
        return lambda images: module(torch.from_numpy(images)).detach().numpy(), about
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    about = session.get_modelmeta().custom_metadata_map
    return lambda images: session.run(["probability"], {"image": images})[0], about


@pytest.mark.parametrize("output", ["logits", "probability"])
@pytest.mark.parametrize("format", FORMATS)
def test_the_file_gives_probabilities_of_any_batch(format, output, net, tiny_recipe, tmp_path):
    recipe = tiny_recipe.change("net.output", output)
    net = net if output == "logits" else torch.nn.Sequential(net, torch.nn.Sigmoid())
    path = export_model(net, recipe, tmp_path / f"net.{format}")
    assert list(tmp_path.iterdir()) == [path]
    run, about = open_export(path)
    assert about["recipe"] == recipe.to_json()
    assert about["recipe_digest"] == recipe.digest
    random = np.random.default_rng(0)
    for count in (1, 2, 3, 8):
        images = random.random((count, 1, 32, 32), dtype=np.float32)
        with torch.no_grad():
            expected = net(torch.from_numpy(images))
        expected = (expected.sigmoid() if output == "logits" else expected).numpy()
        found = run(images)
        assert found.shape == (count, 1, 32, 32)
        assert found.dtype == np.float32
        assert expected.std() > 0.01
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.slow
def test_a_prepared_image_gives_what_predict_gives(net, tiny_recipe, tmp_path):
    from llmseg.prediction import predict_image

    run, _ = open_export(export_model(net, tiny_recipe, tmp_path / "net.onnx"))
    image = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    found = run(tiny_recipe.images.image(image)[None].numpy())[0, 0]
    np.testing.assert_allclose(found, predict_image(net, tiny_recipe, image), atol=1e-5)


@pytest.mark.parametrize("format", FORMATS)
def test_the_format_and_the_size_may_be_named(format, net, tiny_recipe, tmp_path):
    path = export_model(net, tiny_recipe, tmp_path / "net", format=format, size=(48, 16))
    path = path.rename(tmp_path / f"net.{format.upper()}")
    assert compare_export(net, tiny_recipe, path, size=(48, 16)) < 1e-5
    run, _ = open_export(path.rename(tmp_path / f"net.{format}"))
    assert run(np.zeros((5, 1, 48, 16), np.float32)).shape == (5, 1, 48, 16)


@pytest.mark.parametrize("format", FORMATS)
def test_the_file_names_no_place_of_this_machine(format, net, tiny_recipe, tmp_path):
    content = export_model(net, tiny_recipe, tmp_path / f"net.{format}").read_bytes()
    package = Path(exporting.__file__).parents[2]
    for place in (package, Path.cwd(), Path.home(), Path(sys.prefix), Path(torch.__file__).parent, tmp_path):
        assert bytes(place) not in content
    assert not re.findall(rb"/\w+/[\w./-]+\.py", content)


def test_network_and_random_numbers_stay_as_they_are(net, tiny_recipe, tmp_path):
    net = net.double().train()
    before, drawn = {name: value.clone() for name, value in net.state_dict().items()}, torch.get_rng_state()
    export_model(net, tiny_recipe, tmp_path / "net.pt2")
    assert net.training
    assert torch.equal(drawn, torch.get_rng_state())
    for name, value in net.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


@pytest.mark.slow
def test_the_difference_is_that_of_the_networks(net, tiny_recipe, tmp_path):
    path = export_model(net, tiny_recipe, tmp_path / "net.pt2")
    assert compare_export(net, tiny_recipe, path) < 1e-5
    with torch.no_grad():
        net.head.bias += 1
    assert 0.1 < compare_export(net, tiny_recipe, path) < 0.3


@pytest.mark.parametrize("wrong", [0.5, float("nan")])
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("earlier", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_file_that_disagrees_is_not_kept(earlier, format, wrong, net, tiny_recipe, tmp_path, monkeypatch):
    path = tmp_path / f"net.{format}"
    if earlier:
        path.write_text("kept: recipe_digest")
    right = ALL_FORMATS[path.suffix]

    def spoil(program, texts, path):
        with torch.no_grad():
            program.state_dict["0.head.bias"] += wrong  # what is written is not what is compared with
            right.write(program, texts, path)
            program.state_dict["0.head.bias"] -= wrong

    if np.isnan(wrong):
        monkeypatch.setattr(exporting, "_measure_difference", lambda *_: wrong)
    else:
        monkeypatch.setitem(ALL_FORMATS, path.suffix, replace(right, write=spoil))
    with pytest.raises(UserError, match=r"differ from the network's by (0\.\d+|nan), more than 0\.0001") as error:
        export_model(net, tiny_recipe, path)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == ([path] if earlier else [])
    assert not earlier or path.read_text() == "kept: recipe_digest"


@pytest.mark.parametrize("format", FORMATS)
def test_a_disk_that_takes_no_more_is_one_line(format, net, tiny_recipe, tmp_path):
    earlier = export_model(net, tiny_recipe, tmp_path / f"net.{format}").read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(UserError, match=rf"cannot write .*net\.{format}: .*; what was there before is kept$"):
            export_model(net, tiny_recipe, tmp_path / f"net.{format}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == [f"net.{format}"]
    assert (tmp_path / f"net.{format}").read_bytes() == earlier


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_named(package, net, tiny_recipe, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError) as error:
        export_model(net, tiny_recipe, tmp_path / "net.onnx")
    assert str(error.value) == f".onnx needs {package}: pip install llmseg[export], or export to .pt2"
    export_model(net, tiny_recipe, tmp_path / "new" / "net.pt2")


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("net.onx", {}, "no export format '.onx'; did you mean '.onnx'?; allowed: .pt2 and .onnx"),
        ("net.pt", {}, "no export format '.pt'; did you mean '.pt2'?"),
        ("net", {}, "no export format ''; allowed: .pt2 and .onnx"),
        ("net.onnx", {"format": "xml"}, "no export format '.xml'; allowed"),
        ("net.pt2", {"size": (0, 32)}, "size 0,32"),
        ("net.pt2", {"size": (30, 32)}, "choose images.size"),
    ],
)
def test_what_cannot_be_exported_leaves_nothing(name, options, words, net, tiny_recipe, tmp_path):
    with pytest.raises(UserError) as error:
        export_model(net, tiny_recipe, tmp_path / name, **options)
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_of_native_size_needs_a_size(net, tiny_recipe, tmp_path):
    recipe = tiny_recipe.change("images.size", None)
    with pytest.raises(UserError, match="keeps the native size of images; give the size"):
        export_model(net, recipe, tmp_path / "net.pt2")
    export_model(net, recipe, tmp_path / "net.pt2", size=(32, 48))
    assert choose_export_size(tiny_recipe) == (32, 32)
    assert choose_export_size(recipe, (32, 48)) == (32, 48)


def test_no_file_to_compare_with(net, tiny_recipe, tmp_path):
    with pytest.raises(UserError, match="export the model first"):
        compare_export(net, tiny_recipe, tmp_path / "net.pt2")


def open_and_run(path, *size):
    return open_export(path)[0](np.zeros((1, 1, *size), np.float32)).shape[2:]


class TestFreeSize:
    @pytest.mark.parametrize("sizes", [ExportSizes((64, 32)), ExportSizes((64, 32), multiple=4, least=8)])
    def test_sizes_are_read_as_written(self, sizes):
        assert ExportSizes.from_json(sizes.to_json()) == sizes
        assert sizes.further() == (((8, 12), (72, 36)) if sizes.multiple else ())

    @pytest.mark.parametrize("format", ["pt2", "onnx"])
    @pytest.mark.slow
    def test_the_file_gives_what_the_network_gives_at_every_allowed_size(self, format, net, tiny_recipe, tmp_path):
        path = export_model(net, tiny_recipe, tmp_path / f"net.{format}", free_size=True)
        sizes = read_export_sizes(path)
        assert sizes == ExportSizes((32, 32), multiple=4, least=8)
        assert str(sizes) == "any height and width that are multiples of 4, from 8"
        run, about = open_export(path)
        assert json.loads(about["sizes"]) == {"size": [32, 32], "multiple": 4, "least": 8}
        random = np.random.default_rng(0)
        for count, height, width in ((1, 8, 8), (3, 12, 100), (2, 64, 28), (1, 32, 32)):
            images = random.random((count, 1, height, width), dtype=np.float32)
            with torch.no_grad():
                expected = net(torch.from_numpy(images)).sigmoid().numpy()
            assert expected.std() > 0.01
            np.testing.assert_allclose(run(images), expected, atol=1e-5)
        assert compare_export(net, tiny_recipe, path, size=(48, 20)) < 1e-5

    @pytest.mark.slow
    def test_a_size_that_is_not_allowed_is_refused(self, net, tiny_recipe, tmp_path):
        path = export_model(net, tiny_recipe, tmp_path / "net.pt2", free_size=True)
        with pytest.raises(AssertionError):
            open_and_run(path, 32, 30)
        with pytest.raises(AssertionError):
            open_and_run(path, 4, 32)

    @pytest.mark.slow
    def test_without_it_the_file_takes_one_size(self, net, tiny_recipe, tmp_path):
        path = export_model(net, tiny_recipe, tmp_path / "net.pt2")
        assert read_export_sizes(path) == ExportSizes((32, 32))
        assert str(read_export_sizes(path)) == "32 x 32"
        with pytest.raises(AssertionError):
            open_and_run(path, 32, 64)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({"mismatch": "pad"}, ExportSizes((32, 32), multiple=1, least=8)),
            ({"mismatch": "resize"}, ExportSizes((32, 32), multiple=1, least=8)),
            ({"mismatch": "crop", "pool_bottleneck": True}, ExportSizes((32, 32), multiple=2, least=16)),
        ],
    )
    def test_how_maps_meet_decides_which_sizes_are_allowed(self, changes, expected, tiny_recipe, tmp_path):
        recipe = tiny_recipe
        for name, value in changes.items():
            recipe = recipe.change(f"net.{name}", value)
        net = recipe.net.build(1).eval()
        path = export_model(net, recipe, tmp_path / "net.pt2", free_size=True)
        assert read_export_sizes(path) == expected
        run, _ = open_export(path)
        height, width = 3 * expected.multiple * 8, 5 * expected.least + expected.multiple
        images = torch.rand(2, 1, height, width)
        with torch.no_grad():
            np.testing.assert_allclose(run(images.numpy()), net(images).sigmoid().numpy(), atol=1e-5)

    @pytest.mark.slow
    def test_a_network_of_one_size_is_written_for_it_and_a_note_says_why(self, net, tiny_recipe, tmp_path, caplog):
        class Square(torch.nn.Module):
            """Its output has one size, whatever comes in, as Gemini 1.5 Flash's has."""

            def forward(self, x):
                return torch.nn.functional.interpolate(x, size=(16, 16))

        class Flat(torch.nn.Module):
            """Its last layer has a weight per pixel."""

            def __init__(self):
                super().__init__()
                self.last = torch.nn.Linear(32 * 32, 32 * 32)

            def forward(self, x):
                return self.last(x.flatten(1)).reshape(x.shape)

        class Counting(torch.nn.Module):
            """What it does depends on the size in a way that no exporter can follow."""

            def forward(self, x):
                return x * (1 if str(int(x.shape[-1]))[0] == "3" else 2)

        for odd, why in (
            (Square(), "the network gives 16 x 16 pixels for images of any size"),
            (Flat(), "the network takes no other size"),
            (Counting(), "torch.export cannot trace the network for other sizes"),
        ):
            caplog.clear()
            with caplog.at_level("INFO", logger="llmseg"):
                path = export_model(odd, tiny_recipe, tmp_path / "net.pt2", free_size=True)
            assert caplog.messages == [f"note: net.pt2 takes images of 32 x 32 only, because {why}"]
            assert read_export_sizes(path) == ExportSizes((32, 32))

    @pytest.mark.slow
    def test_a_recipe_of_native_size_needs_no_size(self, net, tiny_recipe, tmp_path):
        recipe = tiny_recipe.change("images.size", None)
        path = export_model(net, recipe, tmp_path / "net.pt2", free_size=True)
        assert read_export_sizes(path) == ExportSizes((256, 256), multiple=4, least=8)
        assert compare_export(net, recipe, path) < 1e-5
        assert open_and_run(path, 20, 36) == (20, 36)

    @pytest.mark.slow
    def test_a_file_of_an_earlier_version_takes_one_size(self, net, tiny_recipe, tmp_path):
        path = export_model(net, tiny_recipe, tmp_path / "net.pt2")
        program = torch.export.load(path)
        torch.export.save(program, path, extra_files={"recipe": tiny_recipe.to_json(), "recipe_digest": "x"})
        assert read_export_sizes(path) is None
        assert compare_export(net, tiny_recipe, path) < 1e-5


class TestCommand:
    @pytest.fixture
    def model(self, tmp_path):
        """A pipeline's id and weights, as arguments."""
        pipeline, path = zoo.get("llama-3.1-405b"), tmp_path / "weights.pth"
        torch.save(pipeline.to_original(pipeline.build(1).state_dict()), path)
        return pipeline.id, "--weights", path

    @pytest.mark.slow
    def test_text_and_json(self, call, model, tmp_path):
        path = tmp_path / "net.onnx"
        arguments = ("export", *model, "--out", path, "--size", "64,96")
        code, out, _ = call(*arguments)
        assert code == 0
        assert f"{path} (2.2 MB) for images of 64 x 96; largest difference " in out
        code, out, _ = call(*arguments, "--json")
        shown = json.loads(out)
        assert code == 0
        assert shown["difference"] < 1e-5
        assert {**shown, "difference": 0} == {
            "path": str(path), "size": [64, 96], "multiple": None, "least": None, "bytes": path.stat().st_size,
            "difference": 0,
        }  # fmt: skip

    @pytest.mark.slow
    def test_free_size(self, call, model, tmp_path):
        path = tmp_path / "net.pt2"
        code, out, _ = call("export", *model, "--out", path, "--size", "64,96", "--free-size")
        assert code == 0
        assert " for images of any height and width, from 32; largest difference " in out
        code, out, _ = call("export", *model, "--out", path, "--size", "64,96", "--free-size", "--json")
        shown = json.loads(out)
        assert (shown["size"], shown["multiple"], shown["least"]) == ([64, 96], 1, 32)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (("--out", "net.onxx"), "did you mean '.onnx'?"),
            (("--out", "net.pt2", "--size", "64"), "--size 64 is not height and width; write it as 256,256"),
        ],
    )
    def test_a_mistake_is_one_line(self, call, model, tmp_path, monkeypatch, options, words):
        monkeypatch.chdir(tmp_path)
        code, out, err = call("export", *model, *options)
        assert (code, out) == (2, "")
        assert err.startswith("llmseg: ")
        assert err.count("\n") == 1
        assert words in err
        assert [path.name for path in tmp_path.iterdir()] == ["weights.pth"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("id", "multiple", "least"),
    [
        ("gpt-4", 8, 16),
        ("gpt-4o", 2, 64),
        ("gemini-1.5-pro", 1, 32),
        ("bing-copilot", 1, 32),
        ("github-copilot", 16, 32),
        ("llama-3.1-405b", 1, 32),
    ],
)
def test_every_kind_of_network_can_be_exported(id, multiple, least, tmp_path):
    recipe = zoo.get(id).recipe
    torch.manual_seed(0)
    net = recipe.net.build(recipe.images.channels)
    path = export_model(net, recipe, tmp_path / "net.pt2", size=(64, 64))
    assert compare_export(net, recipe, path, size=(64, 64)) < 1e-5
    path = export_model(net, recipe, tmp_path / "free.pt2", size=(64, 64), free_size=True)
    assert read_export_sizes(path) == ExportSizes((64, 64), multiple, least)


def test_a_file_that_was_not_exported_here_is_kept(net, tiny_recipe, tmp_path):
    path = tmp_path / "net.pt2"
    path.write_text("years of work")
    with pytest.raises(UserError, match=r"net\.pt2 was not exported by llmseg; move it away, or choose another --out"):
        export_model(net, tiny_recipe, path)
    assert path.read_text() == "years of work"
    path.unlink()
    export_model(net, tiny_recipe, path)
    export_model(net, tiny_recipe, path)
    assert [file.name for file in tmp_path.iterdir()] == ["net.pt2"]
