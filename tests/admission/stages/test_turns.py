from __future__ import annotations

import pytest

from llmseg import UserError
from llmseg.admission.stages.turns import read_chat

CHAT = """
Please write a U-Net.

Here is main.py ... `raise ValueError("bad")`

Traceback (most recent call last):
  File "C:\\work\\main.py", line 3, in <module>
    train()
  File "C:\\work\\dataset.py", line 40, in __getitem__
  File "C:\\lib\\site-packages\\torch\\x.py", line 4, in stack
RuntimeError: stack expects each tensor to be equal size, but got [1, 2]

The RuntimeError: is due to the sizes.

> NameError: name 'nn' is not defined
"""


def test_errors_of_a_chat(tmp_path):
    (tmp_path / "chat.txt").write_text(CHAT)
    errors = read_chat(tmp_path / "chat.txt")
    assert [(each.phase, each.exception, each.category) for each in errors] == [
        ("dataset", "RuntimeError", "shape mismatch"),
        ("import", "NameError", "missing import"),
    ]


def test_a_chat_without_errors(tmp_path):
    (tmp_path / "chat.txt").write_text("It works.")
    assert read_chat(tmp_path / "chat.txt") == ()
    with pytest.raises(UserError, match="give the text of the chat"):
        read_chat(tmp_path / "no.txt")
