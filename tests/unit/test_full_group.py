"""Networks that train side by side: as each would alone, in whichever way, and to the same bits after a break."""

import contextlib
from dataclasses import replace

import pytest
import torch
from torch import nn

from dtwin import data, train
from dtwin.full import group, training

RECIPE = train.Recipe(epochs=2, lr=0.1, batch=64, momentum=0.8, weight_decay=0.01, schedule="linear", pad=1, flip=True)
RATES = [0.02, 0.1, 0.2]


def net(seed=0, dropout=0.0):
    return training.seeded(seed, lambda: nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(dropout),
        nn.Linear(64, 10)))


@pytest.fixture(scope="module")
def digits():
    return data.digits("train")[:150], data.digits("test")[:100]


def weights(nets):
    return [torch.cat([p.detach().flatten() for p in one.state_dict().values()]) for one in nets]


def trained(digits, way="loop", nets=None, **more):
    nets = nets or [net(seed) for seed in range(3)]
    more = {"rates": RATES, **more}
    return nets, training.fit(nets, digits[0], more.pop("recipe", RECIPE), digits[1], ways=group.Ways(way), **more)


@pytest.mark.parametrize("way", ["loop", "vmap"])
def test_each_network_of_a_group_trains_as_it_would_alone(digits, way):
    nets, history = trained(digits, way)
    for n, rate in enumerate(RATES):
        alone = net(n)
        expected = train.fit(alone, digits[0], replace(RECIPE, lr=rate), digits[1], device="cpu")
        torch.testing.assert_close(weights([nets[n]]), weights([alone]), rtol=1e-4, atol=1e-5)
        assert [loss[n] for loss in history["loss"]] == pytest.approx(expected.loss, rel=1e-4)
        assert [share[n] for share in history["accuracy"]] == pytest.approx(expected.accuracy, abs=0.01)
        assert [share[n] for share in history["test_accuracy"]] == pytest.approx(expected.test_accuracy, abs=0.011)
    assert history["loss"][-1] != pytest.approx([history["loss"][-1][0]] * 3, rel=0.01)


@pytest.mark.parametrize("way", ["loop", "vmap"])
def test_each_network_may_have_labels_of_its_own(digits, way):
    labels = torch.stack([(torch.as_tensor(digits[0].labels) + n) % 10 for n in range(2)], 1)
    nets, history = trained(digits, way, [net(), net()], labels=labels, rates=[0.1, 0.1])
    other = replace(digits[0], labels=labels[:, 1].numpy())
    alone = train.fit(net(), other, replace(RECIPE, lr=0.1), device="cpu")
    assert [loss[1] for loss in history["loss"]] == pytest.approx(alone.loss, rel=1e-4)


@pytest.mark.parametrize("way", ["loop", "vmap"])
def test_a_break_leaves_no_trace(digits, tmp_path, way):
    def go(checkpoint=None, until=None):
        return trained(digits, way, [net(seed, 0.5) for seed in range(3)], checkpoint=checkpoint, until=until)

    path, (whole, expected) = tmp_path / "group.pt", go()
    _, half = go(path, until=lambda history: True)
    assert len(half["loss"]) == 1 and path.exists()
    nets, history = go(path)
    assert [history[name] for name in ("loss", "accuracy", "test_accuracy")] == [
        expected[name] for name in ("loss", "accuracy", "test_accuracy")]
    assert all(a.equal(b) for a, b in zip(weights(nets), weights(whole)))


def test_checkpoints_keep_their_distance_where_they_cost_as_much_as_an_epoch(digits, tmp_path, monkeypatch):
    monkeypatch.setitem(training.EVERY, "cpu", 3600)
    trained(digits, checkpoint=tmp_path / "group.pt")
    assert not (tmp_path / "group.pt").exists()


class Stream:
    """A stream of a card that is not there."""

    def __init__(self, device=None):
        pass

    def wait_stream(self, other):
        pass


@pytest.mark.parametrize("refused", [False, True])
def test_a_step_that_cannot_be_recorded_is_taken_as_it_is(monkeypatch, capsys, refused):
    @contextlib.contextmanager
    def recording(graph):
        assert current == [main]
        current[0] = Stream()
        yield
        if refused:
            raise RuntimeError("operation not permitted when stream is capturing")
        current[0] = main

    class Graph:
        def replay(self):
            taken.append("replayed")

    main, taken = Stream(), []
    current = [main]
    for name, fake in {"Stream": Stream, "CUDAGraph": Graph, "graph": recording, "stream": contextlib.nullcontext,
                       "current_stream": lambda device: current[0],
                       "set_stream": lambda stream: current.__setitem__(0, stream)}.items():
        monkeypatch.setattr(torch.cuda, name, fake)
    step = group.Recorded(lambda x, y: taken.append(x.item()), torch.device("cuda"))
    for n in range(group.WARM + 3):
        step(torch.tensor(n), torch.tensor(0))
    assert current == [main] and taken[:group.WARM + 1] == [0, 1, 2, 3]
    assert taken[group.WARM + 1:] == ([3, 4, 5] if refused else ["replayed"] * 3)
    assert ("operation not permitted" in capsys.readouterr().err) == refused


def test_dropout_differs_between_the_networks_of_a_group(digits):
    nets, history = trained(digits, "vmap", [net(0, 0.5), net(0, 0.5)], rates=[0.1, 0.1])
    assert history["loss"][0][0] != history["loss"][0][1]


def test_weights_are_constrained_after_each_step(digits):
    def clamp(parameters):
        torch._foreach_clamp_max_(parameters, 0.01)

    nets, _ = trained(digits, nets=[net()], rates=[0.1], constrain=clamp)
    assert max(p.max().item() for p in nets[0].parameters()) <= 0.01


def test_a_schedule_of_ones_own_reaches_the_steps(digits):
    plain, still = (trained(digits, nets=[net()], rates=[0.1], **more)[1]["loss"][0][0]
                    for more in ({}, {"schedule": lambda t: 0.0}))
    assert still > plain


def test_smoothing_reaches_the_loss():
    x, y = torch.randn(50, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(50) % 10
    for smoothing in (0.0, 0.2):
        one = net()
        expected = torch.nn.functional.cross_entropy(one(x), y, label_smoothing=smoothing).item()
        several = group.Group([one], torch.device("cpu"), group.Ways(), [0.1])
        several.loss = several.loss * 0
        several.stepper(RECIPE, smoothing)(x, y)
        assert several.loss.item() / 50 == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("curve, expected", [([0.1, 0.5, 0.7], 2.5), ([0.1, 0.2], None), ([0.6], 1), ([0.8], 0.75)])
def test_the_epoch_at_which_a_level_is_reached_lies_between_two(curve, expected):
    (found,) = training.reached({"accuracy": [[value] for value in curve]}, "accuracy", 0.6)
    assert found == (expected and pytest.approx(expected))


@pytest.mark.parametrize("way", ["loop", "vmap"])
def test_a_group_that_starts_again_comes_to_the_same_numbers(digits, way):
    def once():
        several.restart([net(seed) for seed in range(3)])
        for epoch in range(2):
            several.epoch(step, pixels, labels, normal, RECIPE, train.SCHEDULES["linear"], epoch)
        several.unstack()
        return weights(several.nets)

    several = group.Group([net(9) for _ in range(3)], torch.device("cpu"), group.Ways(way), RATES)
    step, (pixels, labels) = several.stepper(RECIPE), group.loader.on_device(digits[0])
    normal = training.statistics(digits[0], "cpu")
    first, second = once(), once()
    assert all(a.equal(b) for a, b in zip(first, second)) and not first[0].equal(first[1])
    torch.testing.assert_close(first, weights(trained(digits, way)[0]))


def test_the_ways_of_a_device(monkeypatch):
    assert group.usual(torch.device("cpu"), alike=True) == group.Ways("vmap")
    fast = group.usual(torch.device("cuda"), alike=False)
    assert fast.side_by_side == "streams" and fast.graph and fast.half
    monkeypatch.setattr(group, "EAGER", True)
    assert group.usual(torch.device("cuda"), alike=True) == group.Ways(half=True, channels_last=True)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs and streams need a graphics card")
@pytest.mark.parametrize("ways", [group.Ways("streams"), group.Ways("streams", graph=True), group.Ways("vmap", graph=True)])
def test_on_a_graphics_card_graphs_and_streams_change_nothing_but_rounding(digits, ways, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)

    def losses(ways):
        nets = [net(seed) for seed in range(3)]
        return torch.tensor(training.fit(nets, digits[0], replace(RECIPE, epochs=4), rates=RATES, device=torch.device("cuda"), ways=ways)["loss"])

    torch.testing.assert_close(losses(ways), losses(group.Ways()), rtol=1e-3, atol=1e-3)
