"""Optimisers as plain functions: old values in, new values out."""

from .shapes import expect, shapes


def sgd(param, grad, lr, weight_decay=0.0):
    """One step downhill: param − lr · (grad + weight_decay · param), all of one shape."""
    _check("sgd", param=param, grad=grad)
    return param - lr * (grad + weight_decay * param)


def sgd_momentum(param, grad, velocity, lr, momentum=0.9, weight_decay=0.0):
    """One step with memory: returns the new param and the new velocity (the first one is zeros).

    velocity = momentum · velocity + grad + weight_decay · param, as in `torch.optim.SGD`;
    Krizhevsky et al. (2012) keep the velocity multiplied by −lr.
    """
    _check("sgd_momentum", param=param, grad=grad, velocity=velocity)
    velocity = momentum * velocity + grad + weight_decay * param
    return param - lr * velocity, velocity


def _check(function, **arrays):
    expect(len({a.shape for a in arrays.values()}) == 1, function, shapes(**arrays), "equal shapes")
