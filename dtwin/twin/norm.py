"""Normalisation: over the batch (Ioffe & Szegedy 2015) and across channels (Krizhevsky 2012)."""

from torch.nn import functional as F

from .shapes import expect, shapes


def batch_norm(x, weight, bias, eps=1e-5):
    """Each channel at mean 0 and variance 1 over the batch, then scaled and shifted.

    x (N, C, …), weight (C,), bias (C,) → (N, C, …). Algorithm 1 of Ioffe & Szegedy (2015): the
    variance is the biased one, divided by m.
    """
    return F.batch_norm(x, None, None, weight, bias, training=True, eps=eps)


def batch_stats(x):
    """Mean and unbiased variance (m − 1) of each channel: x (N, C, …) → (C,), (C,).

    Averaged over training, these are what `batch_norm_eval` wants (Ioffe & Szegedy, algorithm 2).
    """
    expect(x.ndim >= 2, "batch_stats", shapes(x=x), "x (N, C, …)")
    expect(x.numel() >= 2 * x.shape[1], "batch_stats", shapes(x=x), "at least 2 values per channel")
    axes = (0, *range(2, x.ndim))
    return x.mean(axes), x.var(axes)


def batch_norm_eval(x, running_mean, running_var, weight, bias, eps=1e-5):
    """Batch normalisation with fixed statistics, an affine map; shapes as in `batch_norm`."""
    return F.batch_norm(x, running_mean, running_var, weight, bias, eps=eps)


def fold_batch_norm(weight, bias, running_mean, running_var, bn_weight, bn_bias, eps=1e-5):
    """Weight and bias of the one layer that does convolution and `batch_norm_eval` together.

    weight (O, …) and bias (O,) or None of the layer before, the others (O,) → (O, …), (O,).
    """
    scale = bn_weight * (running_var + eps).rsqrt()
    shift = -running_mean if bias is None else bias - running_mean
    return weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), bn_bias + shift * scale


def local_response_norm(x, size=5, alpha=1e-4, beta=0.75, k=2.0):
    """Each activation divided by the energy of its `size` neighbouring channels.

    x (N, C, H, …) → same: a / (k + α Σ a²)^β, section 3.3 of Krizhevsky et al. (2012).
    """
    expect(x.ndim >= 3 and size >= 1, "local_response_norm", f"{shapes(x=x)}, size={size}",
           "x (N, C, H, …), size of at least 1")
    # PyTorch's own, which divides alpha by size, pools in three dimensions and takes a CPU more than twice as long
    square, channels = F.pad(x * x, (0, 0) * (x.ndim - 2) + (size // 2, (size - 1) // 2)), x.shape[1]
    energy = sum(square[:, d:d + channels] for d in range(size))
    return x * (k + alpha * energy) ** -beta
