from __future__ import annotations

import math

import pytest

from llmseg.errors import UserError
from llmseg.nnunet.log import log_files, read_logs

# Version 2 as of 2024, and as of numpy 2; the second epoch of the last did not end.
SECOND = """
This is the configuration used by this training:
{'epochs': 'Epoch 7', 'lr': 1}
2024-04-26 09:39:10.907909:
2024-04-26 09:39:10.910043: Epoch 0
2024-04-26 09:39:10.914042: Current learning rate: 0.01
using pin_memory on device 0
2024-04-26 09:41:39.493872: train_loss 0.7088
2024-04-26 09:41:39.498914: val_loss 0.4628
2024-04-26 09:41:39.501914: Pseudo dice [0.2, nan, 0.4]
2024-04-26 09:41:39.505914: Epoch time: 148.59 s
2024-04-26 09:41:39.507914: Yayy! New best EMA pseudo Dice: 0.3
2024-04-26 09:41:40.302549:
2024-04-26 09:41:40.307418: Epoch 1
2024-04-26 09:41:40.311464: Current learning rate: 0.00999
2024-04-26 09:43:54.932336: train_loss -1e-05
2024-04-26 09:43:54.939337: val_loss nan
2024-04-26 09:43:54.943336: Pseudo dice [np.float32(0.25), np.float32(0.75)]
2024-04-26 09:43:54.947495: Epoch time: 134.63 s
2024-04-26 09:43:55.815863: Epoch 2
2024-04-26 09:43:55.821115: Current learning rate: 0.00998
2024-04-26 09:46:11.813500: train_loss 0.357
"""

FIRST = """
2022-02-11 09:30:00.000000: lr: 0.01
2022-02-11 09:32:44.207069:
epoch:  0
2022-02-11 09:34:49.625515: train loss : -0.6584
2022-02-11 09:34:59.688008: validation loss: -0.7226
2022-02-11 09:34:59.688100: validation loss (train=True): -0.9
2022-02-11 09:34:59.688808: Average global foreground Dice: [0.8837]
2022-02-11 09:34:59.688904: (interpret this as an estimate for the Dice of the different classes. This is not exact.)
2022-02-11 09:35:00.857095: lr: 0.009991
2022-02-11 09:35:01.343246: This epoch took 137.136132 s

2022-02-11 09:35:01.343388:
epoch:  1
2022-02-11 09:37:06.546855: train loss : -0.6505
2022-02-11 09:37:18.553614: validation loss: -0.6722
2022-02-11 09:37:18.554376: Average global foreground Dice: [0.8203]
2022-02-11 09:37:19.897903: lr: 0.009982
"""


@pytest.fixture
def write(tmp_path):
    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"training_log_{name}.txt").write_text(text)
        return log_files(tmp_path)

    return write


def test_version_2_with_types_nan_and_an_epoch_that_did_not_end(write):
    curves = read_logs(write(a2024=SECOND))
    assert curves["epoch"].tolist() == [1, 2]
    assert curves["train_loss"].tolist() == [0.7088, -1e-05]
    assert curves["validation_loss"][0] == 0.4628
    assert math.isnan(curves["validation_loss"][1])
    assert curves["validation_score"].tolist() == pytest.approx([0.3, 0.5])
    assert curves["rate"].tolist() == [0.01, 0.00999]
    assert curves["seconds"].tolist() == [148.59, 134.63]


def test_version_1_names_a_rate_before_the_epoch_it_is_used_in(write):
    curves = read_logs(write(a2022=FIRST))
    assert curves["rate"].tolist() == [0.01, 0.009991]
    assert curves["validation_loss"].tolist() == [-0.7226, -0.6722]
    assert curves["validation_score"].tolist() == [0.8837, 0.8203]
    assert curves["seconds"][0] == 137.136132
    assert math.isnan(curves["seconds"][1])


def _epochs(first: int, *losses: float) -> str:
    return "".join(
        f"2025-01-01 00:00:00.1: Epoch {first + index}\n2025-01-01 00:00:00.1: train_loss {loss}\n"
        "2025-01-01 00:00:00.1: val_loss 0\n2025-01-01 00:00:00.1: Pseudo dice [0]\n"
        for index, loss in enumerate(losses)
    )


def test_a_training_that_went_on_repeats_epochs(write):
    files = write(
        **{
            "2025_10_1_09_00_00": _epochs(2, 12.0),
            "2025_9_30_23_00_00": _epochs(0, 0.0, 1.0, 2.0, 3.0),
            "2025_10_2_00_00_00": "nothing happened",
        }
    )
    assert [path.stem[13:] for path in files] == ["2025_9_30_23_00_00", "2025_10_1_09_00_00", "2025_10_2_00_00_00"]
    assert read_logs(files)["train_loss"].tolist() == [0.0, 1.0, 12.0]


@pytest.mark.parametrize("text", [None, "", "2025-01-01 00:00:00.1: Epoch 0\n2025-01-01 00:00:00.1: train_loss 1\n"])
def test_a_log_without_a_whole_epoch_is_refused(write, text):
    files = write() if text is None else write(a=text)
    with pytest.raises(UserError, match=r"no epoch of nnU-Net has ended"):
        read_logs(files)
