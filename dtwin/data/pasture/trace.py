"""What each ray meets first, and what stands between it and the sun, for a block of scenes at once."""

import numpy as np

from .geometry import apply, cone_normal, cross, dot, frames, hit_cone, transposed, unit

NEAR = 1e-6  # a shadow ray leaves its own surface behind


class View:
    """The cameras of N scenes: position, axes (right, up, forward) and the rays through a grid of H × W samples.

    A ray is forward + u right + v up, so that its parameter is depth along the optical axis.
    """

    def __init__(self, eye, forward, focal, x, y, size):
        self.eye, self.forward, self.focal, self.x, self.y, self.size = eye, forward, focal, x, y, size
        level = np.zeros_like(focal)
        # straight down, the top of the picture is where the animal looks
        steep = dot(forward[:2] + (level,), forward[:2] + (level,)) < 1e-18
        self.right = unit((np.where(steep, level, forward[1]), np.where(steep, level - 1, -forward[0]), level))
        self.up = cross(self.right, forward)

    def slopes(self, n, i, j):
        """(u, v) of the samples in row i and column j of scene n; halves are the middles of samples."""
        u = ((j + 0.5) / self.size - 0.5 - self.x[n]) / self.focal[n]
        v = (0.5 - (i + 0.5) / self.size - self.y[n]) / self.focal[n]
        return u, v

    def rays(self):
        """The rays of all samples: vectors of shape (N, H, W)."""
        n, steps = np.arange(len(self.focal))[:, None], np.arange(self.size)[None]
        u, v = self.slopes(n, steps, steps)
        return tuple(f[n, None] + u[:, None, :] * r[n, None] + v[:, :, None] * up[n, None]
                     for f, r, up in zip(self.forward, self.right, self.up))

    def project(self, p):
        """Rows, columns (in samples, as in `slopes`) and depths of points p of shape (N, …)."""
        right, up, depth = self._turned(p)
        return *self._place(right / depth, up / depth), depth

    def _turned(self, p):
        # points in the axes of the cameras
        q = tuple(c - self._each(e, p[0]) for c, e in zip(p, self.eye))
        return (dot(q, tuple(self._each(c, p[0]) for c in axis)) for axis in (self.right, self.up, self.forward))

    def _place(self, u, v):
        # rows and columns of slopes
        focal, x, y = (self._each(c, u) for c in (self.focal, self.x, self.y))
        return (0.5 - v * focal - y) * self.size - 0.5, (u * focal + x + 0.5) * self.size - 0.5

    @staticmethod
    def _each(c, p):
        return c[(slice(None),) + (None,) * (p.ndim - 1)]  # an axis of cameras against the points' axes

    def matrix(self, n):
        """The projection (3, 4) of scene n, from (X, Y, Z, 1) to (x w, y w, w) with x the column and y the row."""
        scale, middle = self.focal[n] * self.size, (self.size - 1) / 2
        rows = [[c[n] for c in axis] for axis in (self.right, self.up, self.forward)]
        rows = [row + [-dot(row, [e[n] for e in self.eye])] for row in rows]
        right, up, forward = np.array(rows)
        x, y = middle + self.x[n] * self.size, middle - self.y[n] * self.size
        return np.stack([scale * right + x * forward, -scale * up + y * forward, forward])

    def box(self, p, radius=0.0):
        """Rows and columns (first, beyond the last) of boxes around balls (N, K, C); the whole picture if one is behind."""
        right, up, depth = self._turned(p)
        near = np.maximum(depth - radius, 0.05)
        whole, far = (near == 0.05).any(2), near + 2 * radius
        # a ball lies in a cube along the camera's axes, whose near or far side reaches furthest in the picture
        (u0, u1), (v0, v1) = ((np.minimum((c - radius) / near, (c - radius) / far).min(2),
                               np.maximum((c + radius) / near, (c + radius) / far).max(2)) for c in (right, up))
        (top, left), (bottom, right) = self._place(u0, v1), self._place(u1, v0)
        edges = []
        for low, high in ((top, bottom), (left, right)):
            low, high = np.where(whole, 0, low), np.where(whole, self.size, high)
            edges += [np.clip(np.ceil(low - 1e-6), 0, self.size).astype(int),
                      np.clip(np.floor(high + 1e-6) + 1, 0, self.size).astype(int)]
        return edges


class Cones:
    """The cones of N scenes, padded to the longest list: every array is (N, K)."""

    def __init__(self, lists):
        self.count = max((len(rows) for rows in lists), default=0)
        table = np.zeros((len(lists), self.count, 16))
        table[:, :, 11:14] = 1.0
        table[:, :, 14] = -1.0
        for n, rows in enumerate(lists):
            table[n, :len(rows)] = rows
        column = [np.ascontiguousarray(table[:, :, c]) for c in range(16)]
        self.a, self.b = tuple(column[0:3]), tuple(column[3:6])
        self.ra, self.rb, widths = column[6], column[7], column[11:14]
        self.rows = frames(self.a, self.b, tuple(column[8:11]), widths)
        along = tuple(q - p for p, q in zip(self.a, self.b))
        self.h = np.sqrt(dot(along, along))
        self.part, self.material = column[14].astype(np.int8), column[15].astype(np.int8)
        widest = np.maximum(np.maximum(widths[0], widths[1]), widths[2])
        self.reach = self.ra * widest, self.rb * widest

    def local(self, k, n, p, d):
        """Rays from points p (vectors over M samples of scenes n) along d (one for each scene) in the frame of cone k."""
        rows = tuple(tuple(c[:, k] for c in row) for row in self.rows)
        at = tuple(c - a[n, k] for c, a in zip(p, self.a))
        return apply(tuple(tuple(c[n] for c in row) for row in rows), at), tuple(c[n] for c in apply(rows, d))

    def hit(self, k, n, o, d):
        return hit_cone(o, d, self.h[n, k], self.ra[n, k], self.rb[n, k])


def samples(boxes, k):
    """Scene, row and column of every sample inside each scene's k-th box: three arrays of integers."""
    top, bottom, left, right = (edge[:, k] for edge in boxes)
    width = np.maximum(right - left, 0)
    count = np.maximum(bottom - top, 0) * width
    n = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(n)) - np.repeat(np.cumsum(count) - count, count)
    row = place // width[n]
    return n, row + top[n], place - row * width[n] + left[n]


def first_hits(cones, view):
    """Depth (N, H, W), inf where no cone is met, and the number of the cone met first, −1 for none."""
    shape = (len(view.focal), view.size, view.size)
    depth, which = np.full(shape, np.inf).ravel(), np.full(shape, -1, np.int16).ravel()
    ends = tuple(np.stack(pair, 2) for pair in zip(cones.a, cones.b))
    boxes = view.box(ends, np.stack(cones.reach, 2))
    boxes[1] = np.where(cones.part < 0, boxes[0], boxes[1])
    for k in range(cones.count):
        n, i, j = samples(boxes, k)
        # a cone's frame turns the camera's axes once; each ray is then a sum of three vectors
        rows = tuple(tuple(c[:, k] for c in row) for row in cones.rows)
        o = apply(rows, tuple(e - a[:, k] for e, a in zip(view.eye, cones.a)))
        f, r, up = (apply(rows, axis) for axis in (view.forward, view.right, view.up))
        u, v = view.slopes(n, i, j)
        d = tuple(f[c][n] + u * r[c][n] + v * up[c][n] for c in range(3))
        t = cones.hit(k, n, tuple(c[n] for c in o), d)
        flat = (n * view.size + i) * view.size + j
        closer = t < depth[flat]
        depth[flat[closer]], which[flat[closer]] = t[closer], k
    return depth.reshape(shape), which.reshape(shape)


def normals(cones, n, k, p):
    """Unit normals at points p (vectors over M) on the surfaces of cones k of scenes n."""
    rows = tuple(tuple(c[n, k] for c in row) for row in cones.rows)
    q = apply(rows, tuple(c - a[n, k] for c, a in zip(p, cones.a)))
    return unit(transposed(rows, cone_normal(q, cones.h[n, k], cones.ra[n, k], cones.rb[n, k])))


def shadows(cones, sun, n, p):
    """Whether a cone stands between the sun, a unit vector for each scene, and points p (vectors over M) of scenes n.

    n rises.
    """
    dark = np.zeros(len(n), bool)
    # seen from the sun, a cone lies within a box; only points in it can be in its shadow
    level = np.zeros_like(sun[0])
    e1 = unit((sun[1] + (sun[2] > 0.999), -sun[0], level))
    e2 = cross(sun, e1)
    e1 = cross(e2, sun)
    limits = []
    for e in (e1, e2):
        ends = [(dot(tuple(c[:, None] for c in e), end), reach) for end, reach in zip((cones.a, cones.b), cones.reach)]
        high = np.where(cones.part < 0, -np.inf, np.maximum(*(c + r for c, r in ends)))
        limits.append((dot(tuple(c[n] for c in e), p), np.minimum(*(c - r for c, r in ends)), high))
    (across, left, right), (along, low, high) = limits
    count = np.bincount(n, minlength=len(level))  # points come scene by scene
    for k in range(cones.count):
        at = np.flatnonzero((across >= np.repeat(left[:, k], count)) & (across <= np.repeat(right[:, k], count)) & ~dark)
        at = at[(along[at] >= low[n[at], k]) & (along[at] <= high[n[at], k])]
        m = n[at]
        o, d = cones.local(k, m, tuple(c[at] for c in p), sun)
        t = cones.hit(k, m, o, d)
        dark[at[(t > NEAR) & (t < np.inf)]] = True
    return dark


def ground_shadows(cones, sun, view, open_ground, x, y):
    """The samples (N, H, W) of the open ground, whose points are (x, y, 0), that a cone keeps from the sun."""
    dark, free, x, y = np.zeros(open_ground.size, bool), open_ground.ravel(), x.ravel(), y.ravel()
    slant = tuple((c / sun[2])[:, None] for c in sun[:2])
    corners = ([], [])
    for end, reach in zip((cones.a, cones.b), cones.reach):
        for signs in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
            for c in (0, 1):
                # a ball's shadow is an ellipse, and this its box
                spread = np.sqrt(1 + slant[c] * slant[c]) * reach
                corners[c].append(end[c] - end[2] * slant[c] + signs[c] * spread)
    corners = tuple(np.stack(c, 2) for c in corners)
    boxes = view.box((*corners, np.zeros_like(corners[0])))
    boxes[1] = np.where(cones.part < 0, boxes[0], boxes[1])
    for k in range(cones.count):
        n, i, j = samples(boxes, k)
        flat = (n * view.size + i) * view.size + j
        keep = np.flatnonzero(free[flat])
        n, flat = n[keep], flat[keep]
        o, d = cones.local(k, n, (x[flat], y[flat], np.zeros(len(n))), sun)
        t = cones.hit(k, n, o, d)
        met = flat[(t > NEAR) & (t < np.inf)]
        dark[met] = True
        free[met] = False
    return dark.reshape(open_ground.shape)
