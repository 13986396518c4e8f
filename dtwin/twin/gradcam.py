"""Where a network looks."""

from .shapes import expect, shapes


def grad_cam(activations, gradients):
    """Feature maps weighted by the mean of their gradients, negative evidence cut off.

    activations and the gradients of one class score by them, both (N, C, H, W) → maps (N, H, W).
    Equations 1 and 2 of Selvaraju et al. (2017).
    """
    expect(activations.ndim == 4 and activations.shape == gradients.shape, "grad_cam",
           shapes(activations=activations, gradients=gradients), "both (N, C, H, W)")
    weights = gradients.mean((2, 3), keepdim=True)
    return (weights * activations).sum(1).relu()
