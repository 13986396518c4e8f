"""The deconvnet: what in a picture made one unit answer."""

import torch

from .capture import evaluating, expect, expect_images, maps_of
from .gradients import relu_rule


def deconvnet(net, x, layer, units, batch=256):
    """Send the strongest activation of one unit back down to the pixels: (N, C, H, W), as x.

    `units` is one feature map of the layer, or one for each picture (N,). All other activations are set to zero. Max
    pooling is undone by its *switches*, the places of the maxima; a ReLU rectifies the signal that comes from above; a
    convolution is undone by its transpose. All of this is the backward pass but for the ReLUs, and is done by it. A
    unit that is silent gives zeros.

    Zeiler and Fergus, *Visualizing and Understanding Convolutional Networks*, 2014, section 2.1.

    Raises:
        ValueError: x is no batch of pictures, the layer is unknown or gives no maps, or the units do not fit.
    """
    expect_images("deconvnet", x)
    units = torch.as_tensor(units, device=x.device)
    ok = units.shape in ((), (len(x),)) and not units.is_floating_point()
    expect(ok, "deconvnet", f"units {tuple(units.shape)} of {units.dtype}", f"one unit, or an integer for each of {len(x)} pictures")
    units = units.expand(len(x))
    parts = []
    with evaluating(net), torch.enable_grad(), relu_rule("deconvnet"):
        for part, unit in zip(x.split(batch), units.split(batch)):
            pixels = part.detach().requires_grad_()
            _, maps = maps_of("deconvnet", net, pixels, layer)
            low, high, count = unit.min().item(), unit.max().item(), maps.shape[1]
            expect(0 <= low and high < count, "deconvnet", f"units from {low} to {high}", f"0 to {count - 1}")
            strongest = maps[torch.arange(len(part)), unit].flatten(1).max(1).values
            parts += torch.autograd.grad(strongest, pixels, strongest.detach().relu())
    return torch.cat(parts)
