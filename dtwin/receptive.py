"""How much of the picture a unit sees: its receptive field, from the windows of all the layers beneath it."""

from typing import NamedTuple

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from .modes import evaluating

# of the functions that lay windows: their kind, and kernel, stride, padding and dilation from their arguments
WINDOWS = {
    torch.conv2d: ("conv", lambda x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1:
                   (tuple(weight.shape[2:]), stride, padding, dilation)),
    F.max_pool2d: ("pool", lambda x, kernel_size, stride=None, padding=0, dilation=1, *_, **__:
                   (kernel_size, stride or kernel_size, padding, dilation)),
    F.avg_pool2d: ("pool", lambda x, kernel_size, stride=None, padding=0, *_, **__:
                   (kernel_size, stride or kernel_size, padding, 1)),
}


class Layer(NamedTuple):
    """A convolution or a pooling: the side of its window, its stride and padding, and the side of its maps, `units`."""

    name: str
    kernel: int
    stride: int
    padding: int
    units: int


class Field(NamedTuple):
    """What units see, along one side: `length` pixels, `step` further from unit to unit, the first from `start` on."""

    length: int
    step: int
    start: int


def layers(net, shape):
    """The convolutions and poolings through which most of them lie between picture and scores, as a list of `Layer`.

    `shape` is that of one picture, (C, side, side). A shortcut, on which fewer lie, sees no more than the way beside
    it. A network built under `torch.device("meta")` is followed without its numbers ever being there.

    Raises:
        ValueError: the picture is no square, or the windows of a layer are none, are dilated, or are padded unevenly.
    """
    _expect(len(shape) == 3 and shape[1] == shape[2], f"shape={tuple(shape)}", "(C, side, side)")
    device = next(net.parameters(), torch.empty(0)).device
    with evaluating(net), torch.no_grad(), _Ways():
        return list(net(torch.zeros(1, *shape, device=device)).way)


def field(layers):
    """The `Field` of the units of the last of some layers."""
    length, step, start = 1, 1, 0  # of a pixel
    for layer in layers:
        length += (layer.kernel - 1) * step
        start -= layer.padding * step
        step *= layer.stride
    return Field(length, step, start)


class _Ways(TorchFunctionMode):
    """Writes on every tensor the longest way, a tuple of layers, that led to it."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        way = max((getattr(arg, "way", ()) for arg in tree_leaves((args, kwargs))), key=len, default=())
        if function in WINDOWS:
            kind, window = WINDOWS[function]
            way += (_layer(kind, way, window(*args, **(kwargs or {})), out),)
        if isinstance(out, torch.Tensor):
            out.way = way
        return out


def _layer(kind, way, window, out):
    name = f"{kind} {1 + sum(layer.name.startswith(kind) for layer in way)}"
    sides = [set(size) if isinstance(size, tuple) else {size} for size in window]
    known = all(len(side) == 1 and type(*side) is int for side in sides) and sides[3] == {1}
    came = ", ".join(f"{part} {size}" for part, size in zip(("kernel", "stride", "padding", "dilation"), window))
    _expect(known, f"{name} with {came}", "squares without dilation, padded by a number")
    return Layer(name, *(side.pop() for side in sides[:3]), out.shape[-1])


def _expect(ok, came, expected):
    if not ok:
        raise ValueError(f"receptive.layers: got {came}, expected {expected}")
