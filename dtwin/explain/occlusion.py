"""Occlusion: cover a piece of the picture, and see whether the network minds."""

from itertools import product

import torch

from .capture import classes_of, evaluating, expect, expect_images


def occlusion(net, x, classes=None, size=8, stride=4, fill=0.0, scores=False, batch=256):
    """How much the probability of a class drops when a square hides a pixel: maps (N, H, W).

    A square of `size` pixels, painted with the number `fill`, moves in steps of `stride` and begins over the border,
    half of it hanging out. A pixel's drop is the mean over the squares that covered it. With `scores` it is the class's
    score that drops, which unlike a probability does not saturate. `classes` as in `gradient`.

    Zeiler and Fergus, *Visualizing and Understanding Convolutional Networks*, 2014, section 4.2.

    Raises:
        ValueError: the stride leaves pixels uncovered, x is no batch of pictures, or the classes do not fit.
    """
    expect_images("occlusion", x)
    expect(1 <= stride <= size, "occlusion", f"size={size}, stride={stride}", "1 ≤ stride ≤ size")
    classes = classes_of("occlusion", net, x, classes, batch)
    parts = zip(x.detach().split(batch), classes.split(batch))
    with evaluating(net), torch.no_grad():
        return torch.cat([_drops(net, part, wanted, size, stride, fill, scores) for part, wanted in parts])


def _drops(net, x, classes, size, stride, fill, scores):
    def value(x):
        out = net(x) if scores else net(x).softmax(1)
        return out.gather(1, classes[:, None])[:, 0]

    whole, drops, times = value(x), torch.zeros_like(x[:, 0]), torch.zeros_like(x[0, 0])
    for square in _squares(*x.shape[2:], size, stride):
        covered = x.clone()
        covered[:, :, *square] = fill
        drops[:, *square] += (whole - value(covered))[:, None, None]
        times[square] += 1
    return drops / times


def _squares(height, width, size, stride):
    rows, columns = ([slice(max(start, 0), start + size) for start in range(-(size // 2), side, stride)]
                     for side in (height, width))
    return product(rows, columns)
