"""ReLU against tanh: after how many epochs is the training error 25 %? (Krizhevsky et al. 2012, Fig. 1.)"""

import math
import statistics

from torch import nn

from .. import train
from . import training
from .units import Run, Unit

RATES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]
STARTS = ("normal", "fan-in")
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}


def four_layers(activation, start, widths=(32, 32, 64)):
    """Three convolutions of 5×5, each with overlapping pooling, and one linear layer, as cuda-convnet's quick net.

    The weights start from normal numbers: all of one deviation, or scaled by the number of inputs.
    """
    layers, ins = [], 3
    for width in widths:
        layers += [nn.Conv2d(ins, width, 5, padding=2), ACTIVATIONS[activation](), nn.MaxPool2d(3, 2, 1)]
        ins = width
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(ins * 4 * 4, 10))
    for layer in net:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            deviation = math.sqrt((2 if activation == "relu" else 1) / layer.weight[0].numel())
            usual = 0.1 if isinstance(layer, nn.Linear) else 0.01
            nn.init.normal_(layer.weight, std=usual if start == "normal" else deviation)
            nn.init.zeros_(layer.bias)
    return net


def race(at, activation, start, seed, rates, epochs, error, batch):
    """Networks that differ in their rate alone, until the training error of the fastest is down: the epochs of each."""
    nets = [training.seeded(seed, lambda: four_layers(activation, start)) for _ in rates]
    recipe = train.Recipe(epochs, batch=batch, weight_decay=0.0, seed=seed)
    history = training.fit(nets, at.pictures("cifar10", "train"), recipe, rates=rates, checkpoint=at.checkpoint,
                        device=at.device, until=lambda so_far: max(so_far["accuracy"][-1]) >= 1 - error)
    return {"epochs": training.reached(history, "accuracy", 1 - error), "accuracy": history["accuracy"]}


def units(small):
    limit = dict(epochs=40, error=0.25, rates=RATES, batch=128)
    if small:
        limit = dict(epochs=2, error=0.85, rates=RATES[2:4], batch=20)
    return [Unit(race, dict(activation=activation, start=start, seed=seed, **limit))
            for seed in range(1 if small else 3) for start in STARTS for activation in ACTIVATIONS]


def summary(done):
    """How many times the epochs of ReLU tanh takes, each with its best rate and start; without an end, the limit counts."""
    best = {}
    for setting, numbers in done:
        key = setting["activation"], setting["start"], setting["seed"]
        best[key] = min((epochs or setting["epochs"] for epochs in numbers["epochs"]), default=setting["epochs"])
    seeds = sorted({seed for _, _, seed in best})

    def ratios(starts):
        return [min(best["tanh", start, seed] for start in starts) / min(best["relu", start, seed] for start in starts)
                for seed in seeds]

    values = {f"epochs to the training error, {name}, {start} start": [best[name, start, seed] for seed in seeds]
              for name in ACTIVATIONS for start in STARTS}
    values |= {f"tanh over ReLU, {start} start": ratios([start]) for start in STARTS}
    values["tanh over ReLU, each with its best start"] = ratios(STARTS)
    return values, {"relu-against-tanh": statistics.median(ratios(STARTS))}


RUNS = {"relu": Run(units, summary)}
