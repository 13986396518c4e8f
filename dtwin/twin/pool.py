"""Pooling: a patch becomes one number."""

from torch.nn import functional as F


def max_pool2d(x, kernel_size, stride=None, padding=0):
    """Largest value under each kernel: x (N, C, H, W) → (N, C, oh, ow); stride None is kernel_size."""
    return F.max_pool2d(x, kernel_size, stride, padding)
