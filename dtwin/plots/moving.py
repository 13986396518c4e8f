"""Figures that the site sets in motion when the reader asks: a picture, the name of a script, and what it starts from."""

import numpy as np

from .canvas import check
from .drawing import Drawing

MOVING_KEY = "application/vnd.dtwin.moving+json"


class Moving:
    """A Drawing, and the data with which the script `name` of the site draws the same thing live."""

    def __init__(self, name, still, data):
        self.name, self.still, self.data = name, still, data

    def __repr__(self):
        return f"{self.still!r}, moving by {self.name}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        data, metadata = self.still._repr_mimebundle_()
        data |= {"text/plain": repr(self), MOVING_KEY: {"name": self.name, "data": self.data}}
        return data, metadata


def moving(name, still, /, **data):
    """A figure that moves: Jupyter and a page without scripts show `still`, the site runs `name` on `data`.

    The data are arrays, numbers, strings, and lists and dicts of them.

    Raises:
        ValueError: `still` is no Drawing, or the data hold something else.
    """
    check(isinstance(still, Drawing), "moving", f"a {type(still).__name__}", "a Drawing")
    return Moving(name, still, {key: _plain(value) for key, value in data.items()})


def _plain(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    check(isinstance(value, (str, int, float)), "moving", f"a {type(value).__name__}", "arrays, numbers or strings")
    return value
