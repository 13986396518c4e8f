"""Looking into a network while it computes, and leaving no trace there."""

from contextlib import contextmanager

import torch

from ..modes import evaluating


@contextmanager
def capture(net, layer):
    """The outputs of a layer, by its name, as a list that grows by one each time the layer computes.

    The list is emptied when the block ends. An activation function that follows the layer does not change them, not
    even in place.

    Raises:
        ValueError: the network has no layer of that name.
    """
    outputs = []

    def keep(module, inputs, output):
        outputs.append(output)
        return output.clone() if isinstance(output, torch.Tensor) else output  # an activation may overwrite it

    handle = find("capture", net, layer).register_forward_hook(keep)
    try:
        yield outputs
    finally:
        handle.remove()
        outputs.clear()


def maps_of(function, net, x, layer):
    """One forward pass: the scores (N, classes) of pictures x, and the feature maps (N, C, h, w) of a layer."""
    find(function, net, layer)
    with capture(net, layer) as outputs:
        scores = net(x)
        expect(outputs, function, f"layer={layer!r}, which the forward pass does not call", "one that it calls")
        maps = outputs[-1]
    ok = isinstance(maps, torch.Tensor) and maps.ndim == 4
    shape = tuple(maps.shape) if isinstance(maps, torch.Tensor) else f"a {type(maps).__name__}"
    expect(ok, function, f"layer={layer!r}, whose output is {shape}", "feature maps (N, C, h, w)")
    return scores, maps


def find(function, net, layer):
    """The layer of that name, or a ValueError that lists those there are."""
    layers = dict(net.named_modules())
    names = ", ".join(name for name, module in layers.items() if name and not list(module.children()))
    expect(layer in layers, function, f"layer={layer!r}", f"a layer of {type(net).__name__}, such as {names}")
    return layers[layer]


def expect(ok, function, came, expected):
    """Raise a ValueError that names the function, what came and what was expected, unless `ok`."""
    if not ok:
        raise ValueError(f"explain.{function}: got {came}, expected {expected}")


def expect_images(function, x):
    """Raise a ValueError unless x is a batch of at least one picture, a float tensor (N, C, H, W)."""
    is_tensor = isinstance(x, torch.Tensor)
    came = f"shape {tuple(x.shape)} of {x.dtype}" if is_tensor else type(x).__name__
    ok = is_tensor and x.ndim == 4 and x.is_floating_point() and len(x) > 0
    expect(ok, function, came, "pictures, a float tensor (N, C, H, W)")


def classes_of(function, net, x, classes, batch):
    """The class of each picture (N,): the one, or those (N,), that were asked for; None asks the network itself."""
    with evaluating(net), torch.no_grad():
        if classes is None:
            return torch.cat([net(part).argmax(1) for part in x.split(batch)])
        count = net(x[:1]).shape[1]
    classes = torch.as_tensor(classes, device=x.device)
    classes = classes.expand(len(x)) if classes.ndim == 0 else classes
    ok = classes.shape == x.shape[:1] and not classes.is_floating_point()
    expect(ok, function, f"classes {tuple(classes.shape)} of {classes.dtype}",
           f"one class, or an integer for each of {len(x)} pictures")
    low, high = classes.min().item(), classes.max().item()
    expect(0 <= low and high < count, function, f"classes from {low} to {high}", f"0 to {count - 1}")
    return classes.long()
