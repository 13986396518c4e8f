"""Pooling: a patch becomes one number."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .shapes import expect, output_size, pair


def max_pool2d(x, kernel_size, stride=None, padding=0):
    """Largest value under each kernel: x (N, C, H, W) → (N, C, oh, ow); stride None is kernel_size."""
    return _windows("max_pool2d", x, kernel_size, stride, padding, -np.inf).max(axis=(4, 5))


def max_pool2d_backward(dy, x, kernel_size, stride=None, padding=0):
    """Gradient of `max_pool2d`: the whole of it goes to the largest pixel, the first of equals."""
    (kh, kw), (sh, sw), (ph, pw) = map(pair, (kernel_size, stride or kernel_size, padding))
    windows = _windows("max_pool2d", x, kernel_size, stride, padding, -np.inf)
    winner = windows.reshape(*dy.shape, kh * kw).argmax(axis=4)
    (n, c, h, w), (oh, ow) = x.shape, dy.shape[2:]
    dx = np.zeros((n, c, h + 2 * ph, w + 2 * pw), x.dtype)
    for k in range(kh * kw):
        i, j = divmod(k, kw)
        dx[:, :, i:i + sh * oh:sh, j:j + sw * ow:sw] += dy * (winner == k)
    return dx[:, :, ph:ph + h, pw:pw + w]


def _windows(function, x, kernel_size, stride, padding, fill):
    # every window of the padded image, as a view: (N, C, oh, ow, kh, kw)
    expect(x.ndim == 4, function, f"x {x.shape}", "x (N, C, H, W)")
    (kh, kw), (sh, sw), (ph, pw) = map(pair, (kernel_size, stride or kernel_size, padding))
    output_size(function, x.shape[2:], kernel_size, (sh, sw), padding)
    expect(2 * ph <= kh and 2 * pw <= kw, function, f"padding={(ph, pw)}, kernel_size={(kh, kw)}",
           "padding of at most half the kernel")
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=fill)
    return sliding_window_view(x, (kh, kw), axis=(2, 3))[:, :, ::sh, ::sw]
