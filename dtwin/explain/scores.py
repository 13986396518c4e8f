"""How good a map is: against the truth, and against the network itself."""

import torch

from .capture import classes_of, evaluating, expect, expect_images


def pointing(maps, masks):
    """The pointing game: whether the largest number of each map (N, H, W) lies in its mask (N, H, W), bool (N,).

    Zhang and others, *Top-down Neural Attention by Excitation Backprop*, 2016.

    Raises:
        ValueError: maps and masks differ in shape, or the masks are not of truth values.
    """
    _expect_masks("pointing", maps, masks)
    place = maps.flatten(1).argmax(1, keepdim=True)
    return masks.flatten(1).gather(1, place)[:, 0]


def energy(maps, masks):
    """The share of each map's sum that lies in its mask, negative numbers left out: (N,), both (N, H, W).

    A map that is nowhere positive scores as an even one: the mask's share of the picture.

    Raises:
        ValueError: maps and masks differ in shape, or the masks are not of truth values.
    """
    _expect_masks("energy", maps, masks)
    positive = maps.relu()
    positive = torch.where(positive.sum((1, 2), keepdim=True) > 0, positive, 1.0)
    return (positive * masks).sum((1, 2)) / positive.sum((1, 2))


def deletion(net, x, maps, classes=None, steps=16, base=0.0, batch=256):
    """The probability of a class while its picture is taken away: (N, steps + 1).

    What the map (N, H, W) holds for most important goes first: after step s the share s / steps of the pixels is
    replaced by `base`, a number or pictures like x. The area under the curve, its mean, is small where the map is
    right. `classes` as in `gradient`.

    Petsiuk, Das and Saenko, *RISE*, 2018.

    Raises:
        ValueError: steps is not positive, the maps, the classes or the base do not fit, or x is no batch of pictures.
    """
    return _exchange("deletion", net, x, base, maps, classes, steps, batch)


def insertion(net, x, maps, classes=None, steps=16, base=0.0, batch=256):
    """The probability of a class while its picture appears on `base`, the most important first: as `deletion`.

    The area under the curve is large where the map is right.

    Raises:
        ValueError: as `deletion`.
    """
    return _exchange("insertion", net, x, base, maps, classes, steps, batch)


def _exchange(function, net, x, base, maps, classes, steps, batch):
    expect_images(function, x)
    expect(steps >= 1, function, f"steps={steps}", "at least 1")
    pixels = (len(x), *x.shape[2:])
    expect(tuple(maps.shape) == pixels, function, f"maps {tuple(maps.shape)}", f"one for each picture, {pixels}")
    classes = classes_of(function, net, x, classes, batch)
    base = torch.as_tensor(base, dtype=x.dtype, device=x.device)
    expect(base.shape in ((), x.shape), function, f"base {tuple(base.shape)}", f"a number, or pictures {tuple(x.shape)}")
    base = base.expand_as(x)
    # the rank of each pixel, 0 for the most important; of equals the first
    rank = maps.flatten(1).argsort(dim=1, descending=True, stable=True).argsort(dim=1).reshape(pixels)[:, None]
    before, after = (base, x) if function == "insertion" else (x, base)
    curve = []
    with evaluating(net), torch.no_grad():
        for step in range(steps + 1):
            mixed = torch.where(rank < round(step / steps * rank[0].numel()), after, before)
            probabilities = torch.cat([net(part).softmax(1) for part in mixed.split(batch)])
            curve.append(probabilities.gather(1, classes[:, None])[:, 0])
    return torch.stack(curve, 1)


def _expect_masks(function, maps, masks):
    came = f"maps {tuple(maps.shape)}, masks {tuple(masks.shape)} of {masks.dtype}"
    ok = maps.ndim == 3 and maps.shape == masks.shape and masks.dtype == torch.bool
    expect(ok, function, came, "both (N, H, W), the masks of truth values")
