"""Networks that fit random labels as well (Zhang et al. 2017: Fig. 1, Tables 1 and 2), and what regularisers add."""

import statistics
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .. import train, twin
from . import training
from .units import Run, Unit

CONDITIONS = ("true labels", "random labels", "shuffled pixels", "random pixels", "Gaussian")
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
REGULARISERS = {"none": {}, "weight decay": dict(weight_decay=0.0005), "random crops": dict(pad=2),
                "both": dict(weight_decay=0.0005, pad=2)}
PUBLISHED = {"none": 85.75, "weight decay": 86.03, "random crops": 89.31, "both": 89.05}


class Inception(nn.Module):
    """Zhang's small Inception, with batch normalisation: x (N, 3, 28, 28) → (N, 10). A pair is a module of two branches."""

    PLAN = [(32, 32), (32, 48), 80, (112, 48), (96, 64), (80, 80), (48, 96), 96, (176, 160), (176, 160)]

    def __init__(self, plan=PLAN, first=96):
        super().__init__()
        self.first, self.parts, ins = self._unit(3, first, 3), nn.ModuleList(), first
        for part in plan:
            if isinstance(part, tuple):
                self.parts.append(nn.ModuleList([self._unit(ins, part[0], 1), self._unit(ins, part[1], 3)]))
                ins = sum(part)
            else:
                self.parts.append(nn.ModuleList([self._unit(ins, part, 3, 2), nn.MaxPool2d(3, 2, 1)]))
                ins += part
        self.fc = nn.Linear(ins, 10)

    @staticmethod
    def _unit(ins, outs, size, stride=1):
        return nn.Sequential(nn.Conv2d(ins, outs, size, stride, size // 2), nn.BatchNorm2d(outs), nn.ReLU())

    def forward(self, x):
        x = self.first(x)
        for branches in self.parts:
            x = torch.cat([branch(x) for branch in branches], 1)
        return self.fc(x.mean((2, 3)))


class AlexNet(nn.Module):
    """Zhang's small AlexNet: two convolutions, each with pooling and response normalisation, and three linear layers."""

    def __init__(self, width=64, hidden=(384, 192)):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(3, width, 5, padding=2), nn.Conv2d(width, width, 5, padding=2)])
        self.dense = twin.nets.MLP(width * 7 * 7, *hidden, 10)

    def forward(self, x):
        for conv in self.convs:
            x = twin.local_response_norm(F.max_pool2d(torch.relu(conv(x)), 3, 2, 1))
        return self.dense(x)


NETS = {"Inception": Inception, "AlexNet": AlexNet, "MLP 3 × 512": partial(twin.nets.MLP, 3 * 28 * 28, 512, 512, 512, 10),
        "MLP 1 × 512": partial(twin.nets.MLP, 3 * 28 * 28, 512, 10)}
TINY = {"Inception": partial(Inception, [(4, 4), 8], 8), "AlexNet": partial(AlexNet, 8, (32, 16))}
RATES = {"Inception": 0.1}  # of the others 0.01, as in the paper


def cropped(images):
    return replace(images, images=images.images[:, :, 2:30, 2:30])


def corrupted(labels, share, seed):
    """Labels of which a share is drawn anew from ten classes, right ones among them, as in the paper."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(10, size=len(labels))
    return np.where(rng.random(len(labels)) < share, drawn, labels)


def altered(images, condition, seed):
    """Training pictures with no more than the condition leaves of them: pixels shuffled all alike, each picture its own way, or drawn."""
    rng, pixels = np.random.default_rng(seed), images.images
    n, c, h, w = pixels.shape
    if condition == "shuffled pixels":
        pixels = pixels.reshape(n, c, -1)[:, :, rng.permutation(h * w)].reshape(pixels.shape)
    elif condition == "random pixels":
        order = rng.random((n, 1, h * w), np.float32).argsort(2)
        pixels = np.take_along_axis(pixels.reshape(n, c, -1), order, 2).reshape(pixels.shape)
    elif condition == "Gaussian":
        mean, deviation = pixels.mean((0, 2, 3)), pixels.std((0, 2, 3))
        drawn = rng.standard_normal(pixels.shape, np.float32) * deviation[:, None, None] + mean[:, None, None]
        pixels = drawn.clip(0, 255).astype(np.uint8)
    return replace(images, images=np.ascontiguousarray(pixels))


def learn(at, net, condition, shares, seed, epochs, batch):
    """Networks that begin alike, one for each share of corrupted labels: epochs to fit 99.5 %, and how well in the end."""
    build = (TINY if at.small else {}).get(net, NETS[net])
    images = altered(cropped(at.pictures("cifar10", "train")), condition, seed)
    test = cropped(at.pictures("cifar10", "test"))
    labels = np.stack([corrupted(images.labels, share, seed + 100) for share in shares], 1)
    recipe = train.Recipe(epochs, RATES.get(net, 0.01), batch, weight_decay=0.0, seed=seed)
    several = [training.seeded(seed, build) for _ in shares]
    history = training.fit(several, images, recipe, test, labels=labels, schedule=lambda t: 0.95 ** (epochs * t // 1),
                        checkpoint=at.checkpoint, device=at.device, alike=net.startswith("MLP"),
                        until=lambda so_far: min(so_far["accuracy"][-1]) == 1)
    return {"fitted": training.reached(history, "accuracy", 0.995), "epochs": len(history["loss"]),
            "training": history["accuracy"][-1], "test": history["test_accuracy"][-1]}


def units_of_labels(small):
    limit = dict(epochs=2, batch=32) if small else dict(epochs=100, batch=128)
    seeds = range(1 if small else 3)
    found = [Unit(learn, dict(net="AlexNet", condition="true labels", shares=list(SHARES), seed=seed, **limit)) for seed in seeds]
    found += [Unit(learn, dict(net="AlexNet", condition=condition, shares=[0.0], seed=seed, **limit))
              for condition in CONDITIONS[2:] for seed in seeds]
    return found + [Unit(learn, dict(net=net, condition="true labels", shares=[0.0, 1.0], seed=0, **limit))
                    for net in NETS if net != "AlexNet"]


def summary_of_labels(done):
    found = [(setting, share, numbers, n) for setting, numbers in done for n, share in enumerate(setting["shares"])]

    def curve(net, condition, share, which, scale=1):
        there = [(s, numbers[which][n]) for s, one, numbers, n in found
                 if (s["net"], s["condition"], one) == (net, condition, share)]
        # who never fits has not done so when the training ends
        return [scale * (s["epochs"] if value is None else value) for s, value in there]

    def epochs(condition):
        share = 1.0 if condition == "random labels" else 0.0
        return curve("AlexNet", "true labels" if share else condition, share, "fitted")

    test = {share: [100 - value for value in curve("AlexNet", "true labels", share, "test", 100)] for share in SHARES}
    means = [statistics.fmean(test[share]) for share in SHARES]
    order = zip(epochs("true labels"), epochs("Gaussian"), epochs("random labels"))
    random = {net: {which: curve(net, "true labels", 1.0, which, 100) for which in ("training", "test")} for net in NETS}
    values = {f"epochs to fit, AlexNet, {condition}": epochs(condition) for condition in CONDITIONS}
    values |= {f"test error in percent, AlexNet, {share:.0%} of the labels corrupted": test[share] for share in SHARES}
    values |= {f"right in percent, {net}, random labels, {which} pictures": random[net][which]
               for net in NETS for which in random[net]}
    fitted = [value for net in NETS for value in random[net]["training"]]
    trained = [100 * (1 - one) for setting, numbers in done if setting["net"] == "AlexNet" for one in numbers["training"]]
    return values, {
        "zhang-on-cifar10": min(fitted), "every-hat-is-learned": max(trained),
        "true-labels-are-learned-first": sum(not a < b < c for a, b, c in order),
        "random-labels-are-slower": statistics.fmean(epochs("random labels")) / statistics.fmean(epochs("true labels")),
        "error-grows-with-corruption": sum(b < a for a, b in zip(means, means[1:])),
        "corruption-ends-in-guessing": test[1.0],
        "error-is-linear-in-corruption": float(np.corrcoef(SHARES, means)[0, 1] ** 2) if np.ptp(means) else 0.0}


def regularised(at, kind, seed, epochs, batch):
    """The small Inception with true labels and one kind of regulariser, or none: right answers in percent."""
    build = TINY["Inception"] if at.small else Inception
    sets = [cropped(at.pictures("cifar10", split)) for split in ("train", "test")]
    recipe = train.Recipe(epochs, 0.1, batch, seed=seed, **{"weight_decay": 0.0, **REGULARISERS[kind]})
    history = training.fit([training.seeded(seed, build)], sets[0], recipe, sets[1], checkpoint=at.checkpoint, device=at.device,
                        schedule=lambda t: 0.95 ** (epochs * t // 1))
    return {which: 100 * history[name][-1][0] for which, name in (("training", "accuracy"), ("test", "test_accuracy"))}


def units_of_regularisers(small):
    limit = dict(epochs=2, batch=32) if small else dict(epochs=60, batch=128)
    return [Unit(regularised, dict(kind=kind, seed=0, **limit)) for kind in REGULARISERS]


def summary_of_regularisers(done):
    found = {setting["kind"]: numbers for setting, numbers in done}
    values = {f"right in percent, small Inception, {kind}, {which} pictures": numbers[which]
              for kind, numbers in found.items() for which in ("training", "test")}
    test = {kind: numbers["test"] for kind, numbers in found.items()}
    values |= {f"right test answers less Zhang's, {kind}": test[kind] - PUBLISHED[kind] for kind in test}
    return values, {"regularisers-on-cifar10": max(test.values()) - min(test.values())}


RUNS = {"labels": Run(units_of_labels, summary_of_labels),
        "regularisers": Run(units_of_regularisers, summary_of_regularisers)}
