from __future__ import annotations

import dataclasses

import pytest
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from llmseg.data.prepared_cases import prepare_cases
from llmseg.errors import UserError
from llmseg.recipe.fit import Cosine, OwnSeed, Plateau
from llmseg.recipe.losses import BCEDice
from llmseg.recipe.splits import WholeSplit
from llmseg.training.events import Epoch, EvaluatedBatch, Step
from llmseg.training.loop import draw_start, run_loop
from llmseg.training.random_streams import RandomStreams
from llmseg.training.state import State
from llmseg.zoo.references import AUGMENT


@pytest.fixture(scope="module")
def prepared(phantoms, tiny_recipe):
    return prepare_cases(phantoms, tiny_recipe.images)


def start(recipe, prepared, seed=0):
    return draw_start(recipe, prepared.ids, seed, prepared.size)


def run(recipe, prepared, *, seed=0, streams=None):
    split, net = start(recipe, prepared, seed)
    state, streams = State.begin(recipe.fit, net), streams or RandomStreams.of_run(recipe.fit, seed)
    return net, split, list(run_loop(recipe, state, prepared, split, streams=streams))


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def test_it_is_the_loop_anybody_would_write(tiny_recipe, prepared):
    """The same training written down by hand gives the same losses and weights, bit for bit."""
    net, split, events = run(tiny_recipe, prepared)
    _, twin = start(tiny_recipe, prepared)
    optimizer = torch.optim.Adam(twin.parameters(), lr=tiny_recipe.fit.rate)
    images, masks = prepared.batch(split.train, torch.device("cpu"))
    losses = []
    for epoch in range(tiny_recipe.fit.epochs):
        torch.manual_seed(10**9 + epoch)
        twin.train()
        for image, mask in DataLoader(TensorDataset(images, masks), batch_size=4, shuffle=True):
            optimizer.zero_grad()
            loss = functional.binary_cross_entropy_with_logits(twin(image), mask)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert [step.loss.item() for step in of(Step, events)] == losses
    for ours, theirs in zip(net.state_dict().values(), twin.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_case_order_is_the_closed_form(tiny_recipe, prepared):
    """The rule the golden records give for the order of epoch k under seed S."""
    _, split, events = run(tiny_recipe, prepared, seed=3, streams=RandomStreams(3, per_epoch=True, spacing=1000))
    for epoch in range(2):
        torch.manual_seed(1000 * (3 + 1) + epoch)
        torch.empty((), dtype=torch.int64).random_()
        own = torch.Generator().manual_seed(int(torch.empty((), dtype=torch.int64).random_()))
        expected = [split.train[i] for i in torch.randperm(len(split.train), generator=own)]
        assert [id for step in of(Step, events) if step.epoch == epoch for id in step.ids] == expected


def test_every_case_once_per_pass_and_the_test_last(tiny_recipe, prepared):
    _, split, events = run(tiny_recipe, prepared)
    kinds = [(type(e).__name__, getattr(e, "phase", "")) for e in events]
    one_epoch = [("Step", "")] * 5 + [("EvaluatedBatch", "validation"), ("Epoch", "")]
    assert kinds == one_epoch * 2 + [("EvaluatedBatch", "test")]
    assert tuple(id for e in of(EvaluatedBatch, events) if e.phase == "test" for id in e.ids) == split.test


def test_epoch_loss_is_the_mean_of_what_the_recipe_says(tiny_recipe, prepared):
    """With 20 cases in batches of 8 the last batch is half as large and must count so, or as much as any."""
    for over, weights in (("batches", (1, 1, 1)), ("cases", (8, 8, 4))):
        recipe = tiny_recipe.change("fit.batch_size", 8).change("fit.epoch_loss", over).change("fit.epochs", 1)
        events = run(recipe, prepared)[2]
        losses = [step.loss.item() for step in of(Step, events)]
        expected = sum(w * loss for w, loss in zip(weights, losses, strict=True)) / sum(weights)
        assert of(Epoch, events)[0].train_loss == pytest.approx(expected, rel=1e-12)


def dictate_validation_losses(monkeypatch, *values):
    """Let validation (one batch an epoch) and then the test give these losses, whatever was learnt.

    Which epoch of a real training is the best depends on the machine's rounding.
    """
    real, left = BCEDice.__call__, iter(values)

    def dictated(self, output, mask, validating=False):
        return torch.tensor(next(left)) if validating else real(self, output, mask)

    monkeypatch.setattr(BCEDice, "__call__", dictated)


def test_strictly_lowest_validation_loss_is_what_is_tested(tiny_recipe, prepared, monkeypatch):
    recipe = tiny_recipe.change("fit.epochs", 4)
    shorter = run(recipe.change("fit.epochs", 2), prepared)[0]
    dictate_validation_losses(monkeypatch, 3.0, 1.0, 2.0, 1.0, 0.0)
    net, _, events = run(recipe.change("fit.keep", "lowest-validation-loss"), prepared)
    assert [epoch.validation_loss for epoch in of(Epoch, events)] == [3, 1, 2, 1]
    for ours, theirs in zip(net.state_dict().values(), shorter.state_dict().values(), strict=True):
        assert torch.equal(ours, theirs)


def test_plateau_halves_the_rate(tiny_recipe, prepared, monkeypatch):
    recipe = tiny_recipe.change("fit.rate", 0.1).change("fit.epochs", 7)
    recipe = recipe.change("fit.schedule", Plateau(factor=0.5, patience=1))
    dictate_validation_losses(monkeypatch, 3.0, 2.0, 2.5, 2.0, 1.0, 1.5, 1.5, 0.0)
    rates = [epoch.rate for epoch in of(Epoch, run(recipe, prepared)[2])]
    assert rates == [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025]


def test_an_epoch_tells_the_rate_of_the_next(tiny_recipe, prepared):
    """A cosine without warm-up; its formula is tested beside the optimizer."""
    recipe = tiny_recipe.change("fit.rate", 0.02).change("fit.schedule", Cosine(warmup=0, final=0.5))
    rates = [epoch.rate for epoch in of(Epoch, run(recipe, prepared)[2])]
    assert rates == pytest.approx([0.02 * 0.75, 0.02 * 0.5])


@pytest.mark.parametrize("keep", ["last", "lowest-validation-loss"])
def test_averaged_weights_are_those_computed_by_hand(tiny_recipe, prepared, keep):
    """The test and the run get the average of weights and running statistics; the training does not notice it."""
    decay = 0.3
    recipe = tiny_recipe.change("fit.average", decay).change("fit.keep", keep)
    plain = run(tiny_recipe, prepared)[2]
    split, net = start(recipe, prepared)
    state, byhand, ends, events = State.begin(recipe.fit, net), {}, [], []
    for event in run_loop(recipe, state, prepared, split, streams=RandomStreams(0, True)):
        events.append(event)
        if isinstance(event, Step):
            for name, tensor in net.state_dict().items():
                kept = min(decay, (1 + event.index) / (10 + event.index))
                whole = not event.index or not tensor.is_floating_point()
                value = tensor.double()
                byhand[name] = value.clone() if whole else kept * byhand[name] + (1 - kept) * value
        elif isinstance(event, Epoch):
            ends.append((event.validation_loss, dict(byhand)))
    expected = ends[-1] if keep == "last" else min(ends, key=lambda end: end[0])
    for name, tensor in state.evaluated_net.state_dict().items():
        assert torch.allclose(tensor.double(), expected[1][name], atol=1e-6), name
    assert [s.loss for s in of(Step, events)] == [s.loss for s in of(Step, plain)]
    assert [e.loss for e in of(EvaluatedBatch, events)] != [e.loss for e in of(EvaluatedBatch, plain)]
    image = prepared.batch(split.test, torch.device("cpu"))[0]
    with torch.no_grad():
        assert torch.equal(state.evaluated_net.eval()(image[:3]), of(EvaluatedBatch, events)[-1].output[:3])


def test_augmentation_changes_training_images_alone(tiny_recipe, prepared):
    recipe = tiny_recipe.change("fit.augment", AUGMENT).change("fit.rate", 1e-12)
    first, again = (run(recipe, prepared)[2] for _ in range(2))
    other = run(recipe.change("fit.augment.turn", 40), prepared)[2]
    still = run(recipe.change("fit.augment", None), prepared)[2]
    assert [s.loss for s in of(Step, first)] == [s.loss for s in of(Step, again)]
    for events in (other, still):
        assert [s.ids for s in of(Step, first)] == [s.ids for s in of(Step, events)]
        assert [s.loss for s in of(Step, first)] != [s.loss for s in of(Step, events)]
    # A network that hardly learns sees the same validation images; its running statistics are not theirs.
    norms = dataclasses.replace(recipe.net, norm="none")
    with_, without = (
        of(EvaluatedBatch, run(r.change("net", norms), prepared)[2])
        for r in (recipe, recipe.change("fit.augment", None))
    )
    for ours, theirs in zip(with_, without, strict=True):
        assert torch.allclose(ours.output, theirs.output, atol=1e-6)


def test_dropout_depends_on_the_step_alone(tiny_recipe, prepared):
    recipe = tiny_recipe.change("net.dropout", 0.5)
    assert [s.loss for s in of(Step, run(recipe, prepared)[2])] == [s.loss for s in of(Step, run(recipe, prepared)[2])]
    assert run(recipe, prepared)[2][0].loss != run(tiny_recipe, prepared)[2][0].loss


@pytest.mark.parametrize("spare_orders", [0, 1, 2])
def test_a_script_that_seeds_itself_draws_from_one_stream(tiny_recipe, prepared, spare_orders):
    """Weights, summary, then per epoch base and order seed of each opened training loader, base seed of validation.

    Written down with torch's own calls; nothing starts anew in between, and the seed of the run changes nothing.
    """
    own = OwnSeed(seed=5, summary_batch=2, spare_orders=spare_orders)
    _, split, events = run(tiny_recipe.change("fit.own_seed", own), prepared, seed=8)
    torch.manual_seed(5)
    tiny_recipe.net.build(1)
    torch.rand(2, 1, 32, 32)
    for epoch in range(2):
        seeds = [int(torch.empty((), dtype=torch.int64).random_()) for _ in range(2 * (spare_orders + 1))]
        torch.empty((), dtype=torch.int64).random_()
        order = torch.randperm(len(split.train), generator=torch.Generator().manual_seed(seeds[-1]))
        expected = [split.train[i] for i in order]
        assert [id for step in of(Step, events) if step.epoch == epoch for id in step.ids] == expected


@pytest.mark.slow
def test_initial_weights_are_those_the_script_drew(golden_case):
    """Spread and largest value of every parameter to six digits: split, order of layers and seed agree."""
    record, pipeline = golden_case.record, golden_case.pipeline
    _, net = draw_start(pipeline.recipe, golden_case.store.ids, record["seed"], pipeline.recipe.images.size)
    parameters = pipeline.to_original(dict(net.named_parameters()))
    for name, (std, largest) in record["architecture"]["own_init_std_absmax"].items():
        found = parameters[name].detach().double()
        assert found.std(correction=0).item() == pytest.approx(std, rel=6e-6, abs=1e-12), name
        assert found.abs().max().item() == pytest.approx(largest, rel=6e-6, abs=1e-12), name


def test_a_recipe_without_test_ends_after_its_epochs(tiny_recipe, prepared):
    events = run(tiny_recipe.change("test", None), prepared)[2]
    assert isinstance(events[-1], Epoch)


def test_a_loss_that_is_no_number_stops_the_training(tiny_recipe, prepared):
    split, net = start(tiny_recipe, prepared)
    with torch.no_grad():
        net.head.bias.fill_(float("nan"))
    with pytest.raises(UserError, match=r"epoch 1 is not a number; lower fit\.rate \(now 0\.01\)"):
        list(run_loop(tiny_recipe, State.begin(tiny_recipe.fit, net), prepared, split, streams=RandomStreams(0, True)))


@pytest.mark.parametrize("output", ["logits", "probability"])
@pytest.mark.parametrize("rate", [1e20, 1e30])
def test_a_training_that_diverges_ends_in_one_line_whatever_the_network_ends_in(tiny_recipe, prepared, output, rate):
    recipe = tiny_recipe.change("net.output", output).change("loss.reads", output).change("fit.rate", rate)
    for epochs in (1, 4):
        with pytest.raises(UserError, match=r"loss of epoch \d is (not a number|infinite); lower fit\.rate"):
            run(recipe.change("fit.epochs", epochs), prepared)


def test_finite_weights_that_make_no_numbers_end_in_that_line_too(tiny_recipe, prepared):
    """Weights of 1e30 are finite; what a network makes of them is not, and no step of the last epoch shows it."""
    split, net = start(tiny_recipe, prepared)
    recipe = tiny_recipe.change("fit.epochs", 1).change("fit.keep", "last")
    state = State.begin(recipe.fit, net)
    events = run_loop(recipe, state, prepared, split, streams=RandomStreams(0, True))
    for _ in range(-(-len(split.train) // recipe.fit.batch_size)):
        assert isinstance(next(events), Step)
    with torch.no_grad():
        for weights in net.parameters():
            weights.fill_(1e30)
    with pytest.raises(UserError, match=r"^the validation loss of epoch 1 is not a number; lower fit\.rate"):
        list(events)
    assert all(bool(weights.isfinite().all()) for weights in net.parameters())


def orders(recipe, prepared):
    """The cases of each step, epoch by epoch."""
    events = of(Step, run(recipe, prepared, seed=5)[2])
    return [[step.ids for step in events if step.epoch == epoch] for epoch in range(recipe.fit.epochs)]


def test_fixed_batches_are_those_of_the_split(tiny_recipe, prepared):
    recipe = tiny_recipe.change("fit.fixed_batches", 1).change("fit.batch_size", 8)
    split = start(recipe, prepared)[0]
    listed = [split.train[first : first + 8] for first in range(0, 20, 8)]
    assert orders(recipe, prepared) == [listed, listed]


def test_short_batches_are_dropped_in_every_part(tiny_recipe, prepared):
    recipe = tiny_recipe.change("fit.batch_size", 2).change("fit.drop_last", True).change("fit.epochs", 1)
    events = run(recipe, prepared)[2]
    assert {len(step.ids) for step in of(Step, events)} == {2}
    assert [len(e.ids) for e in of(EvaluatedBatch, events) if e.phase == "test"] == [2], "of three"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fit.drop_last": True}, "leaves 2 cases for the validation, and this recipe needs 4"),
        ({"split": WholeSplit(held_out=0.0, seed=1)}, "leaves 0 cases for the test, and this recipe needs 1"),
    ],
)
def test_a_part_without_a_batch_is_refused(tiny_recipe, prepared, changes, message):
    recipe = tiny_recipe
    for path, value in changes.items():
        recipe = recipe.change(path, value)
    with pytest.raises(UserError, match=message):
        start(recipe, prepared)


def test_no_split_validates_on_the_training_cases(tiny_recipe, prepared):
    recipe = tiny_recipe.change("split", WholeSplit(held_out=0.0, seed=1)).change("test", None)
    events = run(recipe.change("fit.epochs", 1), prepared)[2]
    assert [id for e in of(EvaluatedBatch, events) for id in e.ids] == list(prepared.ids)


def test_epoch_loss_as_a_sum_over_the_number_of_cases(tiny_recipe, prepared):
    recipe = tiny_recipe.change("fit.epoch_loss", "batches-over-cases").change("fit.epochs", 1)
    events = run(recipe, prepared)[2]
    losses = [step.loss.item() for step in of(Step, events)]
    assert of(Epoch, events)[0].train_loss == pytest.approx(sum(losses) / 20, rel=1e-12)
