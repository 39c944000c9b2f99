"""Names and colours of contenders in figures."""

from __future__ import annotations

import matplotlib.figure
import pytest
from matplotlib.colors import to_hex

from llmseg import UserError, zoo
from llmseg.figures.contenders import add_cohort_legend, by_cohort, look_up_contenders
from llmseg.figures.style import COHORTS, GREY, OTHER


def test_labels_name_the_model_and_what_distinguishes_a_contender():
    names = ["gpt-4o", "gpt-4o@run-03", "gpt-4o loss.dice=0.0", "ours"]
    labels = [contender.label for contender in look_up_contenders(names).values()]
    assert labels == ["GPT-4o", "GPT-4o run 03", "GPT-4o, loss.dice=0.0", "ours"]


def test_labels_of_all_pipelines_differ():
    labels = [contender.label for contender in look_up_contenders(zoo.all_names()).values()]
    assert len(set(labels)) == len(labels)


def test_an_llm_is_represented_by_the_pipeline_of_the_study_alone():
    names = [*zoo.names(), "gpt-4o@run-03", "gpt-4 loss.dice=0.0", "monai-basic-unet", "ours"]
    contenders = look_up_contenders(names).values()
    assert [contender.name for contender in contenders if contender.represents_llm] == list(zoo.names())


def test_a_reference_is_grey_whatever_its_cohort_and_belongs_to_none():
    contenders = look_up_contenders(["gpt-4", "gpt-o3", "ours"], references=["gpt-4"])
    assert [contender.colour for contender in contenders.values()] == [GREY, COHORTS[2025], OTHER]
    assert by_cohort(contenders) == {2025: ["gpt-o3", "gpt-4"], None: ["ours", "gpt-4"]}


def test_references_alone_still_have_a_panel():
    assert by_cohort(look_up_contenders(["monai-basic-unet"])) == {None: ["monai-basic-unet"]}


def test_a_reference_that_is_not_there_is_refused():
    with pytest.raises(UserError, match="no contender 'gpt4'; did you mean 'gpt-4'"):
        look_up_contenders(["gpt-4"], references=["gpt4"])


def test_the_legend_names_the_colours_and_is_left_out_where_there_is_one():
    figure = matplotlib.figure.Figure()
    add_cohort_legend(figure, look_up_contenders(["gpt-4", "gpt-4o"]).values())
    assert figure.legends == []
    add_cohort_legend(figure, look_up_contenders(["gpt-o3", "gpt-4", "monai-basic-unet", "ours"]).values())
    (legend,) = figure.legends
    colours = [to_hex(patch.get_facecolor()) for patch in legend.get_patches()]
    texts = [text.get_text() for text in legend.get_texts()]
    assert dict(zip(texts, colours, strict=True)) == {
        "2024 models": COHORTS[2024],
        "2025 models": COHORTS[2025],
        "Others": OTHER,
        "Reference": GREY,
    }
