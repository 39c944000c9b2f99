from __future__ import annotations

import argparse
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from llmseg import zoo
from llmseg.errors import UserError
from llmseg.fidelity import recorded_id
from llmseg.zoo.original_weights import rename

SMALLEST = "llama-3.1-405b"
QUICK = {"llama-3.1-405b", "bing-copilot", "gpt-4", "gpt-o3.rgb"}
STEMS = sorted(path.stem for path in (Path(__file__).parents[1] / "golden").glob("*.json"))
MARKS = {stem: pytest.mark.thorough if "-run-" in stem else pytest.mark.slow for stem in STEMS}
LOADED = [pytest.param(stem, marks=[] if stem in QUICK else MARKS[stem]) for stem in STEMS]


def original_state(record) -> dict[str, torch.Tensor]:
    """Random tensors with the names and shapes that the original script saved."""
    random = torch.Generator().manual_seed(0)
    state = {}
    for name, shape in record["architecture"]["state_dict"]:
        counter = name.endswith("num_batches_tracked")
        state[name] = torch.tensor(7) if counter else torch.rand(shape, generator=random)
    return state


@pytest.fixture
def small(open_golden):
    return open_golden(SMALLEST)


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "model.pth"


def refused(pipeline, path) -> str:
    with pytest.raises(UserError) as error:
        pipeline.load_original(path)
    message = str(error.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def names_and_shapes(pipeline, net) -> dict[str, list[int]]:
    """Those of the original; every pair of names is used."""
    state = net.state_dict()
    for ours, _ in pipeline.original_names:
        assert any(name.startswith(f"{ours}.") for name in state), ours
    original = pipeline.to_original(state)
    assert len(original) == len(state)
    return {name: list(tensor.shape) for name, tensor in original.items()}


def test_names_and_shapes_of_every_record(golden_case):
    pipeline, record = golden_case.pipeline, golden_case.record
    with torch.device("meta"):
        net = pipeline.build()
    assert names_and_shapes(pipeline, net) == dict(record["architecture"]["state_dict"])
    assert sum(p.numel() for p in net.parameters()) == record["architecture"]["params_total"]
    assert pipeline.recipe.fit.epochs == record["published_epochs"]


WITHOUT_RECORD = sorted(path.stem for path in (Path(__file__).parents[1] / "golden" / "state_dicts").glob("*.json"))


@pytest.mark.parametrize("stem", WITHOUT_RECORD)
def test_names_and_shapes_of_those_without_a_record(stem, golden):
    """The tensors of the original network are known all the same."""
    original = json.loads((golden / "state_dicts" / f"{stem}.json").read_text(encoding="utf-8"))
    id = original["pipeline"]
    with torch.device("meta"):
        net = zoo.get(id).build(in_channels=original["in_channels"])
    assert names_and_shapes(zoo.get(id), net) == dict(original["tensors"])
    assert sum(p.numel() for p in net.parameters()) == original["parameters"] == zoo.get(id).card.parameters


def test_every_pipeline_in_pytorch_is_compared(golden):
    records = [json.loads((golden / f"{stem}.json").read_text(encoding="utf-8")) for stem in STEMS]
    others = [
        json.loads((golden / "state_dicts" / f"{stem}.json").read_text(encoding="utf-8")) for stem in WITHOUT_RECORD
    ]
    compared = [*(recorded_id(record) for record in records), *(other["pipeline"] for other in others)]
    names = zoo.all_names(reference=False)
    assert sorted(compared) == sorted(name for name in names if zoo.get(name).card.framework == "PyTorch")


@pytest.mark.parametrize("stem", LOADED)
def test_an_original_file_loads_and_is_given_back(stem, open_golden, path):
    case = open_golden(stem)
    saved = original_state(case.record)
    torch.save(saved, path)
    back = case.pipeline.to_original(case.pipeline.load_original(path).state_dict())
    assert set(back) == set(saved)
    assert all(torch.equal(back[name], tensor) for name, tensor in saved.items())


def test_weights_of_a_wrapped_network(small, path):
    saved = original_state(small.record)
    torch.save({f"module.{name}": tensor for name, tensor in saved.items()}, path)
    back = small.pipeline.to_original(small.pipeline.load_original(path).state_dict())
    assert all(torch.equal(back[name], tensor) for name, tensor in saved.items())


def test_the_file_decides_the_number_of_channels(small, path):
    saved = original_state(small.record)
    first = next(iter(saved))
    saved[first] = torch.rand(saved[first].shape[0], 3, 3, 3)
    torch.save(saved, path)
    net = small.pipeline.load_original(path)
    assert net(torch.rand(1, 3, 64, 64)).shape[1] == 1


def test_the_same_weights_from_text_and_path(small, path):
    torch.save(original_state(small.record), path)
    assert small.pipeline.load_original(str(path)).state_dict().keys() == small.pipeline.build().state_dict().keys()


def test_missing_file(small, path):
    assert "no file" in refused(small.pipeline, path)


def test_a_folder(small, tmp_path):
    assert "no file" in refused(small.pipeline, tmp_path)


def test_a_whole_model_is_refused(small, path):
    torch.save(nn.Sequential(nn.Conv2d(1, 1, 3)), path)
    assert "save its state_dict() instead" in refused(small.pipeline, path)


class Harmful:
    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("write", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
@pytest.mark.parametrize("inside", [False, True])
def test_code_is_refused_and_not_run(small, path, tmp_path, write, inside):
    trace = tmp_path / "executed"
    harmful = Harmful(trace)
    write({**original_state(small.record), "extra": harmful} if inside else harmful, path)
    refused(small.pipeline, path)
    assert not trace.exists()
    torch.load(path, weights_only=False) if write is torch.save else pickle.loads(path.read_bytes())
    assert trace.exists()  # the file does execute code when read carelessly


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_truncated(small, path, share):
    torch.save(original_state(small.record), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "damaged" in refused(small.pipeline, path)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("content", [b"hello", b"PK\x03\x04", b"\x80\x02}q\x00.", b"\x80\x04N."])
def test_something_else(small, path, content):
    path.write_bytes(content)
    refused(small.pipeline, path)


@pytest.mark.parametrize("value", [[torch.zeros(1)], torch.zeros(1), 3, {}, {"epoch": 3}, {"state": {"a": None}}])
def test_no_state_dictionary(small, path, value):
    torch.save(value, path)
    assert "is no state dictionary" in refused(small.pipeline, path)


def test_wrong_pipeline(small, path):
    torch.save(original_state(small.record), path)
    message = refused(zoo.get("bing-copilot"), path)
    assert "does not fit bing-copilot" in message
    assert "another pipeline's script" in message


def test_a_tensor_missing_unknown_or_misshapen(small, path):
    saved = original_state(small.record)
    last = list(saved)[-1]
    for changed, word in (
        ({k: v for k, v in saved.items() if k != last}, f"has no '{last}'"),
        ({**saved, "extra.weight": torch.zeros(1)}, "has an unknown 'extra.weight'"),
        ({**saved, last: torch.zeros(9)}, f"has '{last}' of shape (9,), not {tuple(saved[last].shape)}"),
    ):
        torch.save(changed, path)
        assert word in refused(small.pipeline, path)


@pytest.mark.parametrize(
    "shape",
    [
        (64, 0, 3, 3),
        (2, 1, 3, 3),
        (64,),
        (),
    ],
)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_a_first_weight_of_senseless_shape(small, path, shape):
    saved = original_state(small.record)
    torch.save({**saved, next(iter(saved)): torch.zeros(shape)}, path)
    assert "of shape" in refused(small.pipeline, path)


def test_rename():
    prefixes = (("encoder.1", "down.b"), ("encoder.10", "down.k"))
    assert rename("encoder.10.weight", prefixes) == "down.k.weight"
    assert rename("encoder.1.0.weight", prefixes) == "down.b.0.weight"
    with pytest.raises(KeyError):
        rename("decoder.0.weight", prefixes)


WRAPPERS = ["_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.", "net._orig_mod."]


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_weights_of_a_network_in_wrappers(small, path, wrapper):
    saved = original_state(small.record)
    torch.save({f"{wrapper}{name}": tensor for name, tensor in saved.items()}, path)
    back = small.pipeline.to_original(small.pipeline.load_original(path).state_dict())
    assert all(torch.equal(back[name], tensor) for name, tensor in saved.items())


def test_weights_of_compiled_parts(small, path):
    saved = original_state(small.record)
    torch.save({name.replace(".", "._orig_mod.", 1): tensor for name, tensor in saved.items()}, path)
    back = small.pipeline.to_original(small.pipeline.load_original(path).state_dict())
    assert all(torch.equal(back[name], tensor) for name, tensor in saved.items())


@pytest.mark.parametrize(
    ("key", "wrapper"), [("model_state_dict", ""), ("state_dict", "model."), ("net", "module._orig_mod.")]
)
@pytest.mark.parametrize("beside", [0.1, np.float64(0.1), np.float32([0.3, 0.2]), np.int64(3)], ids=repr)
def test_the_only_weights_in_a_dictionary_are_read(small, path, key, wrapper, beside):
    saved = original_state(small.record)
    state = {f"{wrapper}{name}": tensor for name, tensor in saved.items()}
    torch.save({"epoch": 3, key: state, "loss": beside, "optimizer": {"state": {0: {"step": 2}}}}, path)
    back = small.pipeline.to_original(small.pipeline.load_original(path).state_dict())
    assert all(torch.equal(back[name], tensor) for name, tensor in saved.items())


@pytest.mark.parametrize("beside", [0.1, np.float64(0.1)], ids=repr)
def test_of_several_weights_in_a_dictionary_the_user_chooses(small, path, tmp_path, monkeypatch, beside):
    saved = original_state(small.record)
    averaged = {name: tensor * 0 for name, tensor in saved.items()}
    torch.save({"state_dict": saved, "ema": averaged, "loss": beside}, path)
    message = refused(small.pipeline, path)
    assert "it holds weights under 'state_dict' and 'ema'" in message
    monkeypatch.chdir(tmp_path)
    exec(message.partition(" by ")[2], {"torch": torch})
    back = small.pipeline.to_original(small.pipeline.load_original("weights.pth").state_dict())
    assert all(torch.equal(back[name], tensor) for name, tensor in saved.items())


def test_other_objects_are_named(small, path):
    torch.save({"state_dict": original_state(small.record), "args": argparse.Namespace(lr=0.1)}, path)
    assert "(argparse.Namespace), which could execute code" in refused(small.pipeline, path)


def test_weights_in_safetensors(small, tmp_path):
    saved = original_state(small.record)
    save_file({name: tensor.contiguous() for name, tensor in saved.items()}, tmp_path / "w.safetensors")
    back = small.pipeline.to_original(small.pipeline.load_original(tmp_path / "w.safetensors").state_dict())
    assert all(torch.equal(back[name], tensor) for name, tensor in saved.items())
    (tmp_path / "w.safetensors").write_bytes(b"no weights")
    assert "no file of safetensors" in refused(small.pipeline, tmp_path / "w.safetensors")


def make_strange(kind: str, weight: torch.Tensor) -> torch.Tensor:
    """Return a weight of a kind that no network can use."""
    if kind == "sparse":
        return weight.to_sparse()
    if kind == "sparse outside":
        return torch.sparse_coo_tensor(torch.tensor([[10**6], [0], [0], [0]]), torch.ones(1), (10**7, 1, 1, 1))
    if kind == "quantised":
        return torch.quantize_per_tensor(weight, 0.1, 0, torch.qint8)
    if kind == "nested":
        return torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    if kind == "claims":
        return torch.ones(1).expand(64, 100_000, 3, 3)
    others = {"meta": weight.to("meta"), "complex": weight.to(torch.complex64), "nan": weight * torch.nan}
    return others[kind]


@pytest.mark.parametrize(
    "kind", ["sparse", "sparse outside", "quantised", "nested", "claims", "meta", "complex", "nan", "pickle"]
)
@pytest.mark.filterwarnings("default")
def test_strange_weights_end_in_one_line_and_write_nothing(small, path, tmp_path, call, kind, make_folder, recwarn):
    saved = original_state(small.record)
    first = next(iter(saved))
    if kind == "pickle":
        path.write_bytes(pickle.dumps(saved, protocol=4))
    else:
        torch.save({**saved, first: make_strange(kind, saved[first])}, path)
    images, _ = make_folder({"a": (40, 36)})
    recwarn.clear()
    out = tmp_path / "out"
    code, _, err = call("predict", SMALLEST, "--weights", path, "--images", images, "--out", out, "-q")
    assert code == 2
    assert err.count("\n") == 1
    assert not recwarn.list
    assert not out.exists()
