"""Curves and bars."""

import matplotlib as mpl
import numpy as np

from .canvas import canvas, check, name_ends
from .drawing import figure
from .theme import theme


@figure
def curves(series, xlabel, ylabel, x=None, log=""):
    """Named curves (steps,) or (seeds, steps): the mean, the range over seeds as a band, the name at the end.

    They run over `x` (steps,), or over the steps 1, 2, …; `log` names the axes that are logarithmic: "x", "y" or "xy".
    A logarithmic x of up to eight steps has a tick at each.
    """
    series = {name: np.atleast_2d(np.asarray(values, float)) for name, values in series.items()}
    check(len(series) > 0, "curves", "no curves", "at least one")
    check(log in ("", "x", "y", "xy"), "curves", f"log={log!r}", '"", "x", "y" or "xy"')
    fig, ax = canvas(height=3.0)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ends = {}
    for n, (name, values) in enumerate(series.items()):
        ok = values.ndim == 2 and values.size
        check(ok, "curves", f"shape {values.shape} for {name!r}", "(steps,) or (seeds, steps)")
        at = np.arange(1, values.shape[1] + 1) if x is None else np.asarray(x)
        check(at.shape == values.shape[1:], "curves", f"{values.shape[1]} steps for {name!r}", f"{at.size}, as in x")
        ax.fill_between(at, values.min(0), values.max(0), color=f"C{n}", alpha=0.22, linewidth=0)
        ax.plot(at, values.mean(0), color=f"C{n}")
        ends[name] = at[-1], values.mean(0)[-1]
    ax.set(**{f"{axis}scale": "log" for axis in log})
    ax.margins(x=0)
    longest = max((line.get_xdata() for line in ax.lines), key=len)
    if "x" in log and longest.size <= 8:  # few enough to name each: the powers of ten would name none of them
        ax.set_xticks(longest, [f"{value:,g}" for value in longest])
        ax.set_xticks([], minor=True)
    if at.dtype.kind == "i" and "x" not in log:
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(8, integer=True))
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    name_ends(ax, ends)
    return fig


@figure
def bars(panels, labels, form="{:,.0f}"):
    """Horizontal bars: a panel for each title and its values, in it a bar for each label, with its value at the end."""
    check(len(panels) > 0, "bars", "no panels", "at least one")
    fig, axes = canvas(0.5 + 0.34 * len(labels), 1, len(panels), sharey=True, squeeze=False)
    for n, (ax, (title, values)) in enumerate(zip(axes.flat, panels.items())):
        ok = np.shape(values) == (len(labels),)
        check(ok, "bars", f"shape {np.shape(values)} for {title!r}", f"({len(labels)},), one value for each label")
        check(np.min(values) >= 0, "bars", f"{np.min(values)} for {title!r}", "values from 0, which bars begin at")
        ax.barh(labels, values, color=f"C{n}", height=0.62)
        for row, value in enumerate(values):
            ax.annotate(form.format(value), (value, row), (4, 0), textcoords="offset points", va="center")
        ax.set(xticks=[], xlim=(0, max(values) * 1.35 or 1))
        ax.set_title(title, loc="left")
        ax.spines[["bottom", "left"]].set_visible(False)
        ax.tick_params(axis="y", labelcolor=theme().ink)
    axes.flat[0].invert_yaxis()
    return fig
