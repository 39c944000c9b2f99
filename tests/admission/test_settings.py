from __future__ import annotations

import ast

import pytest

from llmseg.admission.scripts import read_scripts
from llmseg.admission.settings import Settings


@pytest.fixture
def value(tmp_path):
    """A function that reads an expression in the light of a script."""

    def read(text, expression):
        (tmp_path / "main.py").write_text(text)
        return Settings(read_scripts(tmp_path)).constant(ast.parse(expression, mode="eval").body)

    return read


@pytest.mark.parametrize(
    ("text", "expression", "expected"),
    [
        ("", "8", 8),
        ("", "-1e-3", -1e-3),
        ("", "1 / 9", 1 / 9),
        ("", "1 / 0", None),
        ("", "(64, 32 * 2)", (64, 64)),
        ("", "unknown", None),
        ("BATCH_SIZE = 8", "BATCH_SIZE", 8),
        ("BATCH_SIZE = 8", "config.batch_size", 8),
        ("class Config:\n    lr: float = 1e-4", "cfg.lr", 1e-4),
        ("config = {'epochs': 30}", "config['epochs']", 30),
        ("p.add_argument('--batch-size', '-b', type=int, default=4)", "args.batch_size", 4),
        ("Config(epochs=7)\ndef f(epochs=5): ...", "epochs", 7),
        ("def f(epochs=5): ...", "epochs", 5),
        ("S = '''\nepochs: 30\nrate: 1e-3\nimages: /srv/a b/c  # mine\n'''", "s['epochs']", 30),
        ("S = '''\nepochs: 30\nrate: 1e-3\nimages: /srv/a b/c  # mine\n'''", "s['rate']", 1e-3),
        ("S = '''\nepochs: 30\nrate: 1e-3\nimages: /srv/a b/c  # mine\n'''", "s['images']", "/srv/a b/c"),
        ("S = '''{\n  \"batch-size\": 4,\n  \"name\": \"7\"\n}'''", "s['batch_size']", 4),
        ("S = '''{\n  \"batch-size\": 4,\n  \"name\": \"7\"\n}'''", "s['name']", "7"),
        # A docstring is no value, and what a text with values in it says is known when it runs.
        ("def f():\n    '''Trains.\n\n    epochs: 30\n    '''", "s['epochs']", None),
        ("S = f'''\nepochs: 30\n'''", "s['epochs']", None),
        ("a = 1\na = 2", "a", None),
        ("a = 2\na = 2", "a", 2),
        ("a, b = 3, 4", "b", 4),
        ("size = 64\nshape = (size, size)", "shape", (64, 64)),
        ("a = b\nb = a", "a", None),
        ("a = a", "a", None),
        ("f(lr=lr)\nlr = 0.1", "lr", 0.1),
    ],
)
def test_constant(value, text, expression, expected):
    assert value(text, expression) == expected
