"""Depth from two eyes: where each point of the left picture lies in the right one."""

import numpy as np
from scipy import ndimage


def census(image, radius=2):
    """Which neighbours of each pixel of an image (H, W) are darker than it: bits of a number, uint64 (H, W).

    Light and contrast may differ between two cameras; the order of brightness seldom does. Zabih and Woodfill 1994.

    Raises:
        ValueError: the image is not a matrix, or the radius is not from 1 to 3.
    """
    image = np.asarray(image, float)
    if image.ndim != 2 or radius not in (1, 2, 3):
        raise ValueError(f"census: got shape {image.shape} and radius {radius}, expected (H, W) and a radius from 1 to 3")
    (height, width), padded = image.shape, np.pad(image, radius, mode="edge")
    code = np.zeros(image.shape, np.uint64)
    for i, j in np.ndindex(2 * radius + 1, 2 * radius + 1):
        if (i, j) != (radius, radius):
            code = code << np.uint64(1) | (padded[i:i + height, j:j + width] < image)
    return code


def matching_cost(left, right, disparities, radius=2):
    """How badly the neighbourhood of (y, x) in the left picture fits that of (y, x − d) in the right: (H, W, D).

    It is the number of neighbours whose census differs, for d from 0 up to `disparities` − 1; where x − d lies outside
    the picture, all of them.

    Raises:
        ValueError: the pictures differ in shape, or there are fewer than three disparities or more than columns; and as `census`.
    """
    a, b = census(left, radius), census(right, radius)
    if a.shape != b.shape or not 3 <= disparities <= a.shape[1]:
        raise ValueError(f"matching_cost: got pictures {a.shape} and {b.shape} and {disparities} disparities, "
                         "expected one shape (H, W) and from 3 to W disparities")
    cost = np.full((*a.shape, disparities), (2 * radius + 1) ** 2 - 1, np.float32)
    for d in range(disparities):
        cost[:, d:, d] = np.bitwise_count(a[:, d:] ^ b[:, :a.shape[1] - d])
    return cost


def block_matching(cost, side=9):
    """The cost (H, W, D) averaged over a square window of `side` pixels: all of its pixels are held to be equally far."""
    return ndimage.uniform_filter1d(ndimage.uniform_filter1d(cost, side, axis=0), side, axis=1)


def semi_global(cost, small=8.0, large=48.0):
    """The cost (H, W, D) summed along straight paths from all four sides to each pixel (Hirschmüller, 2008).

    A path that changes its disparity by one on the way pays `small`, by more `large`, so that surfaces may slant, and
    break where it is worth it.
    """
    total = np.zeros_like(cost)
    for axis in (0, 1):
        lines, sums = np.moveaxis(cost, axis, 0), np.moveaxis(total, axis, 0)
        for way in (slice(None), slice(None, None, -1)):
            best = np.zeros_like(lines[0])
            for line, target in zip(lines[way], sums[way]):
                best = line + _cheapest_step(best, small, large)
                target += best
    return total


def _cheapest_step(before, small, large):
    # from the costs (N, D) of paths so far, those of the cheapest way to each disparity, counted from the best of all
    floor = before.min(1, keepdims=True)
    step = np.minimum(before, floor + large)
    step[:, 1:] = np.minimum(step[:, 1:], before[:, :-1] + small)
    step[:, :-1] = np.minimum(step[:, :-1], before[:, 1:] + small)
    return step - floor


def disparity(cost):
    """The disparity (H, W) of least cost (H, W, D), refined to a fraction of a pixel by a parabola through its neighbours."""
    best = cost.argmin(2)
    inner = np.clip(best, 1, cost.shape[2] - 2)[..., None]
    low, middle, high = (np.take_along_axis(cost, inner + k, 2)[..., 0] for k in (-1, 0, 1))
    curve = low - 2 * middle + high
    shift = np.where((curve > 0) & (best == inner[..., 0]), (low - high) / (2 * np.where(curve > 0, curve, 1)), 0)
    return best + np.clip(shift, -0.5, 0.5)


def consistent(cost, tolerance=1):
    """The pixels, bool (H, W), whose partner in the right picture chooses them in turn, within `tolerance` pixels.

    What only one eye sees has no partner. Costs (H, W, D) of the left picture hold those of the right: pixel x there
    meets x + d here.
    """
    height, width, depth = cost.shape
    there = np.full_like(cost, np.inf)
    for d in range(depth):
        there[:, :width - d, d] = cost[:, d:, d]
    best, answer = cost.argmin(2), there.argmin(2)
    partner = np.arange(width) - best
    back = np.take_along_axis(answer, np.maximum(partner, 0), 1)
    return (partner >= 0) & (np.abs(back - best) <= tolerance)
