"""Training: what SGD does to the weights, what the history says, and that a run can be repeated, resumed and shared."""

import ast
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.optimizer import register_optimizer_step_pre_hook

from dtwin import data, train, twin
from dtwin.data import loader

QUICK = train.Recipe(epochs=2, lr=0.1, batch=100)


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    """Numbers are compared in full precision, also where a GPU would be taken and compute in bfloat16."""
    monkeypatch.setattr(train, "_device", lambda device: torch.device(device or "cpu"))


@pytest.fixture(scope="module")
def digits():
    return data.digits("train"), data.digits("test")


def mlp(seed=0, widths=(64, 16, 10), **options):
    torch.manual_seed(seed)
    return twin.nets.MLP(*widths, **options)


class Small(nn.Module):
    """A convolution, batch norm and dropout; notes the mode of each forward pass."""

    def __init__(self):
        torch.manual_seed(0)
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Linear(64, 10)
        self.modes = []

    def features(self, x):
        return twin.max_pool2d(twin.relu(self.norm(self.conv(x))), 2)

    def forward(self, x):
        self.modes.append(self.training)
        return self.fc(F.dropout(self.features(x).flatten(1), 0.5, self.training))


def weights(net):
    return torch.cat([p.detach().flatten().cpu() for p in net.state_dict().values()])


def numbers(history):
    return {name: value for name, value in vars(history).items() if name not in ("seconds", "statistics")}


def by_hand(net, images):
    """The loss of a net on all pictures at once, and the gradient of each of its parameters."""
    (x, y), = loader.batches(*loader.on_device(images), len(images), loader.statistics(loader.on_device(images)[0]))
    loss = F.cross_entropy(net(x), y)
    return loss.item(), torch.autograd.grad(loss, list(net.parameters()))


def test_a_net_learns_to_read_digits(digits, device):
    net = mlp()
    history = train.fit(net, digits[0], train.Recipe(epochs=8, lr=0.1, schedule="linear"), digits[1], device=device)
    assert history.test_accuracy[-1] > 0.93 and history.accuracy[-1] > 0.97
    assert history.loss[-1] < 0.2 * history.loss[0] and min(history.seconds) > 0
    assert train.evaluate(net, digits[1], history.statistics, device)[1] == pytest.approx(history.test_accuracy[-1])
    assert {len(values) for values in [*vars(history).values()][1:] if isinstance(values, list)} == {8}


def test_a_step_is_that_of_the_course_s_own_sgd(digits):
    images, net, other = digits[0][:50], mlp(), mlp()
    velocities = [torch.zeros_like(p) for p in other.parameters()]
    for epoch in range(2):
        _, gradients = by_hand(other, images)
        for n, (p, gradient) in enumerate(zip(other.parameters(), gradients)):
            p.data, velocities[n] = twin.sgd_momentum(p.data, gradient, velocities[n], 0.2, 0.8, 0.01)
    train.fit(net, images, train.Recipe(2, lr=0.2, batch=50, momentum=0.8, weight_decay=0.01))
    torch.testing.assert_close(weights(net), weights(other))


def test_the_history_has_the_loss_and_the_norm_of_each_gradient(digits):
    images, net = digits[0][:50], mlp()
    loss, gradients = by_hand(net, images)
    history = train.fit(net, images, train.Recipe(1, lr=0, batch=50))
    assert history.loss == [pytest.approx(loss, rel=1e-5)]
    assert list(history.gradients) == [name for name, _ in net.named_parameters()]
    norms = [norm for norm, in history.gradients.values()]
    assert norms == pytest.approx([g.norm().item() for g in gradients], rel=1e-4)


def test_the_loss_of_an_epoch_is_the_mean_over_pictures_also_when_the_last_batch_is_small(digits):
    whole, parts = (train.fit(mlp(), digits[0][:70], train.Recipe(1, lr=0, batch=batch)) for batch in (70, 64))
    assert parts.loss == [pytest.approx(whole.loss[0], rel=1e-5)] and parts.accuracy == whole.accuracy


def test_every_batch_counts_by_its_own_size_and_norms_are_means_over_the_steps(digits, monkeypatch):
    seen, plain = [], loader.batches
    monkeypatch.setattr(loader, "batches", lambda *a: seen.append(list(plain(*a))) or iter(seen[-1]))
    net = mlp()
    history = train.fit(net, digits[0][:70], train.Recipe(1, lr=0, batch=64))
    first, last = (torch.autograd.grad(F.cross_entropy(net(x), y), net.layers[1].weight)[0].norm() for x, y in seen[-1])
    assert len(seen[-1][1][1]) == 6 and last > 1.2 * first
    assert history.gradients["layers.1.weight"] == [pytest.approx(((first + last) / 2).item(), rel=1e-4)]


def test_dead_units_are_counted(digits):
    net = mlp(widths=(64, 15, 10))
    net.layers[0].bias.data[:5] = -1000  # of 25 units
    assert train.fit(net, digits[0], QUICK).dead == [pytest.approx(0.2)] * 2


@pytest.mark.parametrize("schedule", train.SCHEDULES)
def test_a_schedule_begins_and_ends_as_it_should_and_each_step_follows_it(digits, schedule):
    rates = []
    hook = register_optimizer_step_pre_hook(
        lambda optimiser, *_: rates.append(optimiser.param_groups[0]["lr"]))
    try:
        train.fit(mlp(), digits[0][:80], train.Recipe(epochs=10, lr=0.5, batch=10, schedule=schedule))
    finally:
        hook.remove()
    assert rates == [0.5 * train.SCHEDULES[schedule](n / 80) for n in range(80)]
    expected = {"constant": (1, 1, 1), "linear": (1, 0.5, 1 / 80), "cosine": (1, 0.5, 0), "steps": (1, 0.1, 0.01),
                "one-cycle": (0.05, 0.625, 1 / 64)}[schedule]
    assert np.array(rates)[[0, 40, 79]] / 0.5 == pytest.approx(expected, abs=1e-3)
    assert max(rates) == 0.5


def test_the_training_set_alone_is_augmented(digits, monkeypatch):
    calls, plain = [], loader.batches
    monkeypatch.setattr(loader, "batches", lambda *a: calls.append(a[4:]) or plain(*a))
    train.fit(mlp(), digits[0], replace(QUICK, epochs=1, pad=2, flip=True, colour=0.1), digits[1])
    augmented = [call[1:] for call in calls if call]
    assert augmented == [(2, True, 0.1)] and len(calls) == 3  # the others: a first look at the net, and the test set


def test_each_epoch_has_an_order_and_an_augmentation_of_its_own(digits, monkeypatch):
    epochs, plain = [], loader.batches
    monkeypatch.setattr(loader, "batches", lambda *a: epochs.append(list(plain(*a))) or iter(epochs[-1]))
    history = train.fit(mlp(), digits[0][:50], train.Recipe(epochs=2, lr=0, batch=50, pad=1))
    _, (first,), (second,) = epochs  # after a look at one picture
    assert first[1].tolist() != second[1].tolist() and history.loss[0] != pytest.approx(history.loss[1], rel=1e-4)


def test_modes_are_switched_for_training_and_back(digits):
    net = Small().eval()
    history = train.fit(net, digits[0][:100], train.Recipe(1, batch=50), digits[1][:100])
    assert net.modes == [False, True, True, False] and not net.training
    train.evaluate(net.train(), digits[1], history.statistics)
    assert net.training and net.modes[-1] is False


def test_the_seed_decides_and_the_callers_random_numbers_stay_as_they_were(digits):
    recipe = replace(QUICK, pad=1, seed=3)
    torch.manual_seed(7)
    before = torch.get_rng_state()
    nets = [Small() for _ in range(3)]
    torch.set_rng_state(before)
    histories = [numbers(train.fit(net, digits[0][:300], replace(recipe, seed=seed)))
                 for net, seed in zip(nets, (3, 3, 4))]
    assert torch.get_rng_state().equal(before)
    assert histories[0] == histories[1] != histories[2] and weights(nets[0]).equal(weights(nets[1]))


def test_several_nets_answer_with_the_mean_of_their_probabilities(digits):
    nets = [mlp(seed) for seed in range(3)]
    statistics = train.fit(nets[0], digits[0], QUICK).statistics
    both = train.outputs(train.Average(nets), digits[1], statistics).exp()
    each = [train.outputs(net, digits[1], statistics).softmax(1) for net in nets]
    torch.testing.assert_close(both, sum(each) / 3)
    score = train.evaluate(train.Average(nets), digits[1], statistics)
    right = both[torch.arange(360), torch.as_tensor(digits[1].labels)]
    assert score.loss == pytest.approx(-right.log().mean().item(), rel=1e-5)


def test_outputs_of_a_method_are_those_of_evaluation_mode(digits):
    net = Small()
    statistics = loader.statistics(loader.on_device(digits[0])[0])
    maps = train.outputs(net.features, digits[1], statistics, batch=100)
    assert maps.shape == (360, 4, 4, 4) and net.training
    torch.testing.assert_close(net.eval().fc(maps.flatten(1)), train.outputs(net, digits[1], statistics))


def test_an_interrupted_run_goes_on_to_the_same_bits(digits, tmp_path, monkeypatch):
    recipe = train.Recipe(epochs=4, lr=0.05, batch=100, schedule="cosine", pad=1)
    whole, net, path = Small(), Small(), tmp_path / "runs" / "digits.pt"
    expected = train.fit(whole, digits[0], recipe, digits[1])
    epoch = train._epoch
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(train, "_epoch", lambda *a: epoch(*a) if a[3] < 2 else _interrupt(*a))
        train.fit(Small(), digits[0], recipe, digits[1], path)
    assert [p.name for p in path.parent.iterdir()] == ["digits.pt"]
    for _ in range(2):  # once to the end, and once more from there, where nothing is left to do
        history = train.fit(net, digits[0], recipe, digits[1], path)
        assert numbers(history) == numbers(expected) and len(history.seconds) == 4
        assert weights(net).equal(weights(whole)) and not net.training
        assert sum(whole.modes) == 60 and sum(net.modes) == 30


def _interrupt(*_):
    raise KeyboardInterrupt


def test_a_checkpoint_is_whole_or_as_it_was(digits, tmp_path, monkeypatch):
    path = tmp_path / "net.pt"
    train.fit(mlp(), digits[0], QUICK, checkpoint=path)
    before = path.read_bytes()

    def half(state, file):
        file.write(b"half")
        raise OSError("the disk is full")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match="the disk is full"):
        train._save(path, {}, mlp(), torch.optim.SGD(mlp().parameters()), train.History(None))
    assert path.read_bytes() == before


@pytest.mark.parametrize("change, named", [
    (dict(recipe=replace(QUICK, lr=0.2, seed=1)), "lr, seed"), (dict(net=(64, 17, 10)), "parameters"),
    (dict(first=1), "pictures"), (dict(activation=twin.tanh), "layers"), (dict(test=slice(100)), "test pictures"),
])
def test_a_checkpoint_of_another_run_is_refused(digits, tmp_path, change, named):
    path = tmp_path / "net.pt"
    train.fit(mlp(), digits[0][:200], QUICK, checkpoint=path)
    first = change.get("first", 0)
    with pytest.raises(ValueError, match=f"fit: got a checkpoint of another run, .*net.pt, which differs in {named}, "):
        train.fit(mlp(widths=change.get("net", (64, 16, 10)), activation=change.get("activation", twin.relu)),
                  digits[0][first:first + 200], change.get("recipe", QUICK),
                  digits[1][change["test"]] if "test" in change else None, path)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", {"net": {}}, torch.zeros(2), [1], {"identity": 1}])
def test_a_file_that_is_no_checkpoint_is_refused_and_kept(digits, tmp_path, content):
    path = tmp_path / "net.pt"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="fit: .*net.pt cannot be read as a checkpoint"):
        train.fit(mlp(), digits[0], QUICK, checkpoint=path)
    assert path.read_bytes() == before


def test_bad_sets_are_refused(digits):
    images, statistics = digits[0], loader.statistics(loader.on_device(digits[0])[0])
    with pytest.raises(ValueError, match="fit: got <digits, train: 0 of 1 x 8 x 8, 10 classes>, expected at least one"):
        train.fit(mlp(), images[:0], QUICK)
    with pytest.raises(ValueError, match="fit: got <digits, test: 0 of 1 x 8 x 8, 10 classes>, expected at least one"):
        train.fit(mlp(), images, QUICK, digits[1][:0])
    with pytest.raises(ValueError, match="outputs: got <digits.* expected at least one picture"):
        train.evaluate(mlp(), images[:0], statistics)
    five = mlp(widths=(64, 8, 5))
    with pytest.raises(ValueError, match="fit: got labels up to 9 in <digits.* expected labels below 5, the number"):
        train.fit(five, images, QUICK)
    with pytest.raises(ValueError, match="evaluate: got labels up to 9 in <digits"):
        train.evaluate(five, images, statistics)


@pytest.mark.parametrize("setting, message", [
    (dict(epochs=0), "epochs=0, expected 1 to inf"), (dict(batch=0), "batch=0, expected 1 to inf"),
    (dict(lr=-0.1), "lr=-0.1, expected 0 to inf"), (dict(lr=float("nan")), "lr=nan"),
    (dict(momentum=1.5), "momentum=1.5, expected 0 to 1"),
    (dict(weight_decay=-1), "weight_decay=-1, expected 0 to inf"),
    (dict(pad=-1), "pad=-1"), (dict(colour=-1), "colour=-1"),
    (dict(schedule="square"), "schedule='square', expected one of constant, linear, cosine, steps, one-cycle"),
])
def test_bad_recipes_are_refused(setting, message):
    with pytest.raises(ValueError, match=f"Recipe: got {message}"):
        train.Recipe(**{"epochs": 1, **setting})


def test_a_loss_that_is_no_number_stops_the_run_and_says_where(digits):
    recipe = train.Recipe(epochs=20, lr=1e12, batch=500)
    with pytest.raises(FloatingPointError, match=r"fit: the loss is (nan|inf) at epoch \d+, step [1-3] of 3; try"):
        train.fit(mlp(), digits[0], recipe)


SHARED = """
import json, os, sys, torch
from dtwin import data, train, twin
torch.set_num_threads(1)
torch.manual_seed(int(os.environ.get("RANK", 0)))  # the processes begin with the first one's weights
net = twin.nets.MLP(64, 16, 10)
recipe = train.Recipe(epochs=3, lr=0.1, batch=101, schedule="linear", pad=1)  # 1437 = 14 * 101 + 23
path = sys.argv[1] + ".pt"
history = train.fit(net, data.digits("train"), recipe, data.digits("test"), checkpoint=path, device="cpu")
if os.environ.get("RANK", "0") == "0":
    gradients = [norm for norms in history.gradients.values() for norm in norms]
    weights = [w for p in net.parameters() for w in p.flatten().tolist()]
    json.dump([history.loss, history.accuracy, history.test_loss, gradients, weights], open(sys.argv[1], "w"))
"""


def test_two_processes_do_what_one_does(tmp_path):
    script, results = tmp_path / "shared.py", []
    script.write_text(SHARED)
    environment = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE")} | {"TQDM_DISABLE": "1"}
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for name, how in (("one", []), ("two", launch)):
        result = tmp_path / name
        subprocess.run([sys.executable, *how, str(script), str(result)], check=True, timeout=300,
                       env=environment | {"OMP_NUM_THREADS": "1"})
        results.append(json.loads(result.read_text()))
        assert result.with_suffix(".pt").exists()
    for one, two in zip(*results):
        assert two == pytest.approx(one, rel=1e-3, abs=1e-5)


def test_training_knows_torch_and_the_data_and_nothing_else():
    tree = ast.parse(Path(train.__file__).read_text())
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names = {name.split(".")[0] for name in plain}
    sources = [(node.level, node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert {module.split(".")[0] for level, module in sources if level} == {"data", "modes"}
    names |= {module.split(".")[0] for level, module in sources if not level}
    assert names - sys.stdlib_module_names == {"torch", "tqdm"}
