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
    Plan("relu", "ReLU against tanh to 25 % training error (Krizhevsky, Fig. 1)", "activations", ("cifar10",), 3),
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
