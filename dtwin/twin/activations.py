"""The nonlinearities."""

import torch


def relu(x):
    """Rectifier max(x, 0), element by element."""
    return torch.relu(x)


def softmax(x, dim=-1):
    """Probabilities exp(x) / Σ exp(x) along `dim`."""
    return torch.softmax(x, dim)
