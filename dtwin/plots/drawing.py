"""A figure drawn twice, for light pages and for dark ones."""

import base64
import functools
import io

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from .theme import DARK, LIGHT, drawn_in

DARK_KEY = "application/vnd.dtwin.dark+json"
RASTER_FROM = 5_000  # pixels of images in a figure from which it becomes a PNG


class Drawing:
    """A figure drawn for light and for dark pages; Jupyter shows the light one, the site both.

    `light` and `dark` are the files' bytes, `mime` their type, `size` their width and height in CSS pixels.
    """

    def __init__(self, name, build):
        self.name = name
        self.mime, self.size, self.light = _draw(build, LIGHT)
        _, _, self.dark = _draw(build, DARK)

    def __repr__(self):
        return f"<figure {self.name}, {self.size[0]} x {self.size[1]} px>"

    def _repr_mimebundle_(self, include=None, exclude=None):
        light, dark = (
            raw.decode() if self.mime == "image/svg+xml" else base64.b64encode(raw).decode()
            for raw in (self.light, self.dark)
        )
        data = {"text/plain": repr(self), self.mime: light, DARK_KEY: {self.mime: dark}}
        return data, {self.mime: {"width": self.size[0], "height": self.size[1]}}


def _draw(build, ground):
    open_before = set(plt.get_fignums())
    try:
        with drawn_in(ground):
            fig = build()
            if not isinstance(fig, Figure):
                raise TypeError(f"plots.figure: got {type(fig).__name__}, expected a matplotlib Figure")
            pixels = sum(np.prod(image.get_array().shape[:2]) for ax in fig.axes for image in ax.images)
            kind = "png" if pixels > RASTER_FROM else "svg"
            # no date and no version, so that the same figure has the same bytes
            silent = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
            buffer = io.BytesIO()
            fig.savefig(buffer, format=kind, facecolor="none", metadata=silent[kind])
    finally:
        for number in set(plt.get_fignums()) - open_before:
            plt.close(number)
    size = tuple(int(round(96 * inches)) for inches in fig.get_size_inches())
    return {"png": "image/png", "svg": "image/svg+xml"}[kind], size, buffer.getvalue()


def figure(build):
    """Decorate a function that builds a matplotlib Figure: its call then returns a `Drawing`.

    Raises:
        TypeError: the function returned something else.
    """

    @functools.wraps(build)
    def drawing(*args, **kwargs):
        return Drawing(build.__name__, functools.partial(build, *args, **kwargs))

    return drawing
