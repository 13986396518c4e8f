"""Pictures side by side."""

import numpy as np
from matplotlib.patches import Rectangle

from .canvas import WIDTH, blank, canvas, check, sheet
from .drawing import figure
from .theme import diverging, theme


@figure
def images(pictures, labels=None, columns=None, signed=False):
    """Pictures (H, W), (1, H, W) or (3, H, W) side by side, `columns` in a row.

    Grey and colour run from 0 to 1, or to 255 in uint8; `signed` ones (one truth value, or one each) run around 0
    up to their 99.5th percentile.
    """
    pictures = [np.asarray(p) for p in pictures]
    check(len(pictures) > 0, "images", "no pictures", "at least one")
    for p in pictures:
        ok = p.size and (p.ndim == 2 or p.ndim == 3 and p.shape[0] in (1, 3))
        check(ok, "images", f"shape {p.shape}", "(H, W), (1, H, W) or (3, H, W)")
    labels = [""] * len(pictures) if labels is None else list(labels)
    signs = [signed] * len(pictures) if isinstance(signed, bool) else list(signed)
    check(len(labels) == len(pictures), "images", f"{len(labels)} labels", f"{len(pictures)}, one for each picture")
    check(len(signs) == len(pictures), "images", f"{len(signs)} in signed", f"{len(pictures)}, one for each picture")
    fig, axes = _grid(pictures, columns, 0.25 if any(labels) else 0.08)
    for ax, picture, label, sign in zip(axes.flat, pictures, labels, signs):
        top = np.quantile(np.abs(picture), 0.995) or 1 if sign else 255 if picture.dtype == np.uint8 else 1
        if picture.ndim == 3:
            low = -top if sign else 0
            picture = picture[0] if len(picture) == 1 else np.clip((picture.transpose(1, 2, 0) - low) / (top - low), 0, 1)
        ax.imshow(picture, cmap=diverging() if sign else "gray", vmin=-top if sign else 0, vmax=top,
                  interpolation="nearest" if picture.shape[0] < 64 else "antialiased")
        ax.set_title(label, pad=4)
        blank(ax, theme().faint)
    return fig


def _grid(pictures, columns, title):
    # a page with axes for pictures (…, H, W), `columns` in a row, and so many inches above each for its title
    columns = min(columns or len(pictures), len(pictures))
    rows, aspect = -(-len(pictures) // columns), max(p.shape[-2] / p.shape[-1] for p in pictures)
    fig, axes = canvas(rows * (WIDTH / columns * aspect * 0.95 + title), rows, columns, squeeze=False)
    for ax in axes.flat[len(pictures):]:
        ax.set_axis_off()
    return fig, axes


@figure
def overlays(pictures, maps, labels=None, masks=None, columns=None):
    """Pictures (3, H, W) on which maps (H, W) glow, each from 0 to its own largest number, `columns` in a row.

    A map that is None leaves its picture as it is; `masks` (H, W) of truth values, or None, are outlined in white.
    """
    pictures, maps = [np.asarray(p) for p in pictures], [m if m is None else np.asarray(m) for m in maps]
    count = len(pictures)
    labels = [""] * count if labels is None else list(labels)
    masks = [None] * count if masks is None else [m if m is None else np.asarray(m) for m in masks]
    check(count > 0, "overlays", "no pictures", "at least one")
    for name, given in (("maps", maps), ("labels", labels), ("masks", masks)):
        check(len(given) == count, "overlays", f"{len(given)} {name}", f"{count}, one for each picture")
    for picture, *laid in zip(pictures, maps, masks):
        ok = picture.ndim == 3 and len(picture) == 3 and all(a is None or a.shape == picture.shape[1:] for a in laid)
        came = ", ".join(str(a.shape) for a in (picture, *laid) if a is not None)
        check(ok, "overlays", f"shapes {came}", "a picture (3, H, W), its map and its mask (H, W)")
    fig, axes = _grid(pictures, columns, 0.26 if any(labels) else 0.08)
    for ax, picture, heat, label, mask in zip(axes.flat, pictures, maps, labels, masks):
        ax.imshow(picture.transpose(1, 2, 0), interpolation="nearest")
        if heat is not None:
            heat = np.clip(heat / (heat.max() if heat.max() > 0 else 1), 0, 1)
            ax.imshow(heat, cmap="inferno", alpha=0.8 * heat**0.7, vmin=0, vmax=1)
        if mask is not None:
            ax.contour(mask, levels=[0.5], colors="white", linewidths=1)
        ax.set_title(label, pad=4, fontsize=8.5 if axes.shape[1] > 4 else None)
        blank(ax, theme().faint)
    return fig


@figure
def maps(picture, rows, titles=None):
    """A picture (3, H, W) and rows of maps beside it, {name: [(h, w), …]}, each on its own scale, bright for large.

    `titles` are those of the columns of maps.
    """
    picture, rows = np.asarray(picture), {name: [np.asarray(m) for m in row] for name, row in rows.items()}
    ok = picture.ndim == 3 and len(picture) == 3
    check(ok, "maps", f"shape {picture.shape}", "a picture (3, H, W)")
    shapes = [m.shape for row in rows.values() for m in row]
    check(shapes and all(len(shape) == 2 for shape in shapes), "maps", f"shapes {shapes}", "maps (h, w)")
    columns = max(len(row) for row in rows.values())
    titles = [""] * columns if titles is None else list(titles)
    check(len(titles) == columns, "maps", f"{len(titles)} titles", f"{columns}, one for each column")
    side, aspect = WIDTH / (columns + 1), picture.shape[1] / picture.shape[2]
    fig, axes = canvas(len(rows) * side * aspect + 0.25 * any(titles), len(rows), columns + 1, squeeze=False)
    for ax in axes.flat:
        blank(ax)
    axes[0, 0].imshow(picture.transpose(1, 2, 0), interpolation="nearest")
    for line, (name, row) in zip(axes, rows.items()):
        line[1].set_ylabel(name, fontsize=8.5)
        for ax, values in zip(line[1:], row):
            ax.imshow(values, cmap="magma", interpolation="nearest")
    for ax, title in zip(axes[0, 1:], titles):
        ax.set_title(title, pad=4, fontsize=8.5)
    return fig


@figure
def neighbours(pictures, queries, found, labels):
    """A row for each query: its picture, then those that each way of searching found, framed where the label is right.

    `queries` (Q,) and the indices (Q, k) in `found`, by the name of the way, count in pictures (N, 3, H, W) and in
    labels (N,).
    """
    pictures, queries = np.asarray(pictures), np.asarray(queries)
    ok = pictures.ndim == 4 and pictures.shape[1] == 3 and len(labels) == len(pictures)
    check(ok, "neighbours", f"shape {pictures.shape} and {len(labels)} labels", "(N, 3, H, W) and N labels")
    shapes = {np.shape(indices) for indices in found.values()}
    ok = len(shapes) == 1 and len(shape := shapes.pop()) == 2 and shape[0] == len(queries)
    check(ok, "neighbours", f"{len(queries)} queries and found {[np.shape(f) for f in found.values()]}",
          "indices of one shape (queries, k)")
    gap, head, k = 0.4, 0.55, shape[1]
    fig, ax = sheet(1 + len(found) * (k + gap), len(queries) + head)
    ax.text(0.5, head - 0.15, "query", ha="center")
    for n, name in enumerate(["", *found]):
        left = 0 if n == 0 else 1 + gap * n + k * (n - 1)
        ax.text(left, head - 0.15, name)
        for row, query in enumerate(queries):
            for column, index in enumerate([query] if n == 0 else found[name][row]):
                x, y = left + column + 0.05, head + row + 0.05
                ax.imshow(pictures[index].transpose(1, 2, 0), extent=(x, x + 0.9, y + 0.9, y), aspect="auto")
                if n and labels[index] == labels[query]:
                    ax.add_patch(Rectangle((x, y), 0.9, 0.9, fill=False, ec=theme().series[2], lw=2.5))
    ax.set(xlim=(0, 1 + len(found) * (k + gap)), ylim=(len(queries) + head, 0))
    return fig
