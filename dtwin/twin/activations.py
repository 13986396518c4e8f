"""The nonlinearities."""

import torch


def relu(x):
    """Rectifier max(x, 0), element by element (Nair & Hinton 2010)."""
    return torch.relu(x)


def tanh(x):
    """Hyperbolic tangent, from −1 to 1."""
    return torch.tanh(x)


def sigmoid(x):
    """Logistic function 1 / (1 + exp(−x)), from 0 to 1."""
    return torch.sigmoid(x)


def softmax(x, dim=-1):
    """Probabilities exp(x) / Σ exp(x) along `dim`."""
    return torch.softmax(x, dim)
