"""The nonlinearities, each beside its derivative."""

import numpy as np


def relu(x):
    """Rectifier max(x, 0), element by element."""
    return np.maximum(x, 0)


def relu_backward(dy, x):
    """Gradient of `relu`: passes where x > 0, is 0 elsewhere (at 0 too, as in PyTorch)."""
    return dy * (x > 0)


def softmax(x, dim=-1):
    """Probabilities exp(x) / Σ exp(x) along `dim`."""
    # subtracting the largest changes nothing but keeps exp from overflowing
    e = np.exp(x - x.max(axis=dim, keepdims=True))
    return e / e.sum(axis=dim, keepdims=True)


def softmax_backward(dy, x, dim=-1):
    """Gradient of `softmax`: p · (dy − Σ dy·p)."""
    p = softmax(x, dim)
    return p * (dy - (dy * p).sum(axis=dim, keepdims=True))
