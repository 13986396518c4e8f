"""The fully connected layer."""

from torch.nn import functional as F


def linear(x, weight, bias=None):
    """Affine map `y = x weightᵀ + bias`: x (…, in), weight (out, in), bias (out,) → (…, out)."""
    return F.linear(x, weight, bias)
