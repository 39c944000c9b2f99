from __future__ import annotations

import dataclasses

import torch

from llmseg import zoo
from llmseg.recipe.fit import OwnSeed
from llmseg.training.random_streams import RandomStreams, choose_seed


def test_no_step_or_epoch_of_two_seeds_starts_from_the_same_number(monkeypatch):
    numbers = []
    monkeypatch.setattr(torch, "manual_seed", numbers.append)
    for seed in range(3):
        streams = RandomStreams(seed, per_epoch=True)
        for k in (0, 1, 499, 500, 1000, 10**6):
            streams.seed_epoch(k)
            streams.seed_step(k)
    assert len(set(numbers)) == len(numbers) == 36


def test_images_change_alike_in_all_processes_and_dropout_does_not(monkeypatch):
    numbers = []
    monkeypatch.setattr(torch, "manual_seed", numbers.append)
    streams = [RandomStreams(0, per_epoch=True, rank=rank) for rank in range(3)]
    for stream in streams:
        stream.seed_step(7)
    assert len(set(numbers)) == 3
    assert len({stream.choose_image_seed(7) for stream in streams}) == 1


def test_one_stream_is_never_seeded_again(monkeypatch, tiny_recipe):
    monkeypatch.setattr(torch, "manual_seed", lambda _: 1 / 0)
    fit = dataclasses.replace(tiny_recipe.fit, own_seed=OwnSeed(seed=5, summary_batch=2, spare_orders=3))
    streams = RandomStreams.of_run(fit, seed=8, rank=1)
    streams.seed_epoch(0)
    streams.seed_step(0)
    assert streams == RandomStreams(8, per_epoch=False, discarded_orders=3, rank=1)


def test_a_script_that_seeds_itself_ignores_the_seed_of_the_run():
    fit = zoo.get("claude-3.5-sonnet").recipe.fit
    assert {choose_seed(fit, seed) for seed in range(3)} == {42}
    assert choose_seed(dataclasses.replace(fit, own_seed=None), 7) == 7
