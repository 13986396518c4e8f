"""Single units: what each feature map answers to most."""

from typing import NamedTuple

import torch
from torch.nn import functional as F

from .capture import evaluating, expect, expect_images, maps_of
from .gradients import RELUS, Swap


class Top(NamedTuple):
    """Each unit's strongest activations: values (C, k), numbers of the pictures (C, k), rows and columns (C, k, 2)."""

    values: torch.Tensor
    pictures: torch.Tensor
    places: torch.Tensor


def feature_maps(net, x, layer, batch=256):
    """The feature maps (N, C, h, w) of a layer for pictures x (N, C, H, W).

    Raises:
        ValueError: x is no batch of pictures, or the layer is unknown or gives no maps.
    """
    expect_images("feature_maps", x)
    with evaluating(net), torch.no_grad():
        return torch.cat([maps_of("feature_maps", net, part, layer)[1] for part in x.split(batch)])


def top_activations(net, x, layer, k=9, batch=256):
    """The k pictures that each unit of a layer answers to most, each by its strongest place, as a `Top`.

    Of the maps only one batch is ever in memory.

    Raises:
        ValueError: k is not from 1 to N, x is no batch of pictures, or the layer is unknown or gives no maps.
    """
    expect_images("top_activations", x)
    expect(1 <= k <= len(x), "top_activations", f"k={k}", f"1 to {len(x)}, the number of pictures")
    parts = []
    with evaluating(net), torch.no_grad():
        for part in x.split(batch):
            maps = maps_of("top_activations", net, part, layer)[1]
            parts.append(maps.flatten(2).max(2))
    values, pictures = torch.cat([part.values for part in parts]).T.topk(k)  # (C, k)
    flat = torch.cat([part.indices for part in parts]).T.gather(1, pictures)
    return Top(values, pictures, torch.stack([flat // maps.shape[3], flat % maps.shape[3]], 2))


def windows(net, x, layer, places):
    """What a place of a layer's maps can see: its receptive field in each picture, (N, 4).

    The rows and columns `places` (N, 2) are one place for each picture; a window is top, left, bottom, right, the last
    two not included, as far as the picture goes; four zeros if it sees nothing but padding. It is measured, not computed: the pixels whose gradient is not zero
    when ReLUs pass all and poolings take the mean.

    Raises:
        ValueError: x is no batch of pictures, the layer is unknown or gives no maps, or has no such places, or a
            pooling beneath it is dilated.
    """
    expect_images("windows", x)
    places = torch.as_tensor(places, device=x.device)
    expect(places.shape == (len(x), 2) and not places.is_floating_point(), "windows",
           f"places {tuple(places.shape)} of {places.dtype}", f"integers ({len(x)}, 2)")
    passing = dict.fromkeys(RELUS, lambda x, inplace=False: x) | dict.fromkeys((F.max_pool2d, torch.max_pool2d), _mean)
    with evaluating(net), torch.enable_grad(), Swap(passing):
        pixels = torch.zeros_like(x).requires_grad_()
        _, maps = maps_of("windows", net, pixels, layer)
        rows, columns = places.T
        inside = (places >= 0).all() and (places < torch.tensor(maps.shape[2:], device=x.device)).all()
        expect(inside, "windows", f"places from {places.min(0).values.tolist()} to {places.max(0).values.tolist()}",
               f"rows and columns of maps {tuple(maps.shape[2:])}")
        chosen = maps.sum(1)[torch.arange(len(x)), rows, columns]
        (reached,) = torch.autograd.grad(chosen.sum(), pixels)
    seen = reached.ne(0).any(1)
    (top, bottom), (left, right) = (_ends(seen.any(axis)) for axis in (2, 1))
    return torch.stack([top, left, bottom, right], 1)


def _mean(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    expect(dilation in (1, (1, 1)), "windows", f"a pooling with dilation {dilation}", "poolings without")
    return F.avg_pool2d(x, kernel_size, stride, padding, ceil_mode)


def _ends(line):
    """The first true entry of each row (N, L), and the one behind the last; 0 and 0 where none is true."""
    last = line.shape[1] - line.int().flip(1).argmax(1)
    return line.int().argmax(1), torch.where(line.any(1), last, 0)
