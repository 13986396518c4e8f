"""The loss of a classifier."""

import numpy as np

from .activations import softmax
from .shapes import expect, expect_gradient


def cross_entropy(logits, labels):
    """Mean negative log-likelihood in nats: logits (N, K), labels (N,) integers in 0…K−1 → scalar."""
    _check(logits, labels)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(labels)), labels].mean()


def cross_entropy_backward(dy, logits, labels):
    """Gradient of `cross_entropy`: dy · (softmax(logits) − one-hot(labels)) / N."""
    _check(logits, labels)
    expect_gradient("cross_entropy", dy, ())
    dlogits = softmax(logits)
    dlogits[np.arange(len(labels)), labels] -= 1
    return dy * dlogits / len(labels)


def _check(logits, labels):
    ok = (logits.ndim == 2 and labels.shape == logits.shape[:1] and labels.size and labels.dtype.kind in "iu"
          and labels.min() >= 0 and labels.max() < logits.shape[1])
    expect(ok, "cross_entropy", f"logits {logits.shape}, labels {labels.dtype} {labels.shape}",
           "logits (N, K), labels (N,) integers in 0…K−1")
