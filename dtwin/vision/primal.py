"""The primal sketch: where the intensity changes, and the tokens that describe the changes (Marr and Hildreth, 1980)."""

from dataclasses import dataclass
from functools import cache
from math import sqrt

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage import measure


def laplacian_of_gaussian(image, sigma):
    """The Laplacian of an image (H, W), mirrored at its rim, blurred by a Gaussian of standard deviation `sigma` in pixels.

    Raises:
        ValueError: the image is not a matrix, or sigma is not positive.
    """
    image = np.asarray(image, float)
    if image.ndim != 2:
        raise ValueError(f"laplacian_of_gaussian: got shape {image.shape}, expected a grey image (H, W)")
    if not sigma > 0:
        raise ValueError(f"laplacian_of_gaussian: got sigma={sigma}, expected a positive number of pixels")
    # not the sampled Laplacian of a Gaussian, whose weights do not add up to zero where sigma is small
    return ndimage.laplace(ndimage.gaussian_filter(image, sigma))


def step_height(response, sigma):
    """The height of the step whose zero crossing would be as steep as the response (H, W) is at each pixel.

    A step of height 1, filtered with the same sigma on the same grid, says how steep a unit is.
    """
    return np.hypot(*np.gradient(response)) / _unit_slope(sigma)


@cache
def _unit_slope(sigma):
    middle = int(6 * sigma) + 3
    step = np.repeat([[0.0] * middle + [1.0] * middle], 3, axis=0)
    return np.abs(np.gradient(laplacian_of_gaussian(step, sigma)[1]))[middle]


def zero_crossings(image, sigma, contrast=0.0):
    """The pixels, bool (H, W), at which the Laplacian of Gaussian changes sign as steeply as at a step of `contrast`.

    Of two neighbours of different sign the one nearer to zero is marked, and what is zero between two. Raises as `laplacian_of_gaussian`.
    """
    response = laplacian_of_gaussian(image, sigma)
    found = np.zeros(response.shape, bool)
    for axis in (0, 1):
        a, b = (np.moveaxis(array, axis, 0) for array in (response, found))
        sign = np.sign(a)
        changes = sign[:-1] * sign[1:] < 0
        nearer = np.abs(a[:-1]) <= np.abs(a[1:])
        b[:-1] |= changes & nearer
        b[1:] |= changes & ~nearer
        b[1:-1] |= (sign[1:-1] == 0) & (sign[:-2] * sign[2:] < 0)
    return found & (step_height(response, sigma) >= contrast)


@dataclass(frozen=True)
class Tokens:
    """The raw primal sketch of an image; points are (x, y) in pixels, angles in degrees from the x axis, y down.

    chains: zero crossings, linked: arrays (N, 2). edges: (E, 6), straight pieces of them: x and y of the middle,
    angle (the brighter side is on the left of the way it points, seen on the page), length, contrast, number of the chain.
    bars: (B, 5), pairs of edges that face each other: x, y, angle, length, width. blobs: (K, 4), small closed chains:
    x, y, diameter, sign (1 where brighter than around it). ends: (T, 2), where a chain stops.
    """

    chains: list
    edges: np.ndarray
    bars: np.ndarray
    blobs: np.ndarray
    ends: np.ndarray


def raw_primal_sketch(image, sigma, contrast, straight=1.0):
    """The Tokens of an image (H, W): its zero crossings at one scale from a contrast up, as edges, bars, blobs and ends.

    `straight` is how far, in pixels, an edge may depart from a line. Raises as `laplacian_of_gaussian`.
    """
    response = laplacian_of_gaussian(image, sigma)
    height = step_height(response, sigma)
    chains, blobs, edges, ends = [], [], [np.empty((0, 6))], [np.empty((0, 2))]
    for chain in _chains(response, height, contrast):
        blob = _blob(chain, response, sigma)
        if blob:
            blobs.append(blob)
            continue
        edges.append(_edges(chain, response, height, straight, len(chains)))
        ends.append(_ends(chain, response.shape, 2 * sigma))
        chains.append(chain)
    edges = np.concatenate(edges)
    return Tokens(chains, edges, _bars(edges, 4 * sigma), np.array(blobs).reshape(-1, 4), np.concatenate(ends))


def _at(array, points):
    return ndimage.map_coordinates(array, points[:, ::-1].T, order=1, mode="nearest")


def _chains(response, height, contrast):
    # curves of (x, y) along which the response is zero, cut where they are faint
    for curve in measure.find_contours(response, 0.0):
        curve = curve[:, ::-1]
        strong, closed = _at(height, curve) >= contrast, (curve[0] == curve[-1]).all()
        if strong.all():
            yield curve
            continue
        if closed:  # start at a gap, so that no piece is cut in two by where the curve happens to begin
            first = int(strong.argmin())
            curve, strong = np.roll(curve[:-1], -first, 0), np.roll(strong[:-1], -first)
        cuts = np.flatnonzero(np.diff(strong)) + 1
        yield from (piece for piece, keep in zip(np.split(curve, cuts), np.split(strong, cuts))
                    if keep[0] and len(piece) > 2)


def _blob(chain, response, sigma):
    # a closed chain no wider than a spot that the filter still sees as one, and round
    if (chain[0] != chain[-1]).any():
        return None
    spread = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(chain[:-1].T)), 0))
    diameter = 2 * sqrt(2) * spread.mean()  # of a circle of points, whose spread along any axis is r / √2
    if diameter > 6 * sigma or spread[0] < 0.5 * spread[1]:
        return None
    x, y = chain[:-1].mean(0)
    bright = _at(response, np.array([[x, y]]))[0] < 0
    return x, y, diameter, 1 if bright else -1


def _edges(chain, response, height, straight, number):
    corners = measure.approximate_polygon(chain, straight)
    start, end = corners[:-1], corners[1:]
    middle, way = (start + end) / 2, end - start
    length = np.hypot(*way.T)
    left = np.stack([way[:, 1], -way[:, 0]], 1) / np.maximum(length, 1e-9)[:, None]
    # brighter on the left: the response of a step is negative on its brighter side
    flip = np.where(_at(response, middle + left) < _at(response, middle - left), 1, -1)
    angle = np.degrees(np.arctan2(flip * way[:, 1], flip * way[:, 0]))
    return np.column_stack([middle, angle, length, _at(height, middle), np.full(len(way), number)])[length > 2]


def _ends(chain, shape, near):
    # not where the picture ends, nor where a chain nearly closes
    ends = chain[[0, -1]]
    if np.hypot(*(ends[0] - ends[1])) < near:
        return np.empty((0, 2))
    inside = ((ends > 1) & (ends < np.array(shape[::-1]) - 2)).all(1)
    return ends[inside]


def _bars(edges, widest):
    # two edges side by side that point in opposite ways: both turn their brighter, or both their darker, side inwards
    if len(edges) < 2:
        return np.empty((0, 5))
    middle, angle, length = edges[:, :2], np.radians(edges[:, 2]), edges[:, 3]
    reach = widest + length.max()
    i, j = cKDTree(middle).query_pairs(reach, output_type="ndarray").T
    along = np.stack([np.cos(angle), np.sin(angle)], 1)
    gap = middle[j] - middle[i]
    slide = np.abs((gap * along[i]).sum(1))
    width = np.abs(gap[:, 0] * along[i][:, 1] - gap[:, 1] * along[i][:, 0])
    overlap = (length[i] + length[j]) / 2 - slide
    opposite = (along[i] * along[j]).sum(1) < -np.cos(np.radians(15))
    shorter = np.minimum(length[i], length[j])
    good = opposite & (width < widest) & (overlap > 0.5 * shorter) & (shorter > width)
    i, j, width = i[good], j[good], width[good]
    return np.column_stack([(middle[i] + middle[j]) / 2, edges[i, 2] % 180, shorter[good], width])
