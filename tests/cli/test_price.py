from __future__ import annotations

from pathlib import Path

import pytest

from llmseg.stats.words import ONE_SEED

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_prices_are_printed(tiny, tmp_path, call):
    given = ["price", tiny, "--synthetic", "mri-tumour", "--cases", 25, "--seeds", 1, "--kind", "mistake", "-q"]
    code, out, err = call(*given, "--out", tmp_path / "p", "--device", "cpu")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["dataset", "pipeline", "quirk", "dice", "gained", "95", "%", "interval"]
    assert [line.split()[2] for line in lines[1:-1]] == ["grey-masks", "soft-dice-in-test"]
    assert lines[-1] == f"{ONE_SEED}; in {tmp_path / 'p' / 'prices.json'}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--synthetic", "fundus"], "price needs --out DIR"),
        (["--synthetic", "fundus", "--out", "p", "gpt-5"], "no pipeline 'gpt-5'"),
        (["--page", "none.json"], "no file none.json"),
    ],
)
def test_a_mistake_is_one_line(arguments, words, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = call("price", *arguments, "-q")
    assert code == 2
    assert words in err
    assert err.count("\n") == 1
    assert not [*tmp_path.iterdir()]


def test_a_list_that_is_there_is_printed_as_a_page(call):
    code, page, _ = call("price", "--page", ROOT / "benchmarks" / "results" / "price_list.json")
    assert code == 0
    assert page == (ROOT / "docs" / "reference" / "price-list.md").read_text(encoding="utf-8")
