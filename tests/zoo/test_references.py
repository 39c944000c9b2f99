"""The references: networks are those of their libraries, recipes have no quirk, and all of it trains."""

from __future__ import annotations

import dataclasses
import logging
import sys

import pytest
import torch
from monai.networks import nets as monai
from torch import nn

from llmseg import export_model, train, zoo
from llmseg.errors import UserError
from llmseg.prediction import compare_export
from llmseg.recipe.nets.references import PlainConvUNet
from llmseg.recipe.recipe import Recipe

IDS = zoo.names(reference=True)
SMALL = {
    "monai-basic-unet": ("net.features", (4, 4, 8, 8, 8, 4)),
    "monai-dynunet": ("net.filters", (4, 8, 8)),
    "nnunet-plain-unet": ("net.features", (4, 8, 8)),
    "timm-resnet34-unet": ("net.encoder", "test_resnet"),
}


def small(id: str) -> Recipe:
    """The recipe with a network that trains in a second."""
    recipe = zoo.get(id).recipe.change(*SMALL[id]).change("images.size", (64, 64))
    if id.startswith("timm"):
        recipe = recipe.change("net.decoder", (8, 8, 4, 4, 4))
    return recipe.change("fit.epochs", 1)


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def test_names():
    for id in IDS:
        assert id not in zoo.names()
        assert id not in zoo.all_names(reference=False)
        assert id in zoo.names(reference=None)
        assert zoo.get(id.upper().replace("-", "_")).id == id
    assert zoo.names(reference=None) == (*zoo.names(), *IDS)
    assert zoo.names(cohort=2024, reference=True) == ()


def test_cards():
    for id in IDS:
        card = zoo.get(id).card
        assert card.is_reference, id
        assert not card.in_study, id
        assert card.published is None, id
        assert all(text.strip() for text in (card.name, card.vendor, card.origin, card.summary)), id
        assert id in zoo.names(vendor=card.vendor[:4].upper(), reference=True)


def test_one_recipe_for_all_without_a_quirk():
    for id in IDS:
        assert zoo.get(id).quirks == (), id
        recipe = zoo.get(id).recipe
        assert {d.path.partition(".")[0] for d in recipe.diff(zoo.get(IDS[0]).recipe)} <= {"net"}, id
        assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize("id", IDS)
class TestEvery:
    def test_shapes_gradients_and_tensors(self, id):
        """Every weight has a gradient, and every tensor one name: it is stored and averaged once."""
        with torch.device("meta"):
            net = zoo.get(id).build()
            output = net(torch.rand(2, 1, 128, 128))
            output.sum().backward()
        assert output.shape == (2, 1, 128, 128)
        assert [name for name, p in net.named_parameters() if p.grad is None] == []
        assert parameters(net) == zoo.get(id).card.parameters
        assert len(net.state_dict()) == len([*net.parameters(), *net.buffers()])

    def test_colour(self, id):
        with torch.device("meta"):
            assert zoo.get(id).build(3)(torch.rand(2, 3, 128, 128)).shape == (2, 1, 128, 128)

    def test_it_trains(self, id, phantoms, tmp_path):
        run = train(small(id), phantoms, tmp_path / "run", progress=False, cache=False)
        assert len(run.history) == 1
        assert run.scores["value"].between(0, 1).all()
        net = run.load_net()
        image = torch.rand(1, 1, 64, 64)
        assert torch.equal(net(image), run.load_net()(image))

    def test_sizes_it_cannot_take(self, id):
        net = small(id).net.build(1)
        with pytest.raises(UserError, match="images of 30x30: this network needs sides of at least") as error:
            net(torch.rand(1, 1, 30, 30))
        assert "\n" not in str(error.value)

    def test_weights_by_their_own_names(self, id, tmp_path):
        """What the library saved under its own names loads, and the file tells the number of channels."""
        pipeline = dataclasses.replace(zoo.get(id), recipe=small(id))
        saved = pipeline.build(3).state_dict()
        torch.save(saved, tmp_path / "net.pth")
        loaded = pipeline.load_original(tmp_path / "net.pth").state_dict()
        assert all(torch.equal(loaded[name], tensor) for name, tensor in saved.items())

    @pytest.mark.parametrize("format", ["pt2", "onnx"])
    @pytest.mark.slow
    def test_export(self, id, format, tmp_path):
        recipe = small(id)
        torch.manual_seed(0)
        net = recipe.net.build(1)
        path = export_model(net, recipe, tmp_path / f"net.{format}")
        assert compare_export(net, recipe, path) < 1e-4


class TestParity:
    """The same weights in the library's own network give the same output."""

    def agree(self, ours: nn.Module, theirs: nn.Module) -> None:
        state = {name: tensor for name, tensor in theirs.state_dict().items() if name in ours.state_dict()}
        assert set(state) == set(ours.state_dict())
        ours.load_state_dict(state)
        image = torch.rand(2, 1, 128, 128)
        assert torch.equal(ours.eval()(image), theirs.eval()(image))

    def test_basic_unet(self):
        theirs = monai.BasicUNet(spatial_dims=2, in_channels=1, out_channels=1)
        assert parameters(theirs) == zoo.get("monai-basic-unet").card.parameters
        self.agree(zoo.get("monai-basic-unet").build(), theirs)

    def test_dyn_unet(self):
        theirs = monai.DynUNet(2, 1, 1, [3] * 6, [1, 2, 2, 2, 2, 2], [2] * 5, res_block=True)
        assert parameters(theirs) == zoo.get("monai-dynunet").card.parameters
        self.agree(
            small("monai-dynunet").net.build(1),
            monai.DynUNet(2, 1, 1, [3] * 3, [1, 2, 2], [2] * 2, filters=[4, 8, 8], res_block=True),
        )

    def test_what_nnunet_plans(self):
        """Kernels and strides from its planner; its network has heads more, which only deep supervision trains."""
        topology = pytest.importorskip("nnunetv2.experiment_planning.experiment_planners.network_topology")
        from dynamic_network_architectures.architectures.unet import PlainConvUNet as Original

        strides, kernels = topology.get_pool_and_conv_props((1.0, 1.0), (256, 256), 4, 999999)[1:3]
        features = [min(32 * 2**stage, 512) for stage in range(len(kernels))]
        assert zoo.get("nnunet-plain-unet").recipe.get("net.features") == tuple(features)
        options = {"conv_bias": True, "norm_op": nn.InstanceNorm2d, "norm_op_kwargs": {"eps": 1e-5, "affine": True}}
        options |= {"nonlin": nn.LeakyReLU, "nonlin_kwargs": {"inplace": True}}

        def original(features, kernels, strides):
            stages = len(features)
            convolutions = ([2] * stages, 1, [2] * (stages - 1))
            return Original(1, stages, features, nn.Conv2d, kernels, strides, *convolutions, **options)

        with torch.device("meta"):
            theirs = original(features, kernels, strides)
        heads = sum(parameters(head) for head in theirs.decoder.seg_layers[:-1])
        assert parameters(theirs) - heads == zoo.get("nnunet-plain-unet").card.parameters
        theirs, ours = original([4, 8, 8], kernels[:3], strides[:3]), small("nnunet-plain-unet").net.build(1)
        theirs.decoder.seg_layers = theirs.decoder.seg_layers[-1:]
        self.agree(ours, theirs)

    def test_nnunets_initial_weights(self):
        net = small("nnunet-plain-unet").net.build(1)
        convolutions = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))]
        assert all(m.bias is None or (m.bias == 0).all() for m in convolutions)

    def test_timm_encoder(self):
        import timm

        net = small("timm-resnet34-unet").net.build(1)
        encoder = timm.create_model("test_resnet", features_only=True, in_chans=1)
        encoder.load_state_dict(net.encoder.state_dict())
        image = torch.rand(2, 1, 64, 64)
        for ours, theirs in zip(net.eval().encoder(image), encoder.eval()(image), strict=True):
            assert torch.equal(ours, theirs)


class TestTimm:
    @pytest.fixture
    def net(self):
        return small("timm-resnet34-unet").net

    def test_published_weights_that_cannot_be_had(self, net, monkeypatch, phantoms, tmp_path):
        """Without a network, one line; and a trained network is built without them."""
        told, retries = [], logging.getLogger("huggingface_hub")

        def offline(*_, pretrained, **__):
            told.append(retries.isEnabledFor(logging.WARNING))
            raise ConnectionError("no route") if pretrained else AssertionError

        pretrained = dataclasses.replace(net, pretrained=True)
        assert pretrained.build(1)(torch.rand(1, 1, 64, 64)).shape == (1, 1, 64, 64)
        monkeypatch.setattr("timm.create_model", offline)
        recipe = small("timm-resnet34-unet").change("net", pretrained)
        with pytest.raises(UserError, match=r"no published weights of 'test_resnet' \(ConnectionError\)") as error:
            train(recipe, phantoms, tmp_path / "run", progress=False, cache=False)
        assert "\n" not in str(error.value)
        assert "net.pretrained=false" in str(error.value)
        assert (told, retries.isEnabledFor(logging.WARNING)) == ([False], True)
        assert not (tmp_path / "run").exists()

    def test_published_weights_are_asked_for_at_the_start_alone(self, net, monkeypatch):
        import timm

        asked, create = [], timm.create_model

        def noting(*names, pretrained, **options):
            asked.append(pretrained)
            return create(*names, pretrained=False, **options)

        monkeypatch.setattr("timm.create_model", noting)
        pretrained = dataclasses.replace(net, pretrained=True)
        for build in (pretrained.start, pretrained.build, net.start, net.build):
            build(1)
        assert asked == [True, False, False, False]

    def test_an_unknown_encoder(self, net):
        with pytest.raises(UserError, match="no encoder 'resnet43'; did you mean 'resnet34"):
            dataclasses.replace(net, encoder="resnet43").build(1)

    def test_an_encoder_of_other_sizes(self, net):
        with pytest.raises(UserError, match=r"'test_vit2' reduces its maps by .* as resnet34 has"):
            dataclasses.replace(net, encoder="test_vit2").build(1)


@pytest.mark.parametrize(
    ("id", "module", "package"),
    [
        ("timm-resnet34-unet", "timm", "timm"),
        ("nnunet-plain-unet", "dynamic_network_architectures.architectures.unet", "dynamic-network-architectures"),
    ],
)
def test_a_missing_package(id, module, package, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=f"needs the package {package}: pip install {package}"):
        zoo.get(id).build()


@pytest.mark.parametrize(
    ("id", "field", "value"),
    [
        ("monai-basic-unet", "features", (1, 2)),
        ("monai-dynunet", "filters", (1, 2)),
        ("nnunet-plain-unet", "features", (1,)),
        ("timm-resnet34-unet", "decoder", (1,)),
    ],
)
def test_numbers_of_stages(id, field, value):
    with pytest.raises(UserError, match=rf"net\.{field} has {len(value)} numbers; (BasicUNet|it) takes"):
        zoo.get(id).recipe.change(f"net.{field}", value)


def test_no_convolutions():
    with pytest.raises(UserError, match=r"net\.convolutions is 0"):
        PlainConvUNet(features=(4, 8), convolutions=0, output="logits")
