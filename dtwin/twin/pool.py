"""Pooling: a patch becomes one number."""

from torch.nn import functional as F

from .shapes import expect, shapes


def max_pool2d(x, kernel_size, stride=None, padding=0):
    """Largest value under each kernel; stride None is kernel_size, a smaller one overlaps.

    x (N, C, H, W) → (N, C, oh, ow).
    """
    return F.max_pool2d(x, kernel_size, stride, padding)


def avg_pool2d(x, kernel_size, stride=None, padding=0):
    """Mean value under each kernel, padding counted as zeros; shapes as in `max_pool2d`."""
    return F.avg_pool2d(x, kernel_size, stride, padding)


def global_avg_pool(x):
    """Mean of each feature map: x (N, C, H, W) → (N, C)."""
    expect(x.ndim == 4, "global_avg_pool", shapes(x=x), "x (N, C, H, W)")
    return x.mean((2, 3))
