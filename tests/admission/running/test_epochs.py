from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmseg.admission.running.epochs import tell_epochs
from llmseg.admission.scripts import read_scripts

PIPELINES = Path(__file__).parents[1] / "pipelines"
ALL = json.loads((PIPELINES / "pipelines.json").read_text(encoding="utf-8"))["pipelines"]
RECORDS = [record for record in ALL if not record["half"].startswith("blind")]


@pytest.mark.parametrize("record", RECORDS, ids=[record["name"] for record in RECORDS])
def test_samples(record):
    scripts = read_scripts(PIPELINES / record["name"])
    texts, (told,) = tell_epochs(scripts, 2)
    assert (told.was, told.now) == (record["epochs"], 2)
    wanted = record["epochs_text"].replace(str(record["epochs"]), "2")
    assert texts == {"main.py": scripts.get("main").text.replace(record["epochs_text"], wanted)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("é = 'ü'; epochs = 50", "é = 'ü'; epochs = 1"),
        ("a = 1\r\nEPOCHS = 100\r\nb = 2\r\n", "a = 1\r\nEPOCHS = 1\r\nb = 2\r\n"),
        ("fit(x, epochs=10, n_epochs=20)", "fit(x, epochs=1, n_epochs=1)"),
        ("for epoch in tqdm(range(30)): pass", "for epoch in tqdm(range(1)): pass"),
        ("c = {'num_epochs': 1_000}", "c = {'num_epochs': 1}"),
        ("p.add_argument('--epochs', type=int, default=50)", "p.add_argument('--epochs', type=int, default=1)"),
    ],
)
def test_a_text(tmp_path, text, expected):
    (tmp_path / "main.py").write_text(text, encoding="utf-8", newline="")
    texts, _ = tell_epochs(read_scripts(tmp_path), 1)
    assert texts == {"main.py": expected}


@pytest.mark.parametrize(
    "text", ["start_epoch = 5", "epochs = 1", "epoch_losses = 3", "for i in range(30): pass", "epochs = read()"]
)
def test_what_is_no_number_of_epochs(tmp_path, text):
    (tmp_path / "main.py").write_text(text)
    assert tell_epochs(read_scripts(tmp_path), 1) == ({}, ())
