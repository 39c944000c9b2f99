"""Scores that scripts print and write, by the words that name them."""

from __future__ import annotations

import time
import zipfile

import openpyxl
import pandas as pd
import pytest

from llmseg.admission.probes import read_scores


def texts(printed, files=()):
    return [score.text for score in read_scores(printed, files)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Test Dice: 0.4213", ["0.4213"]),
        ("Epoch [3/3] Train Loss: 0.6767 Val Dice: 0.7394", ["0.7394"]),
        ("mean IoU = 0.51, std 0.02", ["0.51"]),
        ("Test F1 score (0.61)", ["0.61"]),
        ("dice_score=6.1e-01", ["6.1e-01"]),
        ("Dice loss: 0.4", []),
        ("dice_weight: 0.5", []),
        ("score threshold 0.5", []),
        ("IoU > 0.5 in 3 cases", []),
        ("IoU@0.5: 0.43", ["0.43"]),
        ("Dice: nan", ["nan"]),
        ("Dice info", []),
        ("Total training time: 5.50 seconds", []),
        ("loss 0.3 after 2.5 s", []),
        ("accuracy v1.2.3", []),
        ("test:  50%|█████     | 1/2 [00:01, dice=0.31]", []),
        ("a\rb Dice 0.25", ["0.25"]),
        ("\x1b[1mDice\x1b[0m 0.25", ["0.25"]),
    ],
)
def test_a_number_is_a_score_if_the_words_before_it_say_so(line, found):
    assert texts(line) == found


def test_the_same_words_in_other_epochs_are_told_apart():
    scores = read_scores("Epoch 1: Dice 0.25\nEpoch 2: Dice 0.25\n", [])
    assert [score.key for score in scores] == [("printed", "Epoch #: Dice", 0), ("printed", "Epoch #: Dice", 1)]


def test_tables_with_the_name_of_a_score_are_read(tmp_path):
    pd.DataFrame([[0.25, 1], [0.5, 2]]).to_excel(tmp_path / "test_dice_scores.xlsx", index=False)
    pd.DataFrame([[0.75]]).to_csv(tmp_path / "iou.csv")
    pd.DataFrame([[0.9]]).to_csv(tmp_path / "losses.csv")
    (tmp_path / "metrics.json").write_text('{"test_dice": 0.8125, "loss": 0.1}', encoding="utf-8")
    scores = read_scores("", tmp_path.iterdir())
    assert {score.text for score in scores} == {"0.25", "0.5", "0.75", "0.8125"}
    assert all(score.concerns_test == ("test" in f"{score.place}{score.name}") for score in scores)


def test_books_of_openpyxl_are_read_as_those_of_pandas(tmp_path):
    book = openpyxl.Workbook()
    book.active.append([0.4213, "text", 7])
    book.save(tmp_path / "dice.xlsx")
    assert texts("", [tmp_path / "dice.xlsx"]) == ["0.4213"]


def test_files_that_are_no_tables_give_nothing(tmp_path):
    (tmp_path / "dice.xlsx").write_bytes(b"no archive")
    (tmp_path / "score.csv").symlink_to(tmp_path / "dice.xlsx")
    (tmp_path / "dice.pth").write_bytes(b"Dice 0.5")
    assert texts("", tmp_path.iterdir()) == []


def test_an_output_made_to_be_slow_is_read_in_a_moment(tmp_path):
    with zipfile.ZipFile(tmp_path / "dice.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b'<c r="A1" ' * 400_000)
        archive.writestr("xl/worksheets/sheet2.xml", bytes(50_000_000))
    begin = time.process_time()
    read_scores("dice 0.1 " * 500_000, [tmp_path / "dice.xlsx"])
    assert time.process_time() - begin < 5


def test_percentages_are_shares():
    assert [score.share for score in read_scores("Dice 91.5 %, IoU 0.875", [])] == [0.915, 0.875]
    assert [score.digits for score in read_scores("Dice 91.5 %, IoU 8.75e-1", [])] == [1, 2]
