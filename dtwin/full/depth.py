"""Plain and residual nets of 20 to 110 layers on CIFAR-10 (He et al. 2016, section 4.2: Table 6 and Fig. 6)."""

import statistics
from functools import partial

from .. import train
from ..twin import nets
from . import training
from .units import Run, Unit

PUBLISHED = {20: 8.75, 32: 7.51, 44: 7.17, 56: 6.97, 110: 6.43}  # test error in percent, Table 6
SEEDS = {("residual", 20): 5, ("residual", 32): 3, ("residual", 44): 3, ("residual", 56): 3, ("residual", 110): 1,
         ("plain", 20): 3, ("plain", 56): 3}


def net(kind, layers):
    return nets.cifar(((layers - 2) // 6,) * 3, shortcut="A" if kind == "residual" else None)


def train_them(at, kind, layers, seed, epochs, batch, schedule, lr):
    """Networks of one kind, one for each seed, with He's augmentation; their errors in percent, and that of their mean."""
    images, test = at.pictures("cifar10", "train"), at.pictures("cifar10", "test")
    recipe = train.Recipe(epochs, lr, batch, weight_decay=0.0001, schedule=schedule, pad=4, flip=True, seed=seed[0])
    several = [training.seeded(one, partial(net, kind, 8 if at.small else layers)) for one in seed]
    history = training.fit(several, images, recipe, test, checkpoint=at.checkpoint, device=at.device)
    found = {"training": [100 * (1 - share) for share in history["accuracy"][-1]],
             "test": [100 * (1 - share) for share in history["test_accuracy"][-1]]}
    score = train.evaluate(train.Average(several), test, training.statistics(images, at.device), at.device)
    return found | {"together": 100 * (1 - score.accuracy)}


def units(small, **recipe):
    if small:
        recipe |= dict(epochs=2, batch=16)
    return [Unit(train_them, dict(kind=kind, layers=layers, seed=list(range(1 if small else count)), **recipe))
            for (kind, layers), count in SEEDS.items() if not small or layers in (20, 32, 56)]


def summary(done):
    found = {(setting["kind"], setting["layers"]): numbers for setting, numbers in done}
    values = {f"{which} error in percent, {kind} net of {layers} layers": numbers[which]
              for (kind, layers), numbers in found.items() for which in ("training", "test")}
    medians = {layers: statistics.median(numbers["test"]) for (kind, layers), numbers in found.items() if kind == "residual"}
    values |= {f"median test error less He's, {layers} layers": medians[layers] - PUBLISHED[layers] for layers in medians}

    def rise(kind):
        return statistics.fmean(found[kind, 56]["training"]) - statistics.fmean(found[kind, 20]["training"])

    five = found["residual", 20]
    values["test error in percent, mean answer of the residual nets of 20 layers"] = five["together"]
    return values, {
        "resnets-on-cifar10": min(medians[20] - medians[32], medians[32] - medians[56]),
        "deeper-plain-trains-worse": rise("plain"), "deeper-residual-trains": rise("residual"),
        "model-averaging": 1 - five["together"] / max(min(five["test"]), 1e-9)}


def summary_of_paper(done):
    return summary(done)[0], {}


BUDGET = dict(epochs=40, batch=128, schedule="one-cycle", lr=0.2)
PAPER = dict(epochs=164, batch=128, schedule="steps", lr=0.1)
RUNS = {"depth": Run(partial(units, **BUDGET), summary), "depth-paper": Run(partial(units, **PAPER), summary_of_paper)}
