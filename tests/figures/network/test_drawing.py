"""The drawing of a network as a whole: of every pipeline, of changed recipes, and of networks from elsewhere."""

from __future__ import annotations

import itertools
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import torch

from llmseg import UserError, zoo
from llmseg.figures import draw_network, save
from llmseg.figures.network.oddities import find_oddities
from llmseg.figures.network.placing import Sheet, place
from llmseg.figures.network.planning import plan_network
from llmseg.figures.network.shapes import DISC, Arrow, Box, Disc, Label, Shape, text_width
from llmseg.figures.network.trace import trace
from llmseg.recipe import Recipe


def sheet_of(recipe: Recipe) -> Sheet:
    size = getattr(recipe.images, "size", None) or (256, 256)
    plan = plan_network(trace(recipe.net, recipe.images.channels, size))
    return place(plan, find_oddities(recipe, plan), "a title", recipe.net.output, "")


def texts(recipe: Recipe) -> list[str]:
    shapes = sheet_of(recipe).shapes
    lines = [shape.lines for shape in shapes if isinstance(shape, Box)]
    return [*(line for each in lines for line in each), *(shape.text for shape in shapes if isinstance(shape, Label))]


def edges(shape: Shape) -> tuple[float, float, float, float]:
    if isinstance(shape, Box):
        return shape.left, shape.top, shape.right, shape.bottom
    x, y = shape.at
    if isinstance(shape, Disc):
        return x - DISC, y - DISC, x + DISC, y + DISC
    width = text_width(shape.text, shape.size, shape.bold)
    left = x - {"left": 0, "center": width / 2, "right": width}[shape.align]
    return left, y - 0.04, left + width, y + 0.04


def overlap(one: Shape, other: Shape) -> bool:
    if {type(one), type(other)} == {Box, Disc}:
        return False  # a disc stands on the edge of the box it marks
    a, b = edges(one), edges(other)
    return min(a[2], b[2]) - max(a[0], b[0]) > 1e-3 and min(a[3], b[3]) - max(a[1], b[1]) > 1e-3


def check_nothing_overlaps(sheet: Sheet) -> None:
    shapes = [shape for shape in sheet.shapes if not isinstance(shape, Arrow)]
    assert [pair for pair in itertools.combinations(shapes, 2) if overlap(*pair)] == []
    for shape in shapes:
        left, top, right, bottom = edges(shape)
        assert left >= 0, shape
        assert top >= 0, shape
        assert right <= sheet.width, shape
        assert bottom <= sheet.height, shape
        if isinstance(shape, Box):
            assert text_width(shape.lines[0], bold=True) < shape.width


CHANGES = {
    "a huge bottleneck": ("gpt-4o", "net.bottleneck=10000", "net.dropout=0.25", "net.mismatch=resize-nearest"),
    "pooled and not pooled": ("gpt-4o", "net.skip_from=pooling", "net.pool_last=false", "net.mismatch=resize"),
    "odd sides": ("gpt-o4-mini-high@run-01", "images.size=250,190"),
    "all that was missing": ("bing-copilot", "net.head=true", "net.skips=add", "net.norm=batch"),
    "colours": ("gemini-1.5-flash", "images.colour=rgb", "net.size=96,160"),
    "a narrow end": ("gpt-4o@tensorflow", "net.up=nearest-2x2", "net.narrow=2"),
}


def changed(name: str, *changes: str) -> Recipe:
    recipe = zoo.get(name).recipe
    for change in changes:
        recipe = recipe.change_text(change)
    return recipe


@pytest.mark.slow
class TestNothingOverlaps:
    @pytest.mark.parametrize("name", zoo.all_names())
    def test_in_any_pipeline(self, name):
        check_nothing_overlaps(sheet_of(zoo.get(name).recipe))

    @pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
    def test_in_changed_recipes(self, changes):
        check_nothing_overlaps(sheet_of(changed(*changes)))

    @pytest.mark.parametrize("stages", [1, 2, 7])
    def test_however_deep_it_is(self, stages):
        recipe = zoo.get("deepseek-v3").recipe
        net = replace(recipe.net, encoder=(1024,) * stages, decoder=(1024,) * stages)
        check_nothing_overlaps(sheet_of(replace(recipe, net=net)))

    @pytest.mark.parametrize("name", ["plain", "two-us", "attention", "cropped", "looking", "weighted"])
    def test_in_networks_from_elsewhere(self, name, foreign):
        check_nothing_overlaps(sheet_of(foreign(name)))

    @pytest.mark.parametrize("encoder", ["efficientnet_b0", "resnet50", "mobilenetv3_large_100", "densenet121"])
    def test_with_other_encoders(self, encoder):
        check_nothing_overlaps(sheet_of(changed("timm-resnet34-unet", f"net.encoder={encoder}")))


@pytest.mark.slow
class TestWhatIsWritten:
    def test_stages_of_a_u_net(self):
        shown = texts(zoo.get("gpt-o3").recipe)
        widths = zoo.get("gpt-o3").recipe.net
        for inside, out in itertools.pairwise((1, *widths.encoder, widths.bottleneck)):
            assert f"{inside} → {out}, {out}" in shown
        for out in widths.decoder:
            assert f"{out} + {out} → {out}, {out}" in shown
        assert {"3x3 convolution, batch norm, ReLU", "2x2 max pooling", "2x2 transposed convolution"} <= set(shown)
        assert {"output: logits", "1x1 convolution"} <= set(shown)

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ("net.up=bilinear", "bilinear enlargement"),
            ("net.norm=none", "3x3 convolution, ReLU"),
            ("net.dropout=0.25", "16 x 16, dropout 0.25"),
            ("net.output=probability", "1x1 convolution, sigmoid"),
            ("images.size=96,128", "96 x 128"),
            ("net.concat=up-first", "a skip is concatenated, the skip last"),
            ("net.concat=skip-first", "a skip is concatenated, the skip first"),
        ],
    )
    def test_what_is_changed(self, change, word):
        assert word in texts(changed("gpt-o3", change))

    def test_images_that_keep_their_size(self, foreign):
        recipe = zoo.get("gpt-o3").recipe.change("images.size", None)
        shown = {text.get_text() for text in draw_network(recipe).axes[0].texts}
        assert "7,762,465 parameters; images keep the size of their files" in shown
        shown = {text.get_text() for text in draw_network(recipe, size=(32, 48)).axes[0].texts}
        assert {"7,762,465 parameters", "1 x 32 x 48"} <= shown

    def test_the_title_is_cut_where_it_is_too_long(self):
        sheet = place(plan_network(trace(zoo.TEXTBOOK.net, 1, (64, 64))), (), "x" * 500, "", "")
        title = sheet.shapes[0]
        assert isinstance(title, Label)
        assert title.text.endswith("x...")


class TestWhatIsRefused:
    def test_an_image_that_the_network_does_not_take(self, foreign):
        with pytest.raises(UserError, match="a map of 24x24 meets a skip of 25x25"):
            draw_network("gpt-o3", size=(100, 100))
        with pytest.raises(UserError, match=r"does not take an image of 64x64: .*; choose another images.size"):
            draw_network(foreign("too-large"))
        draw_network(foreign("too-large"), size=(256, 256))

    def test_what_is_no_tensor(self, foreign):
        with pytest.raises(UserError, match=r"what DrawnNet returns \(list\) is no tensor computed from the image"):
            draw_network(foreign("listing"))


class TestFiles:
    def test_text_stays_text_and_bytes_stay_the_same(self, tmp_path):
        paths = [save(draw_network("gpt-4o"), tmp_path / f"{n}.svg", keep_text=True) for n in (1, 2)]
        assert paths[0].read_bytes() == paths[1].read_bytes()
        words = [node.text for node in ElementTree.parse(paths[0]).iter("{http://www.w3.org/2000/svg}text")]
        assert {"gpt-4o", "512 → 1024, 1024", "cut to 128 x 128", "cropped-skips"} <= set(words)

    def test_random_numbers_are_left_alone(self, foreign):
        torch.manual_seed(5)
        expected = torch.rand(3)
        torch.manual_seed(5)
        draw_network("gpt-4")
        draw_network(foreign("looking"))
        assert torch.equal(torch.rand(3), expected)
