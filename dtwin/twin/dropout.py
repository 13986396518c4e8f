"""Dropout, with the mask as an argument."""

from .shapes import expect, shapes


def dropout(x, mask, p=0.5):
    """Keep x where the mask is true, scaled by 1 / (1 − p) so that its expectation stays.

    x (…), mask (…) of booleans, each true with probability 1 − p → (…). Hinton et al. (2012) scale
    at test time instead, to the same expectation.
    """
    expect(mask.shape == x.shape and 0 <= p < 1, "dropout", f"{shapes(x=x, mask=mask)}, p={p}",
           "a mask of the shape of x, 0 ≤ p < 1")
    return x * mask / (1 - p)
