"""Rays against round cones and convex polyhedra, and angles, in operations that round alike on every machine.

Only +, −, ×, ÷ and √ of float64, in a fixed order, decide a pixel: IEEE 754 fixes their last bit, unlike that of
sin, exp or a BLAS. Chance comes from `Generator.random` alone, whose bits NumPy keeps.
Vectors are tuples of three arrays.
"""

import numpy as np


def sincos(degrees):
    """Sine and cosine of angles in degrees, any shape."""
    turns = np.asarray(degrees, float) / 360
    quarter = np.rint(4 * turns)
    r = (turns - quarter / 4) * 6.283185307179586
    r2 = r * r
    sin = r * (1 - r2 / 6 * (1 - r2 / 20 * (1 - r2 / 42 * (1 - r2 / 72 * (1 - r2 / 110 * (1 - r2 / 156))))))
    cos = 1 - r2 / 2 * (1 - r2 / 12 * (1 - r2 / 30 * (1 - r2 / 56 * (1 - r2 / 90 * (1 - r2 / 132 * (1 - r2 / 182))))))
    odd, half = quarter % 2 == 1, np.where(quarter % 4 >= 2, -1.0, 1.0)
    return np.where(odd, cos, sin) * half, np.where(odd, -sin, cos) * half


def turn(v, degrees, axes=(0, 2)):
    """One vector rotated in the plane of two axes, from the first to the second: `sincos` for floats, in plain Python."""
    turns = degrees / 360
    quarter = round(4 * turns)
    r = (turns - quarter / 4) * 6.283185307179586
    r2 = r * r
    s = r * (1 - r2 / 6 * (1 - r2 / 20 * (1 - r2 / 42 * (1 - r2 / 72 * (1 - r2 / 110 * (1 - r2 / 156))))))
    c = 1 - r2 / 2 * (1 - r2 / 12 * (1 - r2 / 30 * (1 - r2 / 56 * (1 - r2 / 90 * (1 - r2 / 132 * (1 - r2 / 182))))))
    for _ in range(quarter % 4):
        s, c = c, -s
    v, (i, j) = list(v), axes
    v[i], v[j] = c * v[i] - s * v[j], s * v[i] + c * v[j]
    return tuple(v)


def dot(a, b):
    """Inner product of vectors (x, y, z)."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a, b):
    """Vector product of vectors (x, y, z)."""
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def unit(a):
    """The vector (x, y, z) scaled to length 1; a zero vector stays."""
    length = np.sqrt(dot(a, a))
    length = np.where(length > 0, length, 1.0)
    return tuple(c / length for c in a)


def frames(a, b, side, widths):
    """Rows of the map from the world into the frame of a cone from a to b: its axis is x, and `side` lies in (x, y).

    `widths` stretch the three axes, so that a sphere there is an ellipsoid here.
    """
    axis = tuple(q - p for p, q in zip(a, b))
    point = dot(axis, axis) == 0
    # an axis of length 0 is a ball: any direction across `side` will do, and "forward" is one
    axis = unit(tuple(np.where(point, f, c) for f, c in zip((1.0, 0.0, 0.0), axis)))
    along = dot(side, axis)
    y = unit(tuple(s - along * c for s, c in zip(side, axis)))
    return tuple(tuple(c / w for c in row) for row, w in zip((axis, y, cross(axis, y)), widths))


def apply(rows, v):
    """The product of a 3 × 3 matrix, given as rows, with a vector."""
    return tuple(dot(row, v) for row in rows)


def transposed(rows, v):
    """The product of the transposed matrix with a vector: it carries normals back into the world."""
    return tuple(rows[0][c] * v[0] + rows[1][c] * v[1] + rows[2][c] * v[2] for c in range(3))


def hit_cone(o, d, h, ra, rb):
    """Where rays o + t d enter round cones: the hull of a ball ra at the origin and a ball rb at (h, 0, 0).

    All arrays share a shape; t is in units of d, inf where the ray misses or starts beyond the entry.
    """
    dd, od, oo = dot(d, d), dot(o, d), dot(o, o)
    with np.errstate(invalid="ignore", divide="ignore"):
        near = (-od - np.sqrt(od * od - dd * (oo - ra * ra))) / dd
        ob = od - h * d[0]
        far = (-ob - np.sqrt(ob * ob - dd * (oo + h * (h - 2 * o[0]) - rb * rb))) / dd
        # the side is a cone tangent to both balls: its radius is q + p t along the ray
        slope = (ra - rb) / h
        cosine = np.sqrt(1 - slope * slope)
        tangent = slope / cosine
        q, p = ra / cosine - o[0] * tangent, -d[0] * tangent
        a, b = dd - d[0] * d[0] - p * p, od - o[0] * d[0] - q * p
        side = (-b - np.sqrt(b * b - a * (oo - o[0] * o[0] - q * q))) / a
        x = o[0] + side * d[0]
        side = np.where((x >= ra * slope) & (x <= h + rb * slope), side, np.inf)
        t = np.fmin(np.fmin(near, far), side)
        return np.where(t > 0, t, np.inf)


def cone_normal(p, h, ra, rb):
    """Outward normals, not of unit length, at points p on round cones in their own frame."""
    slope = np.where(h > 0, (ra - rb) / np.where(h > 0, h, 1.0), 0.0)
    tangent = slope / np.sqrt(np.maximum(1 - slope * slope, 1e-12))
    centre = np.clip(p[0] - np.sqrt(p[1] * p[1] + p[2] * p[2]) * tangent, 0.0, h)
    return p[0] - centre, p[1], p[2]


def hit_planes(o, d, normals, offsets):
    """Where rays enter the convex body n · x ≤ offset of P planes, and the number of the plane they enter by.

    o, d: vectors of shape (M,); normals (P, 3) and offsets (P,). Returns t (M,), inf for a miss, and plane (M,).
    """
    enter, leave = np.full(d[0].shape, -np.inf), np.full(d[0].shape, np.inf)
    plane = np.zeros(d[0].shape, int)
    with np.errstate(divide="ignore", invalid="ignore"):
        for k, (n, offset) in enumerate(zip(normals, offsets)):
            slope, gap = dot(n, d), offset - dot(n, o)
            t = gap / slope
            into = (slope < 0) & (t > enter)
            enter, plane = np.where(into, t, enter), np.where(into, k, plane)
            leave = np.where(slope > 0, np.minimum(leave, t), leave)
            leave = np.where((slope == 0) & (gap < 0), -np.inf, leave)
    return np.where((enter <= leave) & (enter > 0), enter, np.inf), plane
