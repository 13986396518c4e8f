"""Pooling: a patch becomes one number."""

import math

import numpy as np

from .conv import col2im
from .shapes import expect, expect_gradient, output_size, pair, shapes
from .windows import pad, windows


def max_pool2d(x, kernel_size, stride=None, padding=0):
    """Largest value under each kernel; stride None is kernel_size, a smaller one overlaps.

    x (N, C, H, W) → (N, C, oh, ow).
    """
    _check("max_pool2d", x, kernel_size, stride, padding)
    return _pixels(x, kernel_size, stride, padding, _least(x)).max(axis=0)


def max_pool2d_backward(dy, x, kernel_size, stride=None, padding=0):
    """Gradient of `max_pool2d`: all of it goes to the largest pixel, the first among equals."""
    expect_gradient("max_pool2d", dy, _check("max_pool2d", x, kernel_size, stride, padding))
    pixels = _pixels(x, kernel_size, stride, padding, _least(x))
    winner = np.arange(len(pixels))[:, None, None, None, None] == pixels.argmax(axis=0)
    return _scatter(dy * winner, x, kernel_size, stride, padding)


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    """Mean value under each kernel, padding counted as zeros; shapes as in `max_pool2d`."""
    _check("avg_pool2d", x, kernel_size, stride, padding)
    return _pixels(x, kernel_size, stride, padding, 0).mean(axis=0)


def avg_pool2d_backward(dy, x, kernel_size, stride=None, padding=0):
    """Gradient of `avg_pool2d`: equal shares for all pixels under the kernel."""
    expect_gradient("avg_pool2d", dy, _check("avg_pool2d", x, kernel_size, stride, padding))
    pixels = math.prod(pair(kernel_size))
    shares = np.broadcast_to(dy / pixels, (pixels, *dy.shape))
    return _scatter(shares, x, kernel_size, stride, padding)


def global_avg_pool(x):
    """Mean of each feature map: x (N, C, H, W) → (N, C)."""
    _check_maps(x)
    return x.mean(axis=(2, 3))


def global_avg_pool_backward(dy, x):
    """Gradient of `global_avg_pool`: equal shares for all pixels of the map."""
    _check_maps(x)
    expect_gradient("global_avg_pool", dy, x.shape[:2])
    return np.broadcast_to(dy[:, :, None, None] / (x.shape[2] * x.shape[3]), x.shape).copy()


def _check_maps(x):
    expect(x.ndim == 4, "global_avg_pool", shapes(x=x), "x (N, C, H, W)")


def _least(x):
    return -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min


def _pixels(x, kernel_size, stride, padding, fill):
    # (kh·kw, N, C, oh, ow): the i-th pixel under every kernel
    view = windows(pad(x, padding, fill), kernel_size, _step(kernel_size, stride))
    c, kh, kw, n, oh, ow = view.shape
    return view.transpose(1, 2, 3, 0, 4, 5).reshape(kh * kw, n, c, oh, ow)


def _scatter(pixels, x, kernel_size, stride, padding):
    # the way back from _pixels is col2im, the same as a convolution's
    n, c, oh, ow = pixels.shape[1:]
    cols = pixels.transpose(1, 2, 0, 3, 4).reshape(n, -1, oh * ow)
    return col2im(cols, x.shape[2:], kernel_size, _step(kernel_size, stride), padding)


def _step(kernel_size, stride):
    return kernel_size if stride is None else stride


def _check(function, x, kernel_size, stride, padding):
    expect(x.ndim == 4, function, shapes(x=x), "x (N, C, H, W)")
    size = output_size(function, x.shape[2:], kernel_size, _step(kernel_size, stride), padding)
    (kh, kw), (ph, pw) = pair(kernel_size), pair(padding)
    expect(2 * ph <= kh and 2 * pw <= kw, function, f"padding={(ph, pw)}, kernel_size={(kh, kw)}",
           "padding of at most half the kernel")
    return *x.shape[:2], *size
