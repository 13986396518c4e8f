"""The 3-D model: parts as generalised cones, described from the object itself (Marr and Nishihara, 1978)."""

from dataclasses import dataclass

import numpy as np

FEATURES = ("length", "radius", "joint")
LEAST = np.array([0.1, 0.1, 0.15])  # the spread that a feature has at least, however alike the examples are
SURPRISE = 9.0  # what one number can speak against a species at most: three spreads, squared


@dataclass(frozen=True)
class Cone:
    """A generalised cone with a straight axis: from `start` to `end`, (3,) each, with its mean `radius`.

    seen: how much of its length the view shows, from 0 (along the line of sight) to 1 (across it).
    """

    start: np.ndarray
    end: np.ndarray
    radius: float
    seen: float

    @property
    def length(self):
        return float(np.linalg.norm(self.end - self.start))


def back_project(depth, focal, centre):
    """The points (H, W, 3) that a camera sees at a depth (H, W) along its axis: x right, y up, z towards the viewer.

    `focal` is in pixels, `centre` the (column, row) that the camera's axis meets.
    """
    rows, columns = np.indices(depth.shape)
    x, y = (columns - centre[0]) / focal, (centre[1] - rows) / focal
    return np.stack([x * depth, y * depth, -depth], -1)


def fit_cone(points, normals, rounds=4):
    """The Cone whose visible surface has these points (N, 3) and unit normals (N, 3), as its maker sees it at the origin.

    On a round cone, walking from each point against its normal by the radius leads to the axis. So radius and axis are
    found in turn: the radius, linear along the axis, that brings the walks nearest to one line, then that line.

    Raises:
        ValueError: shapes that do not fit, or fewer than 8 points.
    """
    points, normals = np.asarray(points, float), np.asarray(normals, float)
    if points.ndim != 2 or points.shape != normals.shape or points.shape[1] != 3 or len(points) < 8:
        raise ValueError(f"fit_cone: got points {points.shape} and normals {normals.shape}, expected (N, 3) twice, N from 8")
    walked = points
    for _ in range(rounds):
        middle = walked.mean(0)
        axis = _longest(walked - middle)
        offset = points - middle
        along = offset @ axis
        # radius r0 + r1 t: (p − c) − (r0 + r1 t) n has no part across the axis, for every point
        off, ribs = (v - (v @ axis)[:, None] * axis for v in (offset, normals))
        terms = np.stack([ribs, along[:, None] * ribs])
        terms, off = (terms - terms.mean(1, keepdims=True)).reshape(2, -1), (off - off.mean(0)).ravel()
        taper = np.linalg.solve(terms @ terms.T + 1e-12 * np.eye(2), terms @ off)
        radius = np.maximum(taper[0] + taper[1] * along, 0)
        walked = points - radius[:, None] * normals
    along = (walked - middle) @ axis
    low, high = np.quantile(along, (0.02, 0.98))
    sight = middle / np.linalg.norm(middle)
    seen = float(np.sqrt(1 - min((axis @ sight) ** 2, 1)))
    return Cone(middle + low * axis, middle + high * axis, float(radius.mean()), seen)


def _longest(offsets):
    # the direction in which points (N, 3) about their mean spread most
    return np.linalg.eigh(offsets.T @ offsets)[1][:, 2]


def describe(cones, names, body, legs):
    """The object-centred description (P, 3) of cones by name: a row for each of P names, a column for each of FEATURES.

    Length and radius are logarithms; the joint of a part, its end that is nearer to the body's axis, is so many radii of
    the body above that axis, and up is away from the legs. What is not seen is NaN: parts, lengths along the line of
    sight, and joints where the body or all legs are missing.

    Raises:
        ValueError: a cone's name, the body or a leg is not among the names.
    """
    strange = sorted({*cones, body, *legs} - set(names))
    if strange:
        raise ValueError(f"describe: got {', '.join(strange)}, expected names among {', '.join(names)}")
    table = np.full((len(names), 3), np.nan)
    for row, cone in ((row, cones[name]) for row, name in zip(table, names) if name in cones):
        row[0] = np.log(cone.length) if cone.seen > 0.3 else np.nan
        row[1] = np.log(max(cone.radius, 0.01 * cone.length))
    standing = [cones[leg] for leg in legs if leg in cones]
    if body in cones and standing:
        up = _up(cones[body], standing)
        for row, name in zip(table, names):
            if name in cones and name != body:
                joint, _ = _from_body(cones[name], cones[body])
                row[2] = (joint - cones[body].start) @ up / cones[body].radius
    return table


def _from_body(cone, body):
    # the cone's ends, the one nearer to the body's axis first
    along = (body.end - body.start) / body.length

    def away(point):
        offset = point - body.start
        return np.linalg.norm(offset - np.clip(offset @ along, 0, body.length) * along)

    return sorted((cone.start, cone.end), key=away)


def _up(body, legs):
    # against the legs, and square to the body's axis
    along = (body.end - body.start) / body.length
    up = sum(near - far for near, far in (_from_body(leg, body) for leg in legs))
    up = up - (up @ along) * along
    return up / np.linalg.norm(up)


@dataclass(frozen=True)
class Catalogue:
    """What K kinds look like from themselves: mean and spread (K, P, 3) of their descriptions, NaN where hardly ever seen."""

    kinds: tuple
    mean: np.ndarray
    spread: np.ndarray


def catalogue(descriptions, labels):
    """The Catalogue of descriptions (N, P, 3) and their labels (N,), in the order of the alphabet.

    Raises:
        ValueError: shapes that do not fit, or no descriptions.
    """
    descriptions, labels = np.asarray(descriptions, float), np.asarray(labels)
    if descriptions.ndim != 3 or len(labels) != len(descriptions) or not len(labels):
        raise ValueError(f"catalogue: got descriptions {descriptions.shape} and {len(labels)} labels, "
                         "expected (N, P, 3) and N, from 1")
    kinds = sorted(set(labels.tolist()))
    mean, spread = (np.full((len(kinds), *descriptions.shape[1:]), np.nan) for _ in range(2))
    for k, kind in enumerate(kinds):
        own = descriptions[labels == kind]
        count = (~np.isnan(own)).sum(0)
        often = count > 0.05 * len(own)
        total = np.where(often, count, 1)
        mean[k] = np.where(often, np.nansum(own, 0) / total, np.nan)
        spread[k] = np.maximum(np.sqrt(np.nansum((own - mean[k]) ** 2, 0) / total), LEAST)
    return Catalogue(tuple(kinds), mean, spread)


def mismatch(descriptions, catalogue):
    """How badly each description (N, P, 3) fits each kind of a Catalogue, whatever its size: (N, K); the least names it.

    It is the sum, over all that is seen, of squared differences in spreads, each up to SURPRISE, and of the logarithms
    of the spreads. A feature seen that a kind does not have counts SURPRISE. Size is free: a factor that all lengths and
    radii share is fitted before they are compared.
    """
    descriptions = np.asarray(descriptions, float)
    scores = []
    for mean, spread in zip(catalogue.mean, catalogue.spread):
        off = (descriptions - mean) / spread
        weight = np.where(np.isnan(off), 0, 1 / spread)[..., :2]
        size = (weight * np.nan_to_num(off[..., :2])).sum((1, 2)) / np.maximum((weight**2).sum((1, 2)), 1e-9)
        off[..., :2] -= size[:, None, None] / spread[..., :2]
        cost = np.minimum(np.nan_to_num(off) ** 2, SURPRISE) + np.where(np.isnan(off), 0, 2 * np.log(spread / LEAST))
        cost += SURPRISE * (~np.isnan(descriptions) & np.isnan(mean))
        scores.append(cost.sum((1, 2)))
    return np.stack(scores, 1)
