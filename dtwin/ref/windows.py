"""The one view behind convolution and pooling: an image seen through a sliding window."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .shapes import pair


def padded_shape(shape, padding):
    """Shape of images (N, C, H, W) with their border: (N, C, H + 2·ph, W + 2·pw)."""
    (n, c, h, w), (ph, pw) = shape, pair(padding)
    return n, c, h + 2 * ph, w + 2 * pw


def pad(x, padding, fill=0):
    """Images with a border of `fill`: x (N, C, H, W) → (N, C, H + 2·ph, W + 2·pw)."""
    if not any(pair(padding)):
        return x
    padded = np.full(padded_shape(x.shape, padding), fill, x.dtype)
    crop(padded, padding)[...] = x
    return padded


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
