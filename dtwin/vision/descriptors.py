"""Local descriptors: what a patch of a picture looks like, as histograms of the directions of its gradients."""

import numpy as np
from skimage.feature import SIFT

BINS = 8  # directions of a gradient, as Lowe has them
FAINT = 0.03  # patches whose gradients are weaker than this stay short, or their noise would be made loud


def gradient_directions(images):
    """Strength of the gradient at each pixel, shared between the two nearest of eight directions.

    Images uint8 or from 0 to 1, (N, H, W), (N, 1, H, W) or (N, 3, H, W); returns float32 (N, 8, H, W). Direction 0
    is brighter to the right, 2 brighter downwards.

    Raises:
        ValueError: the images have another shape.
    """
    dy, dx = np.gradient(_grey("gradient_directions", images), axis=(1, 2))
    strength, turn = np.hypot(dx, dy), np.arctan2(dy, dx) * (BINS / (2 * np.pi))
    below = np.floor(turn)
    share, below = strength * (turn - below), below.astype(int)
    maps = np.zeros((len(dx), BINS, *dx.shape[1:]), np.float32)
    np.put_along_axis(maps, below[:, None] % BINS, (strength - share)[:, None], 1)
    np.put_along_axis(maps, (below[:, None] + 1) % BINS, share[:, None], 1)
    return maps


def dense_sift(images, patch=8, step=2, cells=2):
    """SIFT descriptors on a grid, upright and at one scale, and where they are.

    Images (N, [C,] H, W) as for `gradient_directions`; `patch` is the side of the patches and `step` the distance
    between them, in pixels; a patch has cells × cells cells. Returns descriptors float32 (N, P, cells² · 8), in the
    order row of cells, cell, direction, and the middles of the P patches (P, 2), row and column.

    A pixel counts for the cells nearest to it, the more the nearer. As in Lowe's SIFT, entries that stand out are cut
    back and the length is 1; that of a faint patch is less.

    Raises:
        ValueError: the images have another shape, or a patch does not fit.
    """
    maps = gradient_directions(images)
    n, bins, height, width = maps.shape
    if not (1 <= cells <= patch <= min(height, width) and step >= 1):
        raise ValueError(f"dense_sift: got patch={patch} and step={step} for {height} x {width} pixels, "
                         f"expected a patch that fits, of at least {cells} pixels for as many cells, and a step from 1")
    (down, rows), (across, columns) = (_tents(length, patch, step, cells) for length in (height, width))
    found = (down @ maps @ across.T).reshape(n, bins, len(rows), cells, len(columns), cells)
    found = found.transpose(0, 2, 4, 3, 5, 1).reshape(n, len(rows) * len(columns), cells * cells * bins)
    places = np.stack(np.meshgrid(rows, columns, indexing="ij"), -1).reshape(-1, 2)
    strength = _length(found)
    found = np.minimum(found / strength, 0.8 / cells, out=found)  # Lowe's 0.2, and as strict for fewer numbers
    found *= np.minimum(1, strength / (FAINT * (patch / cells) ** 2)) / _length(found)
    return found, places


def keypoint_sift(image, **options):
    """SIFT at the key points that it finds in one image (H, W) or (3, H, W), by scikit-image.

    Returns descriptors float32 (P, 128), places (P, 2) as row and column, scales σ in pixels and directions in
    radians (P,). `options` are those of `skimage.feature.SIFT`; an image without key points gives P = 0.
    """
    grey = _grey("keypoint_sift", np.asarray(image)[None])[0]
    sift = SIFT(**options)
    try:
        sift.detect_and_extract(grey)
    except RuntimeError:  # scikit-image's word for "none"
        return np.zeros((0, 128), np.float32), np.zeros((0, 2)), np.zeros(0), np.zeros(0)
    descriptors = sift.descriptors.astype(np.float32)
    return descriptors / _length(descriptors), sift.positions, sift.sigmas, sift.orientations


def _grey(function, images):
    images = np.asarray(images)
    scale = 255 if images.dtype == np.uint8 else 1
    if images.ndim == 4 and images.shape[1] in (1, 3):
        weights = np.array([0.2125, 0.7154, 0.0721] if images.shape[1] == 3 else [1.0], np.float32)
        images = np.tensordot(images.astype(np.float32), weights, (1, 0))
    if images.ndim != 3:
        raise ValueError(f"{function}: got shape {images.shape}, expected (N, H, W), (N, 1, H, W) or (N, 3, H, W)")
    return images.astype(np.float32) / scale


def _tents(length, patch, step, cells):
    # each cell of each patch weighs the pixels of a line: 1 at its middle, 0 at the middles of the next cells
    starts, side = np.arange(0, length - patch + 1, step), patch / cells
    middles = (starts[:, None] + side * (np.arange(cells) + 0.5) - 0.5).reshape(-1, 1)
    tents = np.maximum(0, 1 - np.abs(np.arange(length) - middles) / side)
    return tents.astype(np.float32), starts + (patch - 1) / 2


def _length(vectors):
    return np.maximum(np.sqrt(np.einsum("...d,...d->...", vectors, vectors)), 1e-12)[..., None]
