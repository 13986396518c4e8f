"""Pictures side by side."""

import numpy as np

from .canvas import WIDTH, blank, canvas, check
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
        blank(ax, theme().faint)
    return fig
