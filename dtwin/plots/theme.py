"""The colours of the course, and matplotlib set to them."""

from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.colors import LinearSegmentedColormap


@dataclass(frozen=True)
class Theme:
    """The colours of a page by role: text, axes, grids, the ground, and data in the order they are used."""

    ink: str
    muted: str
    faint: str
    paper: str
    series: tuple[str, ...]


# Okabe and Ito's hues, each darkened or lightened until it stands 3:1 against its ground
LIGHT = Theme("#1f2430", "#5b6270", "#d9dce3", "#ffffff",
              ("#0072b2", "#c8500a", "#00835f", "#a8467d", "#94690a", "#3b6fd1", "#6b6f7a"))
DARK = Theme("#e4e6eb", "#a4abb8", "#3c414d", "#1e2129",
             ("#58b0ea", "#f08a4b", "#2cc596", "#e08fc0", "#e0b040", "#8ea9f5", "#a4abb8"))
_current = LIGHT


def theme():
    """The theme that is being drawn; ask inside a figure function, where "C0", "C1", … are its series too."""
    return _current


def diverging():
    """A colour map for signed values whose zero is the colour of the page."""
    return ramp(_current.series[1], _current.paper, _current.series[0])


def ramp(*colours):
    """A colour map that runs through the given colours."""
    return LinearSegmentedColormap.from_list("ramp", colours)


@contextmanager
def drawn_in(ground):
    """Set matplotlib to one theme, and undo it on leaving."""
    global _current
    before, _current = _current, ground
    try:
        with mpl.rc_context({**mpl.rcParamsDefault, **_rc(ground), "backend": mpl.rcParams["backend"]}):
            yield
    finally:
        _current = before


def _rc(theme):
    return {
        "font.family": "DejaVu Sans", "font.size": 9.5, "axes.titlesize": 9.5, "axes.labelsize": 9.5,
        "xtick.labelsize": 9, "ytick.labelsize": 9, "figure.dpi": 96, "savefig.dpi": 192,
        "text.color": theme.ink, "axes.labelcolor": theme.muted, "axes.titlecolor": theme.ink,
        "xtick.color": theme.muted, "ytick.color": theme.muted, "axes.edgecolor": theme.faint,
        "grid.color": theme.faint, "grid.linewidth": 0.7, "axes.linewidth": 0.8, "lines.linewidth": 1.8,
        "xtick.major.size": 0, "ytick.major.size": 0, "xtick.minor.size": 0, "ytick.minor.size": 0,
        "axes.spines.top": False, "axes.spines.right": False, "axes.facecolor": "none", "figure.facecolor": "none",
        "axes.prop_cycle": mpl.cycler(color=theme.series), "axes.unicode_minus": True, "image.cmap": "gray",
        "svg.fonttype": "path", "svg.hashsalt": "dtwin", "svg.image_inline": True,
    }
