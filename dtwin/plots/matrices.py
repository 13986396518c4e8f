"""Matrices, and convolution as a product of them."""

import functools

import matplotlib as mpl
import numpy as np
from matplotlib.patches import FancyArrowPatch, Rectangle

from .canvas import blank, canvas, cells, check, sheet
from .drawing import figure
from .theme import ramp, theme


@figure
def matrices(values, labels=None, between=None):
    """Small matrices with their values printed, side by side, tinted by sign and size; `between` are signs such as "×"."""
    values = [np.atleast_2d(v) for v in values]
    labels = [""] * len(values) if labels is None else list(labels)
    between = [""] * (len(values) - 1) if between is None else list(between)
    check(len(values) > 0 and all(v.ndim == 2 for v in values), "matrices", [v.shape for v in values], "matrices")
    check(len(labels) == len(values), "matrices", f"{len(labels)} labels", f"{len(values)}, one for each matrix")
    check(len(between) == len(values) - 1, "matrices", f"{len(between)} signs", f"{len(values) - 1} between them")
    gap, tall = 1.3, max(len(v) for v in values)
    content = sum(v.shape[1] for v in values) + gap * len(between)
    across = max(content + 0.4, 18)
    fig, ax = sheet(across, tall + 1.5)
    left = (across - content) / 2
    for matrix, label, sign in zip(values, labels, [*between, ""]):
        (height, width), size = matrix.shape, np.abs(matrix)
        top = 1.1 + (tall - height) / 2
        colours = np.where(matrix > 0, theme().series[0], np.where(matrix < 0, theme().series[1], None))
        cells(ax, matrix, left, top, colours, 0.1 + 0.35 * size / (size.max() or 1))
        ax.text(left + width / 2, top - 0.45, label, ha="center", va="center")
        ax.text(left + width + gap / 2, 1.1 + tall / 2, sign, ha="center", va="center", fontsize=13, color=theme().muted)
        left += width + gap
    return fig


@figure
def im2col(x, w):
    """Each window of an image x (h, w) under a kernel w (kh, kw) as a column, the kernel as a row, and their product."""
    x, w = np.asarray(x), np.asarray(w)
    check(x.ndim == w.ndim == 2, "im2col", f"shapes {x.shape} and {w.shape}", "an image (h, w) and a kernel (kh, kw)")
    windows = list(np.ndindex(*np.maximum(np.array(x.shape) - w.shape + 1, 0)))
    check(0 < len(windows) <= 6, "im2col", f"{len(windows)} windows", "one to six: a kernel that nearly fills the image")
    (height, width), (kh, kw), n = x.shape, w.shape, w.size
    left, step = n + 1.5, width + 0.9
    columns, row = height + 2.2, height + n + 2.9
    shape = windows[-1][0] + 1, windows[-1][1] + 1
    across = left + len(windows) * step - 0.8
    fig, ax = sheet(across, row + shape[0] + 2.8)
    write = functools.partial(ax.text, ha="center", va="center", color=theme().muted)
    write(left, 0.45, "the image, and one window at a time", ha="left", color=theme().ink)
    write(left - 0.5, columns + n / 2, "columns", rotation=90)
    write(n / 2, row - kh - 2.1, "the kernel …", color=theme().ink)
    cells(ax, w, (n - kw) / 2, row - kh - 1.6, theme().series[6])
    write(n / 2, row - 0.5, "… as one row")
    cells(ax, w.reshape(1, n), 0.1, row, theme().series[6])
    write(n + 0.8, row + 0.5, "×", fontsize=13)
    product = [(x[i:i + kh, j:j + kw] * w).sum() for i, j in windows]
    for k, (i, j) in enumerate(windows):
        colour, middle = theme().series[k], left + k * step + (width - 1) / 2
        under = np.full(x.shape, None)
        under[i:i + kh, j:j + kw] = colour
        cells(ax, x, left + k * step, 1, under)
        ax.add_patch(Rectangle((left + k * step + j, 1 + i), kw, kh, fill=False, ec=colour, lw=1.8))
        ax.add_patch(FancyArrowPatch((middle + 0.5, height + 1.15), (middle + 0.5, columns - 0.1),
                                     arrowstyle="-|>", mutation_scale=9, color=colour))
        cells(ax, x[i:i + kh, j:j + kw].reshape(n, 1), middle, columns, colour, edge=colour)
        cells(ax, product[k], middle, row, colour, edge=colour)
    centre = (left + across) / 2
    write(centre, row + 1.65, "the product, folded back: the feature map", color=theme().ink)
    colours = np.array(theme().series[:len(windows)]).reshape(shape)
    cells(ax, np.reshape(product, shape), centre - shape[1] / 2, row + 2.2, colours)
    return fig


@figure
def tied(matrix, kernel):
    """A layer's matrix (out, in) of weight numbers, 0 for none, and its kernel of shape (kh, kw): one colour a weight."""
    matrix, n = np.asarray(matrix), kernel[0] * kernel[1]
    ok = matrix.ndim == 2 and matrix.size and matrix.min() >= 0 and matrix.max() <= n
    check(ok, "tied", f"shape {matrix.shape}", f"a matrix of weight numbers 0 to {n}")
    hues = ramp(*(theme().series[k] for k in (0, 2, 4, 1, 3)))(np.linspace(0, 1, n))
    colours = mpl.colors.ListedColormap([theme().paper, *hues])
    fig, (left, right) = canvas(4.6, 1, 2, width_ratios=(1, 4.2))
    left.imshow(np.arange(1, n + 1).reshape(kernel), cmap=colours, vmin=0, vmax=n)
    for (i, j), k in np.ndenumerate(np.arange(1, n + 1).reshape(kernel)):
        left.text(j, i, f"$w_{{{k}}}$", ha="center", va="center", color=theme().paper, fontsize=11)
    left.set_title("the kernel")
    right.imshow(matrix, cmap=colours, vmin=0, vmax=n, interpolation="nearest")
    right.set(title="the layer's matrix", xlabel="input pixel", ylabel="output pixel")
    blank(left)
    blank(right, theme().faint)
    return fig
