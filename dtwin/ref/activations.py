"""The nonlinearities, each beside its derivative."""

import numpy as np

from .shapes import expect_gradient


def relu(x):
    """Rectifier max(x, 0), element by element (Nair & Hinton 2010)."""
    return np.maximum(x, 0)


def relu_backward(dy, x):
    """Gradient of `relu`: passes where x > 0, is 0 elsewhere (at 0 too, as in PyTorch)."""
    expect_gradient("relu", dy, x.shape)
    return dy * (x > 0)


def tanh(x):
    """Hyperbolic tangent, from −1 to 1."""
    return np.tanh(x)


def tanh_backward(dy, x):
    """Gradient of `tanh`: dy · (1 − tanh² x)."""
    expect_gradient("tanh", dy, x.shape)
    return dy * (1 - np.tanh(x) ** 2)


def sigmoid(x):
    """Logistic function 1 / (1 + exp(−x)), from 0 to 1."""
    return np.exp(-np.logaddexp(0, -x))  # the same number, with no overflow at either end


def sigmoid_backward(dy, x):
    """Gradient of `sigmoid`: dy · σ(x) · σ(−x)."""
    expect_gradient("sigmoid", dy, x.shape)
    return dy * sigmoid(x) * sigmoid(-x)


def softmax(x, dim=-1):
    """Probabilities exp(x) / Σ exp(x) along `dim`."""
    e = np.exp(x - x.max(axis=dim, keepdims=True))  # the shift cancels; without it exp overflows
    return e / e.sum(axis=dim, keepdims=True)


def softmax_backward(dy, x, dim=-1):
    """Gradient of `softmax`: p · (dy − Σ dy·p)."""
    expect_gradient("softmax", dy, x.shape)
    p = softmax(x, dim)
    return p * (dy - (dy * p).sum(axis=dim, keepdims=True))
