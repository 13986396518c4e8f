"""Batch normalisation at one, five and thirty times the learning rate, with sigmoids, and beside dropout (Ioffe & Szegedy 2015)."""

import statistics
from functools import partial

from .. import train, twin
from . import training
from .units import Run, Unit

BASE = (0.003, 0.01, 0.03)  # rates among which the plain network has its best
TIMES = (1, 5, 30)
RATES = sorted({round(base * times, 3) for base in BASE for times in TIMES})
SMALL_NET = dict(stages=((4, 4), (8,)), hidden=16)
SIX = dict(stages=((32, 32), (64, 64), (128, 128)), hidden=128)
TEN = dict(stages=((32,) * 4, (64,) * 3, (128,) * 3), hidden=128)


def steps_of(at, batch_norm, seed, rates, epochs, batch):
    """Six convolutions with or without batch normalisation, one network for each rate: its test accuracy after each epoch."""
    build = partial(twin.nets.SmallAlexNet, batch_norm=batch_norm, **(SMALL_NET if at.small else SIX))
    recipe = train.Recipe(epochs, batch=batch, seed=seed)
    history = training.fit([training.seeded(seed, build) for _ in rates], at.pictures("cifar10", "train"), recipe,
                        at.pictures("cifar10", "test"), rates=rates, checkpoint=at.checkpoint, device=at.device)
    return {"curves": [list(curve) for curve in zip(*history["test_accuracy"])]}


def sigmoids(at, batch_norm, seed, rates, epochs, batch):
    """Ten convolutions and a dense layer of sigmoids: the right test answers in percent at the best of the rates."""
    build = partial(twin.nets.SmallAlexNet, activation=twin.sigmoid, batch_norm=batch_norm, **(SMALL_NET if at.small else TEN))
    recipe = train.Recipe(epochs, batch=batch, seed=seed)
    history = training.fit([training.seeded(seed, build) for _ in rates], at.pictures("cifar10", "train"), recipe,
                        at.pictures("cifar10", "test"), rates=rates, checkpoint=at.checkpoint, device=at.device)
    return {"test": 100 * max(history["test_accuracy"][-1])}


def beside_dropout(at, batch_norm, seed, dropouts, lr, epochs, batch):
    """The six convolutions, with or without batch normalisation, at each dropout of the dense layer: right answers in percent."""
    build = partial(twin.nets.SmallAlexNet, batch_norm=batch_norm, **(SMALL_NET if at.small else SIX))
    recipe = train.Recipe(epochs, lr, batch, seed=seed, schedule="linear")
    nets = [training.seeded(seed, partial(build, dropout=dropout)) for dropout in dropouts]
    history = training.fit(nets, at.pictures("cifar10", "train"), recipe, at.pictures("cifar10", "test"),
                        checkpoint=at.checkpoint, device=at.device)
    return {"test": [100 * share for share in history["test_accuracy"][-1]]}


def units(small):
    limit = dict(epochs=2, batch=32) if small else dict(epochs=20, batch=128)
    found = []
    for seed in range(1 if small else 3):
        for batch_norm in (False, True):
            common = dict(batch_norm=batch_norm, seed=seed)
            found += [Unit(steps_of, common | dict(rates=RATES[::4] if small else RATES, **limit)),
                      Unit(sigmoids, common | dict(rates=[0.1] if small else [0.01, 0.03, 0.1, 0.3], **limit)),
                      Unit(beside_dropout, common | dict(dropouts=[0.0, 0.5], lr=0.02, **limit))]
    return found


def summary(done):
    """Compare both kinds; the plain network's rate is the one at which its accuracy comes out best, mean over the seeds."""
    def of(work, batch_norm):
        return [(setting, numbers) for setting, numbers in done
                if setting["batch_norm"] == batch_norm and work in numbers]

    rates = of("curves", False)[0][0]["rates"]
    curves = {kind: {rate: [numbers["curves"][n] for _, numbers in of("curves", kind)] for n, rate in enumerate(rates)}
              for kind in (False, True)}
    base = max((rate for rate in rates if rate in BASE),
               key=lambda rate: statistics.fmean(max(curve) for curve in curves[False][rate]))
    seeds = range(len(curves[False][base]))
    goal = [max(curve) for curve in curves[False][base]]

    def epochs(kind, rate, seed):
        history = {"test": [[value] for value in curves[kind][rate][seed]]}
        return training.reached(history, "test", goal[seed])[0]

    def faster(rate):  # never as good is never faster
        return [epochs(False, base, seed) / (epochs(True, rate, seed) or float("inf")) for seed in seeds]

    at = {times: min(rates, key=lambda rate: abs(rate - base * times)) for times in TIMES}
    ratios = {times: faster(rate) for times, rate in at.items()}
    final = {(kind, times): [100 * (1 - curve[-1]) for curve in curves[kind][at[times]]] for kind in curves for times in TIMES}
    deep = {kind: [numbers["test"] for setting, numbers in of("test", kind) if "rates" in setting] for kind in (False, True)}
    cells = {(kind, n): [numbers["test"][n] for setting, numbers in of("test", kind) if "dropouts" in setting]
             for kind in (False, True) for n in (0, 1)}
    gain = {kind: statistics.fmean(cells[kind, 1]) - statistics.fmean(cells[kind, 0]) for kind in (False, True)}
    name = {False: "plain", True: "normalised"}
    values = {"best rate of the plain network": base, "its best accuracy in percent": [100 * value for value in goal]}
    values |= {f"steps of the plain network over normalised at {times} times its rate": ratios[times] for times in TIMES}
    values |= {f"test error in percent after all epochs, {name[kind]}, {times} times the rate": final[kind, times]
               for kind, times in final}
    values |= {f"right in percent, ten convolutions of sigmoids, {name[kind]}": deep[kind] for kind in deep}
    values |= {f"right in percent, {name[kind]}, {'with' if n else 'without'} dropout": cells[kind, n] for kind, n in cells}
    more = {times: [p - b for p, b in zip(final[False, times], final[True, times])] for times in (5, 30)}
    return values, {
        "batch-norm-on-imagenet": max(statistics.fmean(ratios[times]) for times in TIMES),
        "batch-norm-at-five-times": more[5], "batch-norm-at-thirty-times": more[30],
        "deep-sigmoids-with-batch-norm": deep[True], "deep-sigmoids-without": deep[False],
        "batch-norm-in-place-of-dropout": gain[False] - gain[True],
        "batch-norm-lowers-test-error": [b - p for b, p in zip(cells[True, 0], cells[False, 0])]}


RUNS = {"batch-norm": Run(units, summary)}
