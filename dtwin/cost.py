"""What a network costs, layer by layer: parameters, and multiply-adds for one picture."""

from typing import NamedTuple

import torch
from torch import nn

from .modes import evaluating


class Layer(NamedTuple):
    """A layer that has parameters, and its cost; `shape` is that of its output for one picture."""

    name: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


def layers(net, shape):
    """The layers of a network that have parameters, as a list of `Layer` in the order in which they compute.

    `shape` is that of one picture, (C, H, W). Every weight of a convolution or of a linear layer takes part in one
    multiplication and one addition at each place of the output; He et al. (2016) call such a pair one FLOP. Additions
    of biases and batch normalisation count for nothing, as in the papers. A network built under
    `torch.device("meta")` is counted without its numbers ever being there.

    Raises:
        ValueError: the network has no parameters, or some in a layer that is no convolution, linear layer or batch
            normalisation.
    """
    found = []

    def note(name, layer, output):
        weights = 0 if isinstance(layer, nn.BatchNorm2d) else layer.weight.numel()
        places = output[0].numel() // len(layer.weight)
        own = sum(p.numel() for p in layer.parameters())
        found.append(Layer(name, tuple(output.shape[1:]), own, weights * places))

    costly = {name: layer for name, layer in net.named_modules() if list(layer.parameters(recurse=False))}
    for name, layer in costly.items():
        if not isinstance(layer, (nn.Conv2d, nn.Linear, nn.BatchNorm2d)):
            raise ValueError(f"cost.layers: got {type(layer).__name__} {name!r} with parameters of its own, expected "
                             "Conv2d, Linear or BatchNorm2d")
    if not costly:
        raise ValueError(f"cost.layers: got {type(net).__name__} without parameters, expected a network with some")
    hooks = [layer.register_forward_hook(lambda layer, _, output, name=name: note(name, layer, output))
             for name, layer in costly.items()]
    try:
        with evaluating(net), torch.no_grad():
            net(torch.zeros(1, *shape, device=next(net.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    return found


def total(net, shape):
    """The whole network as one `Layer`, named by its class, its output that of the last: sums over `layers`.

    A layer that computes twice costs twice, but has its parameters once. Raises as `layers`.
    """
    rows = layers(net, shape)
    return Layer(type(net).__name__, rows[-1].shape,
                 sum(p.numel() for p in net.parameters()), sum(row.multiply_adds for row in rows))
