"""The fully connected layer."""

from .shapes import expect, expect_gradient, shapes


def linear(x, weight, bias=None):
    """Affine map `y = x weightᵀ + bias`: x (…, in), weight (out, in), bias (out,) → (…, out)."""
    _check(x, weight, bias)
    y = x @ weight.T
    return y if bias is None else y + bias


def linear_backward(dy, x, weight, bias=None):
    """Gradients (dx, dweight, dbias); dbias is None without a bias."""
    expect_gradient("linear", dy, _check(x, weight, bias))
    dy2, x2 = dy.reshape(-1, weight.shape[0]), x.reshape(-1, weight.shape[1])
    return dy @ weight, dy2.T @ x2, None if bias is None else dy2.sum(axis=0)


def _check(x, weight, bias):
    expect(weight.ndim == 2 and x.ndim >= 1 and x.shape[-1] == weight.shape[1]
           and (bias is None or bias.shape == weight.shape[:1]),
           "linear", shapes(x=x, weight=weight, bias=bias), "x (…, in), weight (out, in), bias (out,)")
    return *x.shape[:-1], len(weight)
