"""How much of the picture a unit sees: its receptive field, from the windows of all the layers beneath it."""

from typing import NamedTuple

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode


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
    training, device = net.training, next(net.parameters()).device
    net.eval()
    try:
        with torch.no_grad(), _Ways():
            return list(net(torch.zeros(1, *shape, device=device)).way)
    finally:
        net.train(training)


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
        way = max((getattr(arg, "way", ()) for arg in args), key=len, default=())
        if function is torch.conv2d:
            _, weight, _, stride, padding, dilation, _ = args
            way += (_layer("conv", way, (tuple(weight.shape[2:]), stride, padding, dilation), out),)
        elif function is F.max_pool2d:
            stride = kwargs["stride"] or args[1]  # None is the kernel's
            way += (_layer("pool", way, (args[1], stride, kwargs["padding"], kwargs["dilation"]), out),)
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
