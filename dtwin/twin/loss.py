"""The loss of a classifier."""

from torch.nn import functional as F


def cross_entropy(logits, labels):
    """Mean negative log-likelihood in nats: logits (N, K), labels (N,) integers in 0…K−1 → scalar."""
    return F.cross_entropy(logits, labels)
