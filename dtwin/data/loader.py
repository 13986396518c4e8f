"""Batches made where the network is: the whole set lies on the device, and augmentation happens there."""

from typing import NamedTuple

import torch
from torch.nn import functional as F


class Statistics(NamedTuple):
    """Of the colours of a training set, in 0…1: their mean (C,), standard deviation (C,), and `colours` (C, C).

    The columns of `colours` are the principal components of its pixels, each times its variance.
    """

    mean: torch.Tensor
    std: torch.Tensor
    colours: torch.Tensor


def on_device(images, device="cpu"):
    """The pixels uint8 (N, C, H, W) and labels int64 (N,) of an ImageSet, as tensors on a device."""
    return torch.as_tensor(images.images, device=device), torch.as_tensor(images.labels, device=device)


def statistics(pixels):
    """The Statistics of pixels uint8 (N, C, H, W), computed on their device."""
    n, c, h, w = pixels.shape
    total, products = 0, 0
    for block in pixels.split(4096):  # the whole set in double precision would be eight times as large
        colours = block.transpose(0, 1).reshape(c, -1).double() / 255
        total = total + colours.sum(1)
        products = products + colours @ colours.T
    mean = total / (n * h * w)
    covariance = products / (n * h * w) - torch.outer(mean, mean)
    variances, components = torch.linalg.eigh(covariance)
    # either sign of a component is right: the one that makes its largest entry positive is the same on every device
    components = components * components.gather(0, components.abs().argmax(0, keepdim=True)).sign()
    return Statistics(mean.float(), covariance.diagonal().sqrt().float(), (components * variances).float())


def batches(pixels, labels, size, stats, generator=None, pad=0, flip=False, colour=0.0):
    """One epoch of x float32 (B, C, H, W), of mean 0 and variance 1 over the training set, and y int64 (B,).

    Without a generator the images come in their order and as they are. With one they are shuffled; each is cut out
    at random after a border of `pad` pixels of the mean colour, mirrored half the time if `flip`, and shifted along
    the principal components of colour by normal numbers of standard deviation `colour` times their variances, as in
    Krizhevsky et al. 2012, section 4.1, who take 0.1. A CPU generator gives the same batches on every device.
    """
    n, _, height, width = pixels.shape
    if generator is None and (pad or flip or colour):
        raise ValueError(f"batches: got pad={pad}, flip={flip}, colour={colour} and no generator, expected one")
    if generator is None:
        order = torch.arange(n, device=pixels.device)
    else:
        order = torch.randperm(n, generator=generator, device=generator.device).to(pixels.device)
    for chosen in order.split(size):
        x = pixels[chosen].float() / 255 - stats.mean[:, None, None]
        if pad or flip:
            x = _cut(x, *_places(len(x), height, width, pad, flip, generator))
        if colour:
            alpha = torch.randn(len(x), len(stats.colours), generator=generator, device=generator.device)
            x = x + (colour * alpha.to(x.device) @ stats.colours.T)[:, :, None, None]
        yield x / stats.std[:, None, None], labels[chosen]


def _places(n, height, width, pad, flip, generator):
    """Row (n, height) and column (n, width) of the padded image that each pixel of a cut-out comes from."""
    def draw(high):
        return torch.randint(high, (n, 1), generator=generator, device=generator.device)

    rows = draw(2 * pad + 1) + torch.arange(height, device=generator.device)
    columns = draw(2 * pad + 1) + torch.arange(width, device=generator.device)
    if flip:
        columns = torch.where(draw(2) == 1, columns.flip(1), columns)
    return rows, columns, pad


def _cut(x, rows, columns, pad):
    x = F.pad(x.permute(0, 2, 3, 1), (0, 0, pad, pad, pad, pad))  # colours last: a pixel is fetched as a whole
    image = torch.arange(len(x), device=x.device)[:, None, None]
    return x[image, rows.to(x.device)[:, :, None], columns.to(x.device)[:, None]].permute(0, 3, 1, 2)
