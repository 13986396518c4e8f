"""The training of a group of networks, epoch by epoch, and what its history tells."""

import time

import torch

from .. import train
from ..data import loader
from ..data.store import replacing
from .group import Group, usual

EVERY = {"cuda": 30.0}  # seconds between two checkpoints, where to write one takes as long as an epoch


def fit(nets, images, recipe, test=None, rates=None, labels=None, schedule=None, constrain=None,
        until=None, checkpoint=None, device=torch.device("cpu"), ways=None, alike=False):
    """Train networks in place on an ImageSet; returns a dict of lists, for each epoch a list with a number a network.

    That are loss and accuracy of the training batches, test_accuracy where there is a `test` set, and the seconds of
    training. `rates` are the networks' own learning rates in place of the recipe's, `labels` (N, S) their own labels,
    `schedule` a function as in `train.SCHEDULES`. `constrain` is called with the parameters after each step, and
    `until` with the history after each epoch: where it says so, that was the last. A checkpoint is kept after each
    epoch as in `train.fit`, on a graphics card at most twice a minute. A network whose loss is no number any more goes
    on; its accuracy is that of guessing.
    """
    ways = ways or usual(device, alike)
    group = Group(nets, device, ways, rates or [recipe.lr] * len(nets))
    pixels, own = loader.on_device(images, device)
    normal = loader.statistics(pixels)
    labels = own if labels is None else torch.as_tensor(labels, device=device)
    history = {name: [] for name in ("loss", "accuracy", "test_accuracy", "seconds")}
    if checkpoint and checkpoint.exists():
        _resume(checkpoint, group, history)
    step = group.stepper(recipe, constrain=constrain)
    schedule = schedule or train.SCHEDULES[recipe.schedule]
    kept = time.monotonic()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        for epoch in range(len(history["loss"]), recipe.epochs):
            if until and history["loss"] and until(history):
                break
            start = time.perf_counter()
            group.epoch(step, pixels, labels, normal, recipe, schedule, epoch)
            history["loss"].append((group.loss / len(labels)).tolist())
            history["accuracy"].append((group.correct / len(labels)).tolist())
            history["seconds"].append(time.perf_counter() - start)
            if test is not None:
                history["test_accuracy"].append(group.evaluate(test, normal))
            if checkpoint and time.monotonic() - kept >= EVERY.get(device.type, 0):
                _save(checkpoint, group, history)
                kept = time.monotonic()
    group.unstack()
    group.train(False)
    return history


def _save(path, group, history):
    path.parent.mkdir(parents=True, exist_ok=True)
    group.unstack()
    with replacing(path) as file:
        torch.save({"nets": [net.state_dict() for net in group.nets], "velocity": group.velocity, "history": history}, file)


def _resume(path, group, history):
    state = torch.load(path, map_location=group.device, weights_only=True)
    history.update(state["history"])
    group.restart(state["nets"], state["velocity"])


def statistics(images, device):
    """The Statistics of a training set, as `fit` has them."""
    return loader.statistics(loader.on_device(images, device)[0])


def reached(history, name, level):
    """For each network of a group the epochs after which a number of its history passed a level, or None where it did not.

    Between two epochs the number is taken to run straight.
    """
    found = []
    for curve in zip(*history[name]):
        past = [value >= level for value in curve]
        if True not in past:
            found.append(None)
            continue
        n = past.index(True)
        before = curve[n - 1] if n else 0.0
        found.append(n + (level - before) / (curve[n] - before) if curve[n] > before else n + 1.0)
    return found


def seeded(seed, build):
    """A network built with the random numbers of a seed, which leaves those of the caller as they were."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return build()
