"""AlexNet's tricks on CIFAR-10, one at a time, each compared with the same network without it on the same seeds (Krizhevsky et al. 2012)."""

import math
import statistics
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from .. import train, twin
from . import training
from .units import Run, Unit

STAGES = ((64,), (64,), (64, 64))
ARMS = {"base": {}, "pooling without overlap": dict(pool=2), "response normalisation": dict(lrn=0.01),
        "a convolution less": dict(stages=((64,), (64,), (64,))), "dropout": dict(dropout=0.5), "two towers": dict(groups=2),
        "half the width": dict(stages=((32,), (32,), (32, 32)))}
AUGMENTED = {"crops": dict(pad=4), "crops and mirror images": dict(pad=4, flip=True),
             "crops, mirror images and colour": dict(pad=4, flip=True, colour=0.1)}


def build(at, **options):
    if at.small:
        options["stages"] = tuple(tuple(width // 16 for width in stage) for stage in options.get("stages", STAGES))
    return twin.nets.SmallAlexNet(**{"stages": STAGES, "hidden": 16 if at.small else 256, **options})


def compare(at, seed, arms, weight_decay, epochs, batch):
    """A network for each trick, on the same batches: errors in percent, the final loss, and epochs to 80 % right in training."""
    nets = [training.seeded(seed, partial(build, at, **ARMS[name])) for name in arms]
    recipe = train.Recipe(epochs, 0.05, batch, weight_decay=weight_decay, schedule="one-cycle", seed=seed)
    history = training.fit(nets, at.pictures("cifar10", "train"), recipe, at.pictures("cifar10", "test"),
                        checkpoint=at.checkpoint, device=at.device)
    return {"training": [100 * (1 - share) for share in history["accuracy"][-1]], "loss": history["loss"][-1],
            "test": [100 * (1 - share) for share in history["test_accuracy"][-1]],
            "epochs": training.reached(history, "accuracy", 0.8)}


def augmented(at, seed, kind, epochs, batch):
    """The base network with augmented pictures: test errors in percent, of one view, of ten, and in coloured light."""
    images, test = at.pictures("cifar10", "train"), at.pictures("cifar10", "test")
    recipe = train.Recipe(epochs, 0.05, batch, schedule="one-cycle", seed=seed, **AUGMENTED[kind])
    net = training.seeded(seed, partial(build, at))
    training.fit([net], images, recipe, checkpoint=at.checkpoint, device=at.device)
    normal = training.statistics(images, at.device)
    light = np.random.default_rng(seed).uniform(0.5, 1.5, (len(test), 3, 1, 1))
    tinted = replace(test, images=(test.images * light).clip(0, 255).astype(np.uint8))

    def wrong(views):
        votes = sum(train.outputs(net, view, normal, at.device).softmax(1) for view in views)
        return 100 * (votes.argmax(1) != torch.as_tensor(test.labels)).double().mean().item()

    return {"one view": wrong([test]), "ten views": wrong(ten_views(test)), "coloured light": wrong([tinted])}


def ten_views(images, shift=2):
    """The picture and its four neighbours at a distance, each with its mirror image; at the border pixels repeat."""
    padded = np.pad(images.images, ((0, 0), (0, 0), (shift, shift), (shift, shift)), "edge")
    h, w = images.images.shape[2:]
    corners = [(shift, shift), (0, 0), (0, 2 * shift), (2 * shift, 0), (2 * shift, 2 * shift)]
    views = [padded[:, :, i:i + h, j:j + w] for i, j in corners]
    return [replace(images, images=view[:, :, :, ::step].copy()) for view in views for step in (1, -1)]


def units(small):
    limit = dict(epochs=2, batch=32) if small else dict(epochs=30, batch=128)
    found = []
    for seed in range(2 if small else 5):
        found += [Unit(compare, dict(seed=seed, arms=list(ARMS), weight_decay=0.0005, **limit)),
                  Unit(compare, dict(seed=seed, arms=["base"], weight_decay=0.0, **limit))]
        found += [Unit(augmented, dict(seed=seed, kind=kind, **limit)) for kind in AUGMENTED]
    return found


def t(differences):
    """Student's t of paired differences: their mean in standard errors; 0 where they do not vary."""
    spread = statistics.stdev(differences)
    return statistics.fmean(differences) / (spread / math.sqrt(len(differences))) if spread else 0.0


def summary(done):
    arms = [(setting, numbers) for setting, numbers in done if "arms" in setting]
    found = {name: {key: [numbers[key][n] for setting, numbers in arms if setting["weight_decay"]]
                    for key in ("training", "test", "loss", "epochs")} for n, name in enumerate(ARMS)}
    free = [numbers["loss"][0] for setting, numbers in arms if not setting["weight_decay"]]
    views = {kind: {view: [numbers[view] for setting, numbers in done if setting.get("kind") == kind]
                    for view in ("one view", "ten views", "coloured light")} for kind in AUGMENTED}
    epochs = arms[0][0]["epochs"]

    def less(a, b, key="test"):
        return [x - y for x, y in zip(found[a][key], found[b][key])]

    def gap(name):
        return [a - b for a, b in zip(found[name]["test"], found[name]["training"])]

    twice, light = views["crops and mirror images"], views["crops, mirror images and colour"]
    longer = [(a or epochs) / (b or epochs) for a, b in zip(found["dropout"]["epochs"], found["base"]["epochs"])]
    values = {f"{which} error in percent, {name}": found[name][which] for name in ARMS for which in ("training", "test")}
    values |= {f"test error in percent, {kind}, {view}": views[kind][view] for kind in views for view in views[kind]}
    overlap = [a - b for a, b in zip(gap("pooling without overlap"), gap("base"))]
    return values, {
        "depth-matters": less("a convolution less", "base"),
        "overlapping-pooling": less("pooling without overlap", "base"), "overlap-and-overfitting": t(overlap),
        "ten-views": [1 - b / a for a, b in zip(twice["one view"], twice["ten views"])],
        "colour-shifts-against-coloured-light": [a - b for a, b in zip(twice["coloured light"], light["coloured light"])],
        "dropout-takes-longer": longer, "dropout-against-overfitting": t(less("base", "dropout")),
        "lrn-lowers-error": less("base", "response normalisation"),
        "weight-decay-in-training": t([a - b for a, b in zip(free, found["base"]["loss"])]),
        "towers-against-half": less("half the width", "two towers")}


RUNS = {"tricks": Run(units, summary)}
