"""The figures of the course: one function per kind, drawn once for light pages and once for dark ones."""

import base64
import functools
import io
import textwrap
from dataclasses import dataclass

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

WIDTH = 6.9  # inches; at 96 dots an inch this is the site's text column, 660 px
DARK_KEY = "application/vnd.dtwin.dark+json"
RASTER_FROM = 5_000  # pixels of images in a figure from which it becomes a PNG


@dataclass(frozen=True)
class Theme:
    """The colours of a page by role: `ink` for text, `muted` for axes, `faint` for grids, `paper` for the ground, `series` for data."""

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
    return LinearSegmentedColormap.from_list("signed", [_current.series[1], _current.paper, _current.series[0]])


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


class Drawing:
    """A figure drawn for light and for dark pages; Jupyter shows the light one, the site both."""

    def __init__(self, name, build):
        self.name = name
        self.light = self.dark = b""
        for ground in (LIGHT, DARK):
            self.mime, self.size, picture = _draw(build, ground)
            setattr(self, "light" if ground is LIGHT else "dark", picture)

    def __repr__(self):
        return f"<figure {self.name}, {self.size[0]} x {self.size[1]} px>"

    def _repr_mimebundle_(self, include=None, exclude=None):
        text = (lambda raw: raw.decode()) if self.mime == "image/svg+xml" else (lambda raw: base64.b64encode(raw).decode())
        data = {"text/plain": repr(self), self.mime: text(self.light), DARK_KEY: {self.mime: text(self.dark)}}
        return data, {self.mime: {"width": self.size[0], "height": self.size[1]}}


def _draw(build, ground):
    global _current
    before, _current = _current, ground
    try:
        with mpl.rc_context({**mpl.rcParamsDefault, **_rc(ground), "backend": mpl.rcParams["backend"]}):
            fig = build()
            if not isinstance(fig, Figure):
                raise TypeError(f"plots.figure: the function returned {type(fig).__name__}, expected a matplotlib Figure")
            pixels = sum(np.prod(image.get_array().shape[:2]) for ax in fig.axes for image in ax.images)
            kind, mime = ("png", "image/png") if pixels > RASTER_FROM else ("svg", "image/svg+xml")
            metadata = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
            buffer = io.BytesIO()
            fig.savefig(buffer, format=kind, facecolor="none", metadata=metadata)
            plt.close(fig)
    finally:
        _current = before
    return mime, tuple(int(round(96 * inches)) for inches in fig.get_size_inches()), buffer.getvalue()


def figure(build):
    """Decorate a function that builds a matplotlib Figure: its call then returns a `Drawing`; raises what the function raises."""

    @functools.wraps(build)
    def drawing(*args, **kwargs):
        return Drawing(build.__name__, functools.partial(build, *args, **kwargs))

    return drawing


def canvas(height, rows=1, columns=1, **options):
    """A new Figure of the page's width and `height` inches with its axes, as `Figure.subplots` gives them."""
    fig = Figure(figsize=(WIDTH, height), layout="constrained")
    fig.get_layout_engine().set(w_pad=0.04, h_pad=0.04, wspace=0.04, hspace=0.04)
    return fig, fig.subplots(rows, columns, **options)


def _check(condition, function, got, expected):
    if not condition:
        raise ValueError(f"plots.{function}: got {got}, expected {expected}")


def _blank(ax, colour=None):
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=colour is not None, color=colour)


@figure
def images(pictures, labels=None, columns=None, signed=False, height=None):
    """Pictures (H, W), (1, H, W) or (3, H, W) side by side; grey and colour run from 0 to 1 or 255, `signed` ones around 0 up to their 99.5th percentile."""
    pictures = [np.asarray(p) for p in pictures]
    labels = [""] * len(pictures) if labels is None else list(labels)
    _check(len(pictures) > 0, "images", "no pictures", "at least one")
    _check(len(labels) == len(pictures), "images", f"{len(labels)} labels", f"{len(pictures)}, one for each picture")
    for p in pictures:
        _check(p.ndim == 2 or (p.ndim == 3 and p.shape[0] in (1, 3)), "images", f"shape {p.shape}", "(H, W), (1, H, W) or (3, H, W)")
    columns = min(columns or len(pictures), len(pictures))
    rows = -(-len(pictures) // columns)
    aspect = max(p.shape[-2] / p.shape[-1] for p in pictures)
    room = 0.17 * (1 + max(label.count("\n") for label in labels)) + 0.08 if any(labels) else 0.08
    fig, axes = canvas(height or rows * (WIDTH / columns * aspect * 0.95 + room), rows, columns, squeeze=False)
    signs = [signed] * len(pictures) if isinstance(signed, bool) else list(signed)
    for ax in axes.flat[len(pictures):]:
        ax.set_axis_off()
    for ax, picture, label, sign in zip(axes.flat, pictures, labels, signs):
        if picture.ndim == 3:
            picture = picture[0] if picture.shape[0] == 1 else picture.transpose(1, 2, 0)
        top = np.quantile(np.abs(picture), 0.995) or 1 if sign else 255 if picture.dtype == np.uint8 else 1
        if picture.ndim == 3:
            picture, top = np.clip(picture / top, 0, 1), 1
        ax.imshow(picture, cmap=diverging() if sign else "gray", vmin=-top if sign else 0, vmax=top,
                  interpolation="nearest" if picture.shape[0] < 64 else "antialiased")
        ax.set_title(label, pad=4)
        _blank(ax, _current.faint)
    return fig


def _cells(ax, values, left, top, fill=None, edge=None, strength=lambda value: 0.28):
    """Draw a matrix as unit cells, its upper left corner at (left, top), y pointing down; fill(i, j) is a colour or None."""
    for i, row in enumerate(np.atleast_2d(values)):
        for j, value in enumerate(row):
            colour = fill(i, j) if fill else None
            ax.add_patch(Rectangle((left + j, top + i), 1, 1, linewidth=0.8,
                                   facecolor=to_rgba(colour, strength(value)) if colour else "none", edgecolor=edge or _current.faint))
            number = f"{value:.2g}" if value % 1 else f"{value:.0f}"
            ax.text(left + j + 0.5, top + i + 0.53, number.replace("-", "−"), ha="center", va="center", fontsize=10.5,
                    color=_current.ink if colour or not fill else _current.muted)


def _sheet(width, height):
    fig = Figure(figsize=(WIDTH, WIDTH * height / width))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.set_axis_off()
    return fig, ax


@figure
def matrices(values, labels=None, between=None, shade=True):
    """Small matrices with their values printed, side by side, shaded by sign and size; `between` are signs such as "×" and "="."""
    values = [np.atleast_2d(v) for v in values]
    labels = [""] * len(values) if labels is None else list(labels)
    between = [""] * (len(values) - 1) if between is None else list(between)
    _check(all(v.ndim == 2 for v in values), "matrices", [v.shape for v in values], "matrices of at most two dimensions")
    _check(len(labels) == len(values), "matrices", f"{len(labels)} labels", f"{len(values)}, one for each matrix")
    _check(len(between) == len(values) - 1, "matrices", f"{len(between)} signs", f"{len(values) - 1}, one between each two")
    content, gap = sum(v.shape[1] for v in values), 1.3
    across = max(content + gap * len(between) + 0.4, 18)
    tall = max(v.shape[0] for v in values)
    fig, ax = _sheet(across, tall + 1.5)
    left = (across - content - gap * len(between)) / 2
    for n, (matrix, label) in enumerate(zip(values, labels)):
        top = 1.1 + (tall - matrix.shape[0]) / 2
        sign = lambda i, j, m=matrix: _current.series[0] if m[i, j] > 0 else _current.series[1] if m[i, j] < 0 else None
        largest = np.abs(matrix).max() or 1
        _cells(ax, matrix, left, top, fill=sign if shade else None, strength=lambda v, most=largest: 0.1 + 0.35 * abs(v) / most)
        ax.text(left + matrix.shape[1] / 2, top - 0.45, label, ha="center", va="center")
        if n < len(between):
            ax.text(left + matrix.shape[1] + gap / 2, 1.1 + tall / 2, between[n], ha="center", va="center", fontsize=13, color=_current.muted)
        left += matrix.shape[1] + gap
    return fig


@figure
def im2col(x, w):
    """Every window of the image x (h, w) under the kernel w (kh, kw) as a column, the kernel as a row, their product below."""
    x, w = np.asarray(x), np.asarray(w)
    _check(x.ndim == w.ndim == 2, "im2col", f"shapes {x.shape} and {w.shape}", "an image (h, w) and a kernel (kh, kw)")
    oh, ow = (np.array(x.shape) - w.shape + 1).tolist()
    _check(0 < oh * ow <= 6 and min(oh, ow) > 0, "im2col", f"{oh} x {ow} windows", "one to six: a kernel that nearly fills the image")
    gap, (h, width), weights = 0.9, x.shape, w.size
    start = weights + 1.5
    columns_top, row_top = h + 2.2, h + 2.2 + weights + 0.7
    across = start + oh * ow * (width + gap) - gap + 0.1
    fig, ax = _sheet(across, row_top + 2.3 + oh + 0.5)
    write = functools.partial(ax.text, va="center", color=_current.muted)
    write(start, 0.45, "the image, and one window at a time", color=_current.ink)
    write(start - 0.5, columns_top + weights / 2, "columns", rotation=90, ha="center")
    _cells(ax, w, (weights - w.shape[1]) / 2, row_top - w.shape[0] - 1.6, fill=lambda i, j: _current.series[6])
    write(weights / 2, row_top - w.shape[0] - 2.1, "the kernel …", ha="center", color=_current.ink)
    write(weights / 2, row_top - 0.5, "… as one row", ha="center")
    _cells(ax, w.reshape(1, -1), 0.1, row_top, fill=lambda i, j: _current.series[6])
    write(weights + 0.8, row_top + 0.5, "×", ha="center", fontsize=13)
    product = []
    for n in range(oh * ow):
        i, j, colour = n // ow, n % ow, _current.series[n]
        window, left = x[i:i + w.shape[0], j:j + w.shape[1]], start + n * (width + gap)
        middle = left + (width - 1) / 2
        product.append((window * w).sum())
        _cells(ax, x, left, 1, fill=lambda r, c: colour if i <= r < i + w.shape[0] and j <= c < j + w.shape[1] else None)
        ax.add_patch(Rectangle((left + j, 1 + i), *w.shape[::-1], fill=False, edgecolor=colour, linewidth=1.8))
        ax.add_patch(FancyArrowPatch((middle + 0.5, h + 1.15), (middle + 0.5, columns_top - 0.1), arrowstyle="-|>", mutation_scale=9, color=colour))
        _cells(ax, window.reshape(-1, 1), middle, columns_top, fill=lambda r, c: colour, edge=colour)
        _cells(ax, product[-1], middle, row_top, fill=lambda r, c: colour, edge=colour)
    middle = start + (across - start) / 2
    write(middle, row_top + 1.65, "the product, folded back: the feature map", ha="center", color=_current.ink)
    _cells(ax, np.reshape(product, (oh, ow)), middle - ow / 2, row_top + 2.2, fill=lambda r, c: _current.series[r * ow + c])
    return fig


@figure
def tied(matrix, kernel):
    """A layer's matrix (out, in) whose entries are numbers of kernel weights, 0 for none and 1 … n row by row: one colour a weight, beside the kernel's shape (kh, kw)."""
    matrix = np.asarray(matrix)
    n = kernel[0] * kernel[1]
    _check(matrix.ndim == 2 and 0 <= matrix.min() and matrix.max() <= n, "tied", f"shape {matrix.shape}, entries up to {matrix.max()}", f"a matrix of 0 … {n}")
    ramp = LinearSegmentedColormap.from_list("ramp", [_current.series[k] for k in (0, 2, 4, 1, 3)])
    colours = mpl.colors.ListedColormap([_current.paper, *ramp(np.linspace(0, 1, n))])
    fig, (left, right) = canvas(4.6, 1, 2, width_ratios=(1, 4.2))
    left.imshow(np.arange(1, n + 1).reshape(kernel), cmap=colours, vmin=0, vmax=n)
    for k in range(n):
        left.text(k % kernel[1], k // kernel[1], f"$w_{k + 1}$", ha="center", va="center", color=_current.paper, fontsize=11)
    left.set_title("the kernel")
    right.imshow(matrix, cmap=colours, vmin=0, vmax=n, interpolation="nearest")
    right.set(title="the layer's matrix", xlabel="input pixel", ylabel="output pixel")
    _blank(left)
    _blank(right, _current.faint)
    return fig


@figure
def curves(series, xlabel, ylabel, x=None, log=False, height=3.0):
    """Named curves (steps,) or (seeds, steps): the mean as a line, the range over seeds as a band, the name at its end."""
    series = {name: np.atleast_2d(np.asarray(values, float)) for name, values in series.items()}
    _check(len(series) > 0, "curves", "no curves", "at least one")
    fig, ax = canvas(height)
    ax.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if log else "linear")
    for n, (name, values) in enumerate(series.items()):
        _check(values.ndim == 2 and values.size > 0, "curves", f"shape {values.shape} for {name!r}", "(steps,) or (seeds, steps)")
        steps = np.arange(1, values.shape[1] + 1) if x is None else np.asarray(x)
        _check(steps.shape == values.shape[1:], "curves", f"{len(steps)} places x", f"{values.shape[1]}, one for each step of {name!r}")
        ax.fill_between(steps, values.min(0), values.max(0), color=f"C{n}", alpha=0.22, linewidth=0)
        ax.plot(steps, values.mean(0), color=f"C{n}")
    ax.set(xlim=(steps[0], steps[-1]))
    ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(8, integer=True))
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    _name_ends(ax, steps[-1], {name: values.mean(0)[-1] for name, values in series.items()})
    return fig


def _name_ends(ax, x, ends):
    # from the lowest end upwards, each name at least 15 points above the one before
    place = lambda y: ax.transData.transform((x, y))[1] * 72 / ax.figure.dpi
    floor = -np.inf
    for name, y in sorted(ends.items(), key=lambda item: item[1]):
        lift = max(0.0, floor + 15 - place(y))
        floor = place(y) + lift
        ax.annotate(name, (x, y), (7, lift), textcoords="offset points", va="center", color=f"C{list(ends).index(name)}", annotation_clip=False)


@figure
def bars(panels, labels, form="{:,.0f}", height=None):
    """Horizontal bars, one panel for each entry of `panels` (title to values), one bar for each label, the value at its end."""
    _check(len(panels) > 0, "bars", "no panels", "at least one")
    labels = [textwrap.fill(str(label), 22) for label in labels]
    fig, axes = canvas(height or 0.5 + 0.34 * len(labels), 1, len(panels), sharey=True, squeeze=False)
    for n, (ax, (title, values)) in enumerate(zip(axes.flat, panels.items())):
        values = np.asarray(values, float)
        _check(values.shape == (len(labels),), "bars", f"shape {values.shape} for {title!r}", f"({len(labels)},), one value for each label")
        ax.barh(labels, values, color=f"C{n}", height=0.62)
        for row, value in enumerate(values):
            ax.annotate(form.format(value), (value, row), (4, 0), textcoords="offset points", va="center", color=_current.ink)
        ax.set(xticks=[], xlim=(0, values.max() * 1.35))
        ax.set_title(title, loc="left")
        ax.spines[["bottom", "left"]].set_visible(False)
        ax.tick_params(axis="y", labelcolor=_current.ink)
    axes.flat[0].invert_yaxis()
    return fig
