"""The one view behind convolution and pooling: an image seen through a sliding window."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .shapes import pair


def pad(x, padding, fill=0):
    """A border of `fill` around each image: x (N, C, H, W) → (N, C, H + 2·ph, W + 2·pw)."""
    ph, pw = pair(padding)
    if ph == pw == 0:
        return x
    return np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=fill)


def crop(x, padding):
    """The image without its border, a view: the way back of `pad`."""
    ph, pw = pair(padding)
    return x[:, :, ph:x.shape[2] - ph, pw:x.shape[3] - pw]


def windows(x, kernel_size, stride):
    """Every patch under the kernel, a view: x (N, C, H, W) → (C, kh, kw, N, oh, ow).

    One pixel of x stands in up to kh·kw windows, but for a given place (i, j) in the kernel
    `windows(…)[:, i, j]` holds none twice: so much can be written to at a time.
    """
    sh, sw = pair(stride)
    view = sliding_window_view(x, pair(kernel_size), axis=(2, 3), writeable=x.flags.writeable)
    return view[:, :, ::sh, ::sw].transpose(1, 4, 5, 0, 2, 3)


def add_to_windows(view, cols):
    """Add to each window what `cols`, of the same shape, holds for it; overlaps sum up."""
    for i in range(view.shape[1]):
        for j in range(view.shape[2]):
            view[:, i, j] += cols[:, i, j]
