"""Who ended a command, told by its exit code and its last traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmseg.admission.sandbox.outcome import Outcome, read_ending

OWN = [Path("/home/user/project")]

IN_A_LIBRARY = """\
epoch 1
Traceback (most recent call last):
  File "/home/user/project/train.py", line 80, in <module>
    main()
  File "/home/user/project/train.py", line 62, in main
    loss = criterion(net(x), y)
  File "/usr/lib/python3/torch/nn/functional.py", line 3300, in binary_cross_entropy
    raise ValueError(
ValueError: Using a target size (torch.Size([4])) that is different
to the input size (torch.Size([4, 1])) is deprecated.
"""

CHAINED = """\
Traceback (most recent call last):
  File "data.py", line 3, in load
KeyError: 'image'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "data.py", line 5, in load
    raise RuntimeError("no image") from None
RuntimeError: no image
"""

SYNTAX = """\
  File "/home/user/project/model.py", line 12
    def forward(self, x)
                        ^
SyntaxError: expected ':'
"""

IN_A_WORKER = """\
Traceback (most recent call last):
  File "/home/user/project/train.py", line 40, in <module>
    for x, y in loader:
  File "/usr/lib/python3/torch/_utils.py", line 700, in reraise
    raise exception
cv2.error: Caught error in DataLoader worker process 0.
Original Traceback (most recent call last):
  File "/home/user/project/dataset.py", line 21, in __getitem__
    image = cv2.resize(image, (256, 256))
cv2.error: OpenCV(4.12.0) :-1: error: (-5:Bad argument) in function 'resize'
"""


IN_KERAS = """\
Traceback (most recent call last):
  File "/home/user/project/train.py", line 21, in train
    model.fit(dataset)
ValueError: Exception encountered when calling Functional.call().

\x1b[1mInput 0 of 'conv2d' is incompatible\x1b[0m

Arguments received by Functional.call():
"""

KERAS_SAYS = "ValueError: Exception encountered when calling Functional.call(). Input 0 of 'conv2d' is incompatible"


@pytest.mark.parametrize(
    ("output", "exception", "frame"),
    [
        (IN_KERAS, KERAS_SAYS, "train.py:21"),
        ("Traceback (most recent call last):\nRuntimeError: call f().\n", "RuntimeError: call f().", None),
        (IN_A_LIBRARY, "ValueError: Using a target size (torch.Size([4])) that is different", "train.py:62"),
        (CHAINED, "RuntimeError: no image", "data.py:5"),
        (SYNTAX, "SyntaxError: expected ':'", "model.py:12"),
        (IN_A_WORKER, "cv2.error: OpenCV(4.12.0) :-1: error: (-5:Bad argument) in function 'resize'", "dataset.py:21"),
        ("Traceback (most recent call last):\nKeyboardInterrupt\n", "KeyboardInterrupt", None),
        ("ValueError: printed, not raised\n", None, None),
        ("", None, None),
    ],
)
def test_the_exception_and_the_innermost_line_of_the_script(output, exception, frame):
    ending = read_ending(1, output, OWN)
    assert (ending.ended_by, ending.exit_code, ending.exception) == ("script", 1, exception)
    assert str(ending.frame).endswith(str(frame))


def test_an_exception_that_did_not_end_it_is_none():
    ending = read_ending(0, IN_A_LIBRARY, OWN)
    assert ending.is_finished
    assert (ending.exception, ending.frame) == (None, None)


@pytest.mark.parametrize("code", [-11, 139])
def test_a_signal_is_named(code):
    ending = read_ending(code, "", OWN)
    assert (ending.ended_by, ending.signal, ending.exit_code) == ("script", "SIGSEGV", None)


def test_an_exit_code_above_128_need_not_be_a_signal():
    assert read_ending(255, "", OWN).exit_code == 255


def test_who_lost_it_is_the_harness():
    ending = read_ending(None, IN_A_LIBRARY, OWN)
    assert (ending.ended_by, ending.exception) == ("harness", None)
    assert ending.faults


def test_it_says_itself_in_one_line():
    assert str(read_ending(0, "", OWN)) == "ended by the script (no error); there: nothing"
    assert str(Outcome("limit", limit="memory")) == "ended by the limit of memory; there: nothing"
    assert "train.py:62" in str(read_ending(1, IN_A_LIBRARY, OWN))


def test_its_tail_moves_no_cursor():
    assert Outcome("script", output="a\x1b[2Jb\n").tail == "a\\x1b[2Jb\n"
