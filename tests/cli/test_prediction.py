from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image


@pytest.mark.slow
def test_replay_and_predict(call, make_folder, tmp_path):
    images, masks = make_folder({f"{index:02}": (40, 36) for index in range(20)})
    run = tmp_path / "run"
    code, _, _ = call(
        "replay", "llama 3.1 405b", "--images", images, "--masks", masks, "--out", run, "--epochs", 1, "-q"
    )
    assert code == 0
    assert (run / "replay" / "train_losses.xlsx").is_file()
    for path in sorted(images.iterdir())[3:]:
        path.unlink()
    for model in ((run,), ("llama-3.1-405b", "--weights", run / "replay" / "model_state_dict.pth")):
        out = tmp_path / f"out{len(model)}"
        assert call("predict", *model, "--images", images, "--out", out, "-q")[0] == 0
    for kind in ("masks", "probabilities"):
        for path in (tmp_path / "out1" / kind).iterdir():
            ours, original = (np.asarray(Image.open(tmp_path / out / kind / path.name)) for out in ("out1", "out3"))
            assert ours.shape == (40, 36)
            np.testing.assert_array_equal(ours, original)


def test_a_checkpoint_that_does_not_fit(call, folders, tmp_path):
    torch.save({"some.weight": torch.zeros(3)}, tmp_path / "other.pth")
    out = tmp_path / "out"
    arguments = ("--weights", tmp_path / "other.pth", "--images", folders[0], "--out", out)
    code, _, err = call("predict", "gpt-4", *arguments)
    assert code == 2
    assert "does not fit gpt-4" in err
    assert err.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["predict", "run", "--images", "images", "--out", "out", "-q"], "no run folder run"),
        (["predict", "gpt-4", "--weights", "none.pth", "--images", "images", "--out", "out", "-q"], "no file none.pth"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(check_mistake, arguments, words):
    check_mistake(words, *arguments)
