"""What keeps a network from overfitting: dropout in dense and in convolutional networks (Srivastava et al. 2014)."""

import statistics

import torch
from torch import nn
from torch.nn import functional as F

from .. import train
from . import training
from .units import Run, Unit

KEEPS = (0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0)
WHERE = {"no dropout": (0, 0), "dense layers": (0, 0.5), "all layers": (0.25, 0.5)}


class Dense(nn.Module):
    """Three hidden layers of ReLUs; units are kept with the probability `keep`, inputs with 0.8 where units are dropped.

    The probability is a buffer, so that networks with several can be stacked.
    """

    def __init__(self, keep, width=1024, inputs=784):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in ((inputs, width), (width, width), (width, width)))
        self.last = nn.Linear(width, 10)
        self.register_buffer("keep", torch.tensor(float(keep)))
        self.register_buffer("keep_input", torch.tensor(0.8 if keep < 1 else 1.0))

    def last_hidden(self, x):
        x = self.drop(x.flatten(1), self.keep_input)
        *first, last = self.layers
        for layer in first:
            x = self.drop(torch.relu(layer(x)), self.keep)
        return torch.relu(last(x))

    def drop(self, x, keep):
        return x * (torch.rand_like(x) < keep) / keep if self.training else x

    def forward(self, x):
        return self.last(self.drop(self.last_hidden(x), self.keep))


def max_norm(longest):
    """A function that shortens the weights into each hidden unit to a length (Srivastava's c); biases have one axis less."""
    def constrain(parameters):
        for p in parameters[:-2:2]:  # weights and biases take turns; the last layer is free
            p.mul_((longest / p.norm(dim=-1, keepdim=True).clamp(min=1e-12)).clamp(max=1.0))
    return constrain


def read_clothes(at, seed, keeps, longest, epochs, batch, width):
    """Dense networks that differ in what they keep: test errors in percent, and the mean activation of the last hidden layer."""
    images, test = at.pictures("fashion_mnist", "train"), at.pictures("fashion_mnist", "test")
    nets = [training.seeded(seed, lambda: Dense(keep, width)) for keep in keeps]
    recipe = train.Recipe(epochs, 0.05, batch, momentum=0.95, weight_decay=0.0, schedule="linear", seed=seed)
    history = training.fit(nets, images, recipe, test, constrain=max_norm(longest) if longest else None,
                        checkpoint=at.checkpoint, device=at.device, alike=True)
    normal = training.statistics(images, at.device)
    active = [train.outputs(net.last_hidden, test, normal, at.device).mean().item() for net in nets]
    return {"test": [100 * (1 - share) for share in history["test_accuracy"][-1]], "active": active}


def units_of_dropout(small):
    limit = dict(epochs=2, batch=32, width=16) if small else dict(epochs=100, batch=128, width=1024)
    return [Unit(read_clothes, dict(seed=seed, keeps=list(keeps), longest=longest, **limit))
            for seed in range(1 if small else 3) for keeps, longest in ((KEEPS, None), ((0.5,), 2.0))]


def summary_of_dropout(done):
    plain = [(s, numbers) for s, numbers in done if s["longest"] is None]
    error = {keep: [numbers["test"][n] for _, numbers in plain] for n, keep in enumerate(KEEPS)}
    active = {keep: [numbers["active"][n] for _, numbers in plain] for n, keep in enumerate(KEEPS)}
    both = [numbers["test"][0] for s, numbers in done if s["longest"]]
    values = {f"test error in percent, {keep:.0%} of the units kept": error[keep] for keep in KEEPS}
    values["test error in percent, 50% kept, with max-norm"] = both
    values |= {f"mean activation, {keep:.0%} of the units kept": active[keep] for keep in KEEPS}
    return values, {
        "dropout-on-mnist": [100 * (1 - b / a) for a, b in zip(error[1.0], both)],
        "keep-about-half": min(KEEPS, key=lambda keep: statistics.fmean(error[keep])),
        "dropout-makes-sparse": [a / b for a, b in zip(active[0.5], active[1.0])]}


class Convolutional(nn.Module):
    """Three convolutions of 5×5 with pooling and two dense layers (Srivastava et al., appendix B.2), with dropout in either."""

    def __init__(self, dropout, dense_dropout, widths=(96, 128, 256), hidden=2048):
        super().__init__()
        ins = (3, *widths[:-1])
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 5, padding=2) for a, b in zip(ins, widths))
        self.dense = nn.ModuleList([nn.Linear(widths[-1] * 16, hidden), nn.Linear(hidden, hidden)])
        self.last, self.dropout, self.dense_dropout = nn.Linear(hidden, 10), dropout, dense_dropout
        for layer in (*self.convs, *self.dense):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        for conv in self.convs:
            x = F.dropout(F.max_pool2d(torch.relu(conv(x)), 3, 2, 1), self.dropout, self.training)
        x = x.flatten(1)
        for layer in self.dense:
            x = F.dropout(torch.relu(layer(x)), self.dense_dropout, self.training)
        return self.last(x)


def read_photographs(at, seed, where, epochs, batch):
    """Convolutional networks with dropout nowhere, in the dense layers, and in all: test errors in percent."""
    size = dict(widths=(4, 4, 8), hidden=16) if at.small else {}
    nets = [training.seeded(seed, lambda: Convolutional(*WHERE[name], **size)) for name in where]
    recipe = train.Recipe(epochs, 0.02, batch, weight_decay=0.0, schedule="one-cycle", seed=seed)
    history = training.fit(nets, at.pictures("cifar10", "train"), recipe, at.pictures("cifar10", "test"),
                        checkpoint=at.checkpoint, device=at.device)
    return {"test": [100 * (1 - share) for share in history["test_accuracy"][-1]]}


def units_of_conv_dropout(small):
    limit = dict(epochs=2, batch=32) if small else dict(epochs=50, batch=128)
    return [Unit(read_photographs, dict(seed=seed, where=list(WHERE), **limit)) for seed in range(1 if small else 3)]


def summary_of_conv_dropout(done):
    error = {name: [numbers["test"][n] for _, numbers in done] for n, name in enumerate(WHERE)}
    saved = {name: [100 * (1 - b / a) for a, b in zip(error["no dropout"], error[name])] for name in list(WHERE)[1:]}
    values = {f"test error in percent, {name}": error[name] for name in WHERE}
    values |= {f"errors saved in percent, dropout in {name}": saved[name] for name in saved}
    return values, {"dropout-on-cifar10": saved["all layers"]}


RUNS = {"dropout": Run(units_of_dropout, summary_of_dropout),
        "conv-dropout": Run(units_of_conv_dropout, summary_of_conv_dropout)}
