"""The page a figure is drawn on."""

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .theme import theme

WIDTH = 6.9  # inches; at 96 dots an inch this is the site's text column, 660 px


def canvas(height, rows=1, columns=1, **options):
    """A new Figure of the page's width and `height` inches with its axes, as `Figure.subplots` gives them."""
    fig = Figure(figsize=(WIDTH, height), layout="constrained")
    fig.get_layout_engine().set(w_pad=0.04, h_pad=0.04, wspace=0.04, hspace=0.04)
    return fig, fig.subplots(rows, columns, **options)


def check(condition, function, got, expected):
    """Raise a ValueError that names the function, what it got and what it expected, unless the condition holds."""
    if not condition:
        raise ValueError(f"plots.{function}: got {got}, expected {expected}")


def blank(ax, colour=None):
    """Take the ticks and the frame off some axes; a colour leaves the frame and paints it."""
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=colour is not None, color=colour)


def sheet(width, height):
    """An empty page for a diagram, `width` by `height` cells, y pointing down; returns its Figure and its axes."""
    fig = Figure(figsize=(WIDTH, WIDTH * height / width))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.set_axis_off()
    return fig, ax


def cells(ax, values, left, top, colours=None, strength=0.28, edge=None):
    """Write a matrix into a sheet as unit cells from the corner (left, top); a cell with a colour is tinted."""
    values = np.atleast_2d(values)
    colours, strength = np.broadcast_to(colours, values.shape), np.broadcast_to(strength, values.shape)
    for (i, j), value in np.ndenumerate(values):
        face = to_rgba(colours[i, j], strength[i, j]) if colours[i, j] else "none"
        ax.add_patch(Rectangle((left + j, top + i), 1, 1, lw=0.8, fc=face, ec=edge or theme().faint))
        number = f"{value:.2g}" if value % 1 else f"{int(value)}"
        ax.text(left + j + 0.5, top + i + 0.53, number.replace("-", "−"), ha="center", va="center", fontsize=10.5,
                color=theme().ink if colours[i, j] else theme().muted)


def name_ends(ax, ends):
    """Write each curve's name at its end, `ends` being name: (x, y) in the order of the colours."""
    # from the lowest end upwards, each at least 15 points above the one before
    height = {name: ax.transData.transform(end)[1] * 72 / ax.figure.dpi for name, end in ends.items()}
    floor = -np.inf
    for name in sorted(height, key=height.get):
        lift = max(0, floor + 15 - height[name])
        floor = height[name] + lift
        ax.annotate(name, ends[name], (7, lift), textcoords="offset points", va="center",
                    color=f"C{list(ends).index(name)}", annotation_clip=False)
