"""What the study printed: a row for each pipeline, with the figures that the tables of ``llmseg.stats`` have, too."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import llmseg.zoo.published
from llmseg import stats, zoo
from llmseg.zoo.published import read_published


def test_a_row_for_every_card_that_has_one():
    with Path(llmseg.zoo.published.__file__).with_name("published.csv").open(encoding="utf-8", newline="") as file:
        rows = [row["pipeline"] for row in csv.DictReader(file)]
    # The variants in colour are the published state of the scripts whose row is printed.
    names = [name for name in zoo.all_names() if zoo.get(name).card.published and not name.endswith("@rgb")]
    assert sorted(rows) == sorted(names)
    assert all(zoo.get(name).card.published == read_published(name) for name in names)


def test_no_row():
    with pytest.raises(KeyError):
        read_published("gemini-1.5-flash")


def joined(numbers: tuple[int, ...]) -> str:
    return "-".join(map(str, numbers))


def test_the_figures_of_the_statistics():
    compared = 0
    for row in stats.published.get("architectures").frame.itertuples():
        printed = read_published(row.model + ("@tensorflow" if row.framework == "TensorFlow" else ""))
        ours = {
            "batch_size": str(printed.batch_size),
            "epochs": str(printed.epochs),
            "encoder_stages": str(printed.encoder_stages),
            "decoder_stages": str(printed.decoder_stages),
            "encoder_channels": joined(printed.encoder),
            "decoder_channels": joined(printed.decoder),
        }
        if row.field in ours:
            assert ours[row.field] == (row.table_value or row.value), (row.model, row.framework, row.field)
            compared += 1
    assert compared == 6 * (19 + 8)


def test_the_figures_of_the_reruns():
    rows = list(stats.published.get("run_to_run_parameters").frame.itertuples())
    for row in rows:
        printed = read_published(f"{row.model}@run-{row.run:02}")
        assert (printed.batch_size, printed.epochs) == (row.batch_size, row.epochs)
        assert (printed.encoder_stages, printed.decoder_stages) == (row.encoder_stages, row.decoder_stages)
        assert int(printed.parameters.replace(",", "")) == row.trainable_parameters
        assert float(printed.training_time.removesuffix(" s")) == row.training_seconds
    assert len(rows) == 20
