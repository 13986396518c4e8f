"""Parts and springs, after Fischler and Elschlager (1973): the best placement of a tree of parts, found exactly.

The spring costs are quadratic, so the best place for a part, seen from every place of the part that it hangs on, is a
distance transform (P. Felzenszwalb and D. Huttenlocher, Pictorial structures for object recognition, International
Journal of Computer Vision 61, 2005; Distance transforms of sampled functions, Theory of Computing 8, 2012).
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tree:
    """Parts that hang on each other by springs.

    parents: (K,), of each part the one that it hangs on, which comes before it; the first, the root, has itself.
    offsets: (K, 2), where it rests, (x, y) from its parent. stiffness: (K, 2), what the square of a pixel's stretch
    costs, along x and along y. The root's own rows of the two mean nothing.

    Raises:
        ValueError: the shapes disagree, a parent does not come before its part, or a spring is not stiff at all.
    """

    parents: tuple
    offsets: np.ndarray
    stiffness: np.ndarray

    def __post_init__(self):
        shape = (len(self.parents), 2)
        if np.shape(self.offsets) != shape or np.shape(self.stiffness) != shape:
            raise ValueError(f"Tree: got offsets {np.shape(self.offsets)} and stiffness {np.shape(self.stiffness)}, "
                             f"expected {shape}, a row for each parent")
        for part, parent in enumerate(self.parents):
            if not (0 <= parent < part or parent == part == 0):
                raise ValueError(f"Tree: got parent {parent} of part {part}, expected one before it, or 0 of part 0")
        if not (np.asarray(self.stiffness)[1:] > 0).all():
            raise ValueError("Tree: got a spring of no stiffness, expected all above 0")


def distance_transform(cost, stiffness, shift=0.0):
    """The cheapest place for a part at the end of a spring, for every place p of its other end, in linear time.

    d(p) = min over q of cost(q) + stiffness (q − p − shift)². Each q stands for a parabola; the lower envelope of them
    all is built in one walk along q, keeping of each parabola the place from which it is lowest, and read off in another.

    cost: (..., n), walked along the last axis, all rows at once. Returns d and the best q, both (..., n).

    Raises:
        ValueError: a cost is not finite, or the stiffness is not positive.
    """
    rows = np.asarray(cost, float).reshape(-1, np.shape(cost)[-1])
    if not (np.isfinite(rows).all() and stiffness > 0):
        raise ValueError(f"distance_transform: got stiffness {stiffness} and costs to {np.abs(rows).max()}, "
                         "expected finite costs and a stiffness above 0")
    (m, n), each = rows.shape, np.arange(len(rows))
    # two parabolas cross at p where 2 stiffness (q - r) p = height[q] - height[r]
    height = rows.T / (2 * stiffness) + np.arange(n)[:, None] ** 2 / 2
    lowest = np.zeros((n, m), int)  # the parabolas of each row's envelope, from left to right
    start = np.full((n, m), -np.inf)  # where each of them begins
    last = np.zeros(m, int)  # the number of the rightmost one
    for q in range(1, n):
        over = each
        while len(over):  # those rows in which q may hide their rightmost parabola
            r = lowest[last[over], over]
            cross = (height[q, over] - height[r, over]) / (q - r)
            hides = cross <= start[last[over], over]
            kept = over[~hides]
            last[kept] += 1
            lowest[last[kept], kept], start[last[kept], kept] = q, cross[~hides]
            over = over[hides]
            last[over] -= 1
    # the parabola lowest at p is the last that begins before p + shift
    begins = np.clip(np.ceil(start - shift), 0, n).astype(int)
    begins[np.arange(n)[:, None] > last] = n
    counts = np.bincount((begins * m + each).ravel(), minlength=(n + 1) * m).reshape(n + 1, m)
    best = np.take_along_axis(lowest, counts[:n].cumsum(0) - 1, 0).T
    d = np.take_along_axis(rows, best, 1) + stiffness * (best - np.arange(n) - shift) ** 2
    return d.reshape(np.shape(cost)), best.reshape(np.shape(cost))


def distance_transform_brute(cost, stiffness, shift=0.0):
    """`distance_transform` by its definition: for every p, every q is tried. The time grows with the square of n."""
    cost = np.asarray(cost, float)
    places = np.arange(cost.shape[-1])
    best = np.stack([(cost + stiffness * (places - p - shift) ** 2).argmin(-1) for p in places], -1)
    return np.take_along_axis(cost, best, -1) + stiffness * (best - places - shift) ** 2, best


def spread(cost, offset, stiffness, transform=distance_transform):
    """What the part costs its parent: for every place of the parent the cheapest place of the part, (x, y) apart.

    cost: (..., H, W). offset, stiffness: (2,), along x and y. Returns the costs and the best places as x and y, all
    (..., H, W): first along the rows of the image, then along its columns, for a quadratic spring pulls on both apart.
    """
    along, x = transform(cost, stiffness[0], offset[0])
    down, y = transform(np.swapaxes(along, -1, -2), stiffness[1], offset[1])
    down, y = np.swapaxes(down, -1, -2), np.swapaxes(y, -1, -2)
    return down, np.take_along_axis(x, y, -2), y


def match(costs, tree, transform=distance_transform):
    """The placement of all parts of least energy, by dynamic programming from the leaves of the tree to its root.

    costs: (K, ..., H, W), what each part costs at each pixel, of one image or of many. Returns the places
    (..., K, 2), x and y, the energies (...), and the maps (K, ..., H, W) of each part's cost with all that hangs on it.

    Raises:
        ValueError: there is not one map of costs for each part.
    """
    maps = np.array(costs, float)
    if maps.ndim < 3 or len(maps) != len(tree.parents):
        raise ValueError(f"match: got costs of shape {maps.shape}, expected ({len(tree.parents)}, ..., H, W)")
    best = {}
    for part in range(len(maps) - 1, 0, -1):
        down, *best[part] = spread(maps[part], tree.offsets[part], tree.stiffness[part], transform)
        maps[tree.parents[part]] += down
    flat = maps[0].reshape(*maps.shape[1:-2], -1)
    y, x = np.unravel_index(flat.argmin(-1), maps.shape[-2:])
    places = [(x, y)]
    for part in range(1, len(maps)):
        x, y = places[tree.parents[part]]
        places.append(tuple(_at(of, x, y) for of in best[part]))
    return np.moveaxis(np.array(places), [0, 1], [-2, -1]), flat.min(-1), maps


def energy(costs, tree, places):
    """The energy of a placement: what the parts cost where they are, and what the stretch of every spring costs.

    costs: (K, ..., H, W) and places (..., K, 2), x and y; or (K, H, W) of one image and any number of places.
    Returns (...).
    """
    x, y = np.moveaxis(places, [-1, -2], [0, 1])
    total = sum(_at(cost, x[part], y[part]) for part, cost in enumerate(costs))
    for part in range(1, len(costs)):
        parent = tree.parents[part]
        stretch = places[..., part, :] - places[..., parent, :] - tree.offsets[part]
        total = total + (tree.stiffness[part] * stretch**2).sum(-1)
    return total


def _at(maps, x, y):
    # the values (...) of maps (..., H, W) at the places x, y (...); of a single map, at any places
    return maps[(*np.indices(maps.shape[:-2]), y, x)]
