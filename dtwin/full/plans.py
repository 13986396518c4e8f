"""What there is to run, in the order that uses a short time on a graphics card best; needs no PyTorch to be read."""

import difflib
from typing import NamedTuple

from .. import claims


class Plan(NamedTuple):
    """A full-scale run: what it does, in which module it is written, on which data, and minutes on one H200, estimated.

    A run that measures seconds is `alone`: no other may share its card meanwhile.
    """

    name: str
    says: str
    module: str
    data: tuple[str, ...]
    minutes: float
    alone: bool = False

    @property
    def claims(self):
        """The ids of the claims that this run decides."""
        return [id for id, claim in claims.registry().items() if claim.full and claim.full.run == self.name]


PLANS = {plan.name: plan for plan in (
    Plan("throughput", "How fast the card is, and whether operations tell the time (Canziani)", "throughput", (), 1.5, alone=True),
    Plan("speed-94", "A residual network to 94 %, or its equal on other pictures, in the least time", "speed", ("cifar10",), 3,
         alone=True),
    Plan("relu", "ReLU against tanh to 25 % training error (Krizhevsky, Fig. 1)", "activations", ("cifar10",), 3),
    Plan("depth", "Plain and residual nets of 20 to 110 layers, 40 epochs (He, Fig. 6)", "depth", ("cifar10",), 6),
    Plan("labels", "Random labels and four other ways to take the sense out of pictures (Zhang, Fig. 1)", "labels", ("cifar10",), 5),
    Plan("batch-norm", "Batch normalisation at 1, 5 and 30 times the rate (Ioffe, Fig. 3)", "normalisation", ("cifar10",), 4),
    Plan("dropout", "Dense networks with dropout and max-norm (Srivastava, Table 2, Fig. 9)", "regularisation", ("fashion_mnist",), 2),
    Plan("conv-dropout", "Dropout in a convolutional network (Srivastava, Table 4)", "regularisation", ("cifar10",), 2),
    Plan("tricks", "AlexNet's tricks one at a time, on paired seeds (Krizhevsky, sections 3 to 5)", "tricks", ("cifar10",), 5),
    Plan("localisation", "Grad-CAM on the large pasture (Selvaraju)", "localisation", ("pasture",), 4),
    Plan("bags", "Bags of features and Fisher vectors against a network", "bags", ("cifar10",), 4),
    Plan("regularisers", "A small Inception without regulariser, with either, with both (Zhang, Table 1)", "labels", ("cifar10",), 5),
    Plan("depth-paper", "The residual nets by He's own recipe, 164 epochs (He, Table 6)", "depth", ("cifar10",), 25),
)}


def find(names):
    """The plans of these names, in the order of the list.

    Raises:
        ValueError: a name is unknown.
    """
    for name in names:
        if name not in PLANS:
            near = difflib.get_close_matches(name, PLANS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"no run has the name {name!r}{hint} The runs are {', '.join(PLANS)}")
    return [plan for name, plan in PLANS.items() if name in names]
