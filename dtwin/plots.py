"""The figures of the course: one function per kind, drawn once for light pages and once for dark ones."""

import base64
import functools
import io
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
    return _ramp(_current.series[1], _current.paper, _current.series[0])


def _ramp(*colours):
    return LinearSegmentedColormap.from_list("ramp", colours)


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
    global _current
    before, _current = _current, ground
    open_before = set(plt.get_fignums())
    try:
        with mpl.rc_context({**mpl.rcParamsDefault, **_rc(ground), "backend": mpl.rcParams["backend"]}):
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
        _current = before
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
def images(pictures, labels=None, columns=None, signed=False):
    """Pictures (H, W), (1, H, W) or (3, H, W) side by side, `columns` in a row.

    Grey and colour run from 0 to 1, or to 255 in uint8; `signed` ones (one truth value, or one each) run around 0
    up to their 99.5th percentile.
    """
    pictures = [np.asarray(p) for p in pictures]
    _check(len(pictures) > 0, "images", "no pictures", "at least one")
    for p in pictures:
        ok = p.size and (p.ndim == 2 or p.ndim == 3 and p.shape[0] in (1, 3))
        _check(ok, "images", f"shape {p.shape}", "(H, W), (1, H, W) or (3, H, W)")
    labels = [""] * len(pictures) if labels is None else list(labels)
    signs = [signed] * len(pictures) if isinstance(signed, bool) else list(signed)
    _check(len(labels) == len(pictures), "images", f"{len(labels)} labels", f"{len(pictures)}, one for each picture")
    _check(len(signs) == len(pictures), "images", f"{len(signs)} in signed", f"{len(pictures)}, one for each picture")
    columns = min(columns or len(pictures), len(pictures))
    rows = -(-len(pictures) // columns)
    aspect = max(p.shape[-2] / p.shape[-1] for p in pictures)
    title = 0.25 if any(labels) else 0.08
    fig, axes = canvas(rows * (WIDTH / columns * aspect * 0.95 + title), rows, columns, squeeze=False)
    for ax in axes.flat[len(pictures):]:
        ax.set_axis_off()
    for ax, picture, label, sign in zip(axes.flat, pictures, labels, signs):
        top = np.quantile(np.abs(picture), 0.995) or 1 if sign else 255 if picture.dtype == np.uint8 else 1
        if picture.ndim == 3:
            picture = picture[0] if len(picture) == 1 else np.clip(picture.transpose(1, 2, 0) / top, 0, 1)
        ax.imshow(picture, cmap=diverging() if sign else "gray", vmin=-top if sign else 0, vmax=top,
                  interpolation="nearest" if picture.shape[0] < 64 else "antialiased")
        ax.set_title(label, pad=4)
        _blank(ax, _current.faint)
    return fig


def _sheet(width, height):
    # an empty page measured in cells, y pointing down
    fig = Figure(figsize=(WIDTH, WIDTH * height / width))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.set_axis_off()
    return fig, ax


def _cells(ax, values, left, top, colours=None, strength=0.28, edge=None):
    # a matrix as unit cells from the corner (left, top); a cell with a colour is tinted and its number stands out
    values = np.atleast_2d(values)
    colours, strength = np.broadcast_to(colours, values.shape), np.broadcast_to(strength, values.shape)
    for (i, j), value in np.ndenumerate(values):
        face = to_rgba(colours[i, j], strength[i, j]) if colours[i, j] else "none"
        ax.add_patch(Rectangle((left + j, top + i), 1, 1, lw=0.8, fc=face, ec=edge or _current.faint))
        number = f"{value:.2g}" if value % 1 else f"{int(value)}"
        ax.text(left + j + 0.5, top + i + 0.53, number.replace("-", "−"), ha="center", va="center", fontsize=10.5,
                color=_current.ink if colours[i, j] else _current.muted)


@figure
def matrices(values, labels=None, between=None):
    """Small matrices with their values printed, side by side, tinted by sign and size; `between` are signs such as "×"."""
    values = [np.atleast_2d(v) for v in values]
    labels = [""] * len(values) if labels is None else list(labels)
    between = [""] * (len(values) - 1) if between is None else list(between)
    _check(len(values) > 0 and all(v.ndim == 2 for v in values), "matrices", [v.shape for v in values], "matrices")
    _check(len(labels) == len(values), "matrices", f"{len(labels)} labels", f"{len(values)}, one for each matrix")
    _check(len(between) == len(values) - 1, "matrices", f"{len(between)} signs", f"{len(values) - 1} between them")
    gap, tall = 1.3, max(len(v) for v in values)
    content = sum(v.shape[1] for v in values) + gap * len(between)
    across = max(content + 0.4, 18)
    fig, ax = _sheet(across, tall + 1.5)
    left = (across - content) / 2
    for matrix, label, sign in zip(values, labels, [*between, ""]):
        (height, width), size = matrix.shape, np.abs(matrix)
        top = 1.1 + (tall - height) / 2
        colours = np.where(matrix > 0, _current.series[0], np.where(matrix < 0, _current.series[1], None))
        _cells(ax, matrix, left, top, colours, 0.1 + 0.35 * size / (size.max() or 1))
        ax.text(left + width / 2, top - 0.45, label, ha="center", va="center")
        ax.text(left + width + gap / 2, 1.1 + tall / 2, sign, ha="center", va="center", fontsize=13, color=_current.muted)
        left += width + gap
    return fig


@figure
def im2col(x, w):
    """Each window of an image x (h, w) under a kernel w (kh, kw) as a column, the kernel as a row, and their product."""
    x, w = np.asarray(x), np.asarray(w)
    _check(x.ndim == w.ndim == 2, "im2col", f"shapes {x.shape} and {w.shape}", "an image (h, w) and a kernel (kh, kw)")
    windows = list(np.ndindex(*np.maximum(np.array(x.shape) - w.shape + 1, 0)))
    _check(0 < len(windows) <= 6, "im2col", f"{len(windows)} windows", "one to six: a kernel that nearly fills the image")
    (height, width), (kh, kw), n = x.shape, w.shape, w.size
    left, step = n + 1.5, width + 0.9
    columns, row = height + 2.2, height + n + 2.9
    shape = windows[-1][0] + 1, windows[-1][1] + 1
    across = left + len(windows) * step - 0.8
    fig, ax = _sheet(across, row + shape[0] + 2.8)
    write = functools.partial(ax.text, ha="center", va="center", color=_current.muted)
    write(left, 0.45, "the image, and one window at a time", ha="left", color=_current.ink)
    write(left - 0.5, columns + n / 2, "columns", rotation=90)
    write(n / 2, row - kh - 2.1, "the kernel …", color=_current.ink)
    _cells(ax, w, (n - kw) / 2, row - kh - 1.6, _current.series[6])
    write(n / 2, row - 0.5, "… as one row")
    _cells(ax, w.reshape(1, n), 0.1, row, _current.series[6])
    write(n + 0.8, row + 0.5, "×", fontsize=13)
    product = [(x[i:i + kh, j:j + kw] * w).sum() for i, j in windows]
    for k, (i, j) in enumerate(windows):
        colour, middle = _current.series[k], left + k * step + (width - 1) / 2
        under = np.full(x.shape, None)
        under[i:i + kh, j:j + kw] = colour
        _cells(ax, x, left + k * step, 1, under)
        ax.add_patch(Rectangle((left + k * step + j, 1 + i), kw, kh, fill=False, ec=colour, lw=1.8))
        ax.add_patch(FancyArrowPatch((middle + 0.5, height + 1.15), (middle + 0.5, columns - 0.1),
                                     arrowstyle="-|>", mutation_scale=9, color=colour))
        _cells(ax, x[i:i + kh, j:j + kw].reshape(n, 1), middle, columns, colour, edge=colour)
        _cells(ax, product[k], middle, row, colour, edge=colour)
    centre = (left + across) / 2
    write(centre, row + 1.65, "the product, folded back: the feature map", color=_current.ink)
    colours = np.array(_current.series[:len(windows)]).reshape(shape)
    _cells(ax, np.reshape(product, shape), centre - shape[1] / 2, row + 2.2, colours)
    return fig


@figure
def tied(matrix, kernel):
    """A layer's matrix (out, in) of weight numbers, 0 for none, and its kernel of shape (kh, kw): one colour a weight."""
    matrix, n = np.asarray(matrix), kernel[0] * kernel[1]
    ok = matrix.ndim == 2 and matrix.size and matrix.min() >= 0 and matrix.max() <= n
    _check(ok, "tied", f"shape {matrix.shape}", f"a matrix of weight numbers 0 to {n}")
    hues = _ramp(*(_current.series[k] for k in (0, 2, 4, 1, 3)))(np.linspace(0, 1, n))
    colours = mpl.colors.ListedColormap([_current.paper, *hues])
    fig, (left, right) = canvas(4.6, 1, 2, width_ratios=(1, 4.2))
    left.imshow(np.arange(1, n + 1).reshape(kernel), cmap=colours, vmin=0, vmax=n)
    for (i, j), k in np.ndenumerate(np.arange(1, n + 1).reshape(kernel)):
        left.text(j, i, f"$w_{{{k}}}$", ha="center", va="center", color=_current.paper, fontsize=11)
    left.set_title("the kernel")
    right.imshow(matrix, cmap=colours, vmin=0, vmax=n, interpolation="nearest")
    right.set(title="the layer's matrix", xlabel="input pixel", ylabel="output pixel")
    _blank(left)
    _blank(right, _current.faint)
    return fig


@figure
def curves(series, xlabel, ylabel):
    """Named curves (steps,) or (seeds, steps) from step 1 on: the mean, the range over seeds as a band, the name at the end."""
    series = {name: np.atleast_2d(np.asarray(values, float)) for name, values in series.items()}
    _check(len(series) > 0, "curves", "no curves", "at least one")
    fig, ax = canvas(height=3.0)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    for n, (name, values) in enumerate(series.items()):
        ok = values.ndim == 2 and values.size
        _check(ok, "curves", f"shape {values.shape} for {name!r}", "(steps,) or (seeds, steps)")
        steps = np.arange(1, values.shape[1] + 1)
        ax.fill_between(steps, values.min(0), values.max(0), color=f"C{n}", alpha=0.22, linewidth=0)
        ax.plot(steps, values.mean(0), color=f"C{n}")
    ax.margins(x=0)
    ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(8, integer=True))
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    _name_ends(ax, {name: (values.shape[1], values.mean(0)[-1]) for name, values in series.items()})
    return fig


def _name_ends(ax, ends):
    # from the lowest end upwards, each name at least 15 points above the one before
    height = {name: ax.transData.transform(end)[1] * 72 / ax.figure.dpi for name, end in ends.items()}
    floor = -np.inf
    for name in sorted(height, key=height.get):
        lift = max(0, floor + 15 - height[name])
        floor = height[name] + lift
        ax.annotate(name, ends[name], (7, lift), textcoords="offset points", va="center",
                    color=f"C{list(ends).index(name)}", annotation_clip=False)


@figure
def bars(panels, labels, form="{:,.0f}"):
    """Horizontal bars: a panel for each title and its values, in it a bar for each label, with its value at the end."""
    _check(len(panels) > 0, "bars", "no panels", "at least one")
    fig, axes = canvas(0.5 + 0.34 * len(labels), 1, len(panels), sharey=True, squeeze=False)
    for n, (ax, (title, values)) in enumerate(zip(axes.flat, panels.items())):
        ok = np.shape(values) == (len(labels),)
        _check(ok, "bars", f"shape {np.shape(values)} for {title!r}", f"({len(labels)},), one value for each label")
        ax.barh(labels, values, color=f"C{n}", height=0.62)
        for row, value in enumerate(values):
            ax.annotate(form.format(value), (value, row), (4, 0), textcoords="offset points", va="center")
        ax.set(xticks=[], xlim=(0, max(values) * 1.35))
        ax.set_title(title, loc="left")
        ax.spines[["bottom", "left"]].set_visible(False)
        ax.tick_params(axis="y", labelcolor=_current.ink)
    axes.flat[0].invert_yaxis()
    return fig
