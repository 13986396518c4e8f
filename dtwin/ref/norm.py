"""Normalisation: over the batch (Ioffe & Szegedy 2015) and across channels (Krizhevsky 2012)."""

import numpy as np

from .shapes import expect, expect_gradient, shapes


def batch_norm(x, weight, bias, eps=1e-5):
    """Each channel at mean 0 and variance 1 over the batch, then scaled and shifted.

    x (N, C, …), weight (C,), bias (C,) → (N, C, …). Algorithm 1 of Ioffe & Szegedy (2015): the
    variance is the biased one, divided by m.
    """
    _check("batch_norm", x, weight=weight, bias=bias)
    return _channels(weight, x) * _normalised(x, eps)[0] + _channels(bias, x)


def batch_norm_backward(dy, x, weight, bias, eps=1e-5):
    """Gradients (dx, dweight, dbias); mean and variance depend on x, and dx counts that in."""
    _check("batch_norm", x, weight=weight, bias=bias)
    expect_gradient("batch_norm", dy, x.shape)
    xhat, std = _normalised(x, eps)
    axes, m = _batch_axes(x), x.size // x.shape[1]
    dbias, dweight = dy.sum(axis=axes), (dy * xhat).sum(axis=axes)
    along = _channels(dbias, x) + xhat * _channels(dweight, x)  # what the statistics take back
    return _channels(weight, x) / std * (dy - along / m), dweight, dbias


def batch_stats(x):
    """Mean and unbiased variance (m − 1) of each channel: x (N, C, …) → (C,), (C,).

    Averaged over training, these are what `batch_norm_eval` wants (Ioffe & Szegedy, algorithm 2).
    """
    _check("batch_stats", x)
    return x.mean(axis=_batch_axes(x)), x.var(axis=_batch_axes(x), ddof=1)


def batch_norm_eval(x, running_mean, running_var, weight, bias, eps=1e-5):
    """Batch normalisation with fixed statistics, an affine map; shapes as in `batch_norm`."""
    _check("batch_norm_eval", x, 0, running_mean=running_mean, running_var=running_var,
           weight=weight, bias=bias)
    scale = weight / np.sqrt(running_var + eps)
    return x * _channels(scale, x) + _channels(bias - running_mean * scale, x)


def batch_norm_eval_backward(dy, x, running_mean, running_var, weight, bias, eps=1e-5):
    """Gradients (dx, dweight, dbias); the statistics are constants."""
    _check("batch_norm_eval", x, 0, running_mean=running_mean, running_var=running_var,
           weight=weight, bias=bias)
    expect_gradient("batch_norm_eval", dy, x.shape)
    std = _channels(np.sqrt(running_var + eps), x)
    xhat = (x - _channels(running_mean, x)) / std
    axes = _batch_axes(x)
    return dy * _channels(weight, x) / std, (dy * xhat).sum(axis=axes), dy.sum(axis=axes)


def fold_batch_norm(weight, bias, running_mean, running_var, bn_weight, bn_bias, eps=1e-5):
    """Weight and bias of the one layer that does convolution and `batch_norm_eval` together.

    weight (O, …) and bias (O,) or None of the layer before, the others (O,) → (O, …), (O,).
    """
    vectors = (running_mean, running_var, bn_weight, bn_bias, *([] if bias is None else [bias]))
    expect(all(v is not None and v.shape == weight.shape[:1] for v in vectors), "fold_batch_norm",
           shapes(weight=weight, bias=bias, running_mean=running_mean, running_var=running_var,
                  bn_weight=bn_weight, bn_bias=bn_bias), "weight (O, …), all others (O,)")
    scale = bn_weight / np.sqrt(running_var + eps)
    shift = -running_mean if bias is None else bias - running_mean
    return weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), bn_bias + shift * scale


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """Each activation divided by the energy of its `size` neighbouring channels.

    x (N, C, H, …) → same: a / (k + α Σ a²)^β, section 3.3 of Krizhevsky et al. (2012).
    """
    return x * _energy(x, size, alpha, k) ** -beta


def local_response_norm_backward(dy, x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """Gradient of `local_response_norm`: through the numerator, and through all the denominators."""
    expect_gradient("local_response_norm", dy, x.shape)
    energy = _energy(x, size, alpha, k)
    shared = _channel_sum(dy * x * energy ** (-beta - 1), (size - 1) // 2, size // 2)
    return dy * energy ** -beta - 2 * alpha * beta * x * shared


def _energy(x, size, alpha, k):
    expect(x.ndim >= 3 and size >= 1, "local_response_norm", f"{shapes(x=x)}, size={size}",
           "x (N, C, H, …), size of at least 1")
    return k + alpha * _channel_sum(x ** 2, size // 2, (size - 1) // 2)


def _channel_sum(x, before, after):
    # each channel plus `before` channels before it and `after` behind it, as far as there are any
    total = x.copy()
    for d in range(1, before + 1):
        total[:, d:] += x[:, :-d]
    for d in range(1, after + 1):
        total[:, :-d] += x[:, d:]
    return total


def _normalised(x, eps):
    mean, var = x.mean(axis=_batch_axes(x)), x.var(axis=_batch_axes(x))
    std = _channels(np.sqrt(var + eps), x)
    return (x - _channels(mean, x)) / std, std


def _batch_axes(x):
    return (0, *range(2, x.ndim))


def _channels(v, x):
    return v.reshape(-1, *[1] * (x.ndim - 2))  # (C,) → (C, 1, …), to meet x (N, C, …)


def _check(function, x, least=2, **vectors):
    expect(x.ndim >= 2 and all(v.shape == x.shape[1:2] for v in vectors.values()), function,
           shapes(x=x, **vectors), "x (N, C, …), all others (C,)")
    expect(x.size >= least * x.shape[1], function, shapes(x=x),
           f"at least {least} values per channel")
