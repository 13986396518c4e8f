"""Training mode and evaluation mode, which dropout and batch normalisation tell apart."""

from contextlib import contextmanager


@contextmanager
def evaluating(net):
    """The network in evaluation mode; at the end each of its modules is in the mode it had before."""
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
