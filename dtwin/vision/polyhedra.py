"""Naming a line drawing, after Roberts (1963): solids, stretched, turned and projected until one explains it."""

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations, product

import numpy as np
from scipy.spatial.transform import Rotation

from .roberts import area

STEPS = 30  # of the least-squares iteration, at most


@dataclass(frozen=True)
class Solid:
    """A convex polyhedron in the box from −1 to 1, to be stretched along its axes.

    vertices: (V, 3). faces: tuples of vertices, anticlockwise from outside.
    """

    name: str
    vertices: np.ndarray
    faces: tuple

    @cached_property
    def sides(self):
        """The face on each side: {(a, b): face}."""
        return _sides(self.faces)

    @cached_property
    def symmetries(self):
        """The permutations of the vertices that a turned and stretched copy cannot be told by."""
        found = []
        for axes, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
            turn = np.diag(signs)[list(axes)]
            gaps = np.abs((self.vertices @ turn)[:, None] - self.vertices).sum(2)
            if np.linalg.det(turn) > 0 and np.allclose(gaps.min(1), 0):
                found.append(gaps.argmin(1).tolist())
        return found


    def foremost(self, path):
        """Whether no symmetry of the solid takes a path of vertices to an earlier one."""
        return all(path <= tuple(same[v] for v in path) for same in self.symmetries)


def extrude(name, outline):
    """The Solid whose outline, (x, z) anticlockwise as seen from the front, runs from y = −1 in front to y = 1."""
    n = len(outline)
    vertices = np.array([(x, y, z) for y in (-1.0, 1.0) for x, z in outline])
    around = [(k, (k + 1) % n) for k in range(n)]
    faces = (tuple(range(n)), tuple(range(2 * n - 1, n - 1, -1)), *((b, a, a + n, b + n) for a, b in around))
    return Solid(name, vertices, faces)


SOLIDS = (
    extrude("cuboid", [(-1, -1), (1, -1), (1, 1), (-1, 1)]),
    extrude("wedge", [(-1, -1), (1, -1), (-1, 1)]),
    extrude("prism", [(-0.5, -1), (0.5, -1), (1, 0), (0.5, 1), (-0.5, 1), (-1, 0)]),
)


@dataclass(frozen=True)
class Match:
    """A solid that explains a drawing.

    polygons: {polygon of the drawing: face of the solid}; vertices: {vertex of the drawing: vertex of the solid}.
    rotation (3, 3), stretch (3,) and shift (3,) take a vertex v to rotation @ (stretch * v) + shift, in the axes of
    the camera: x right, y down, z forward. A photograph does not say how large things are; here the block's middle is
    1 deep.
    residual: in pixels, the root of the squared distances over the numbers that the fit left free.
    """

    solid: Solid
    polygons: dict
    vertices: dict
    rotation: np.ndarray
    stretch: np.ndarray
    shift: np.ndarray
    residual: float

    @property
    def points(self):
        """All vertices of the solid in the axes of the camera, (V, 3)."""
        return self.solid.vertices * self.stretch @ self.rotation.T + self.shift

    @property
    def front(self):
        """The faces that turn to the camera, whether the drawing has them or not."""
        return front(self.points, self.solid.faces)


def recognise(drawing, camera, solids=SOLIDS, tolerance=3.0):
    """The Match that explains most polygons of a LineDrawing, two at least, within the tolerance; or None.

    Among several, the one that expects fewest faces in vain, then the one of least residual.
    camera: (3, 3), the intrinsic matrix [[f, 0, x], [0, f, y], [0, 0, 1]] of the calibrated camera. tolerance: the largest residual, in pixels.

    Raises:
        ValueError: the camera is none of this kind: its pixels are no squares, say, or askew.
    """
    camera = np.asarray(camera, float)
    squares = camera.shape == (3, 3) and np.allclose(camera, [[camera[0, 0], 0, camera[0, 2]],
                                                              [0, camera[0, 0], camera[1, 2]], [0, 0, 1]])
    if not squares:
        raise ValueError(f"recognise: got a camera {camera.tolist()}, expected [[f, 0, x], [0, f, y], [0, 0, 1]]")
    found = [(solid, *reading) for solid in solids for reading in readings(drawing.polygons, solid)]
    for count in sorted({len(polygons) for _, polygons, _ in found}, reverse=True):
        matches = fit(drawing, camera, [reading for reading in found if len(reading[1]) == count])
        matches = [m for m in matches if m.residual <= tolerance and set(m.polygons.values()) <= set(m.front)]
        if matches:
            return min(matches, key=lambda m: (len(m.front), m.residual))
    return None


def fit(drawing, camera, found):
    """The Matches of readings of one drawing, triples (solid, polygons, vertices), whatever their residuals."""
    known = np.zeros((len(found), max((len(vertices) for *_, vertices in found), default=0)), bool)
    corners, points = np.zeros((*known.shape, 2)), np.zeros((*known.shape, 3))
    for n, (solid, _, vertices) in enumerate(found):
        known[n, :len(vertices)] = True
        corners[n, :len(vertices)] = drawing.vertices[list(vertices)]
        points[n, :len(vertices)] = solid.vertices[list(vertices.values())]
    *pose, error = solve(points, corners, known, camera)
    residuals = np.sqrt(error / np.maximum(2 * known.sum(1) - 8, 1))
    return [Match(*reading, *placed) for reading, *placed in zip(found, *pose, residuals)]


def front(points, faces):
    """The numbers of the faces that turn to the camera at the origin; points (V, 3) in the axes of the camera."""
    flat = points[:, :2] / points[:, 2:]
    return [k for k, face in enumerate(faces) if area(flat[list(face)]) > 0]


def readings(polygons, solid):
    """Every way to take polygons that touch for faces of a solid, two at least: pairs (polygons, vertices) as in Match.

    One polygon is taken for a face, and the reading grows over common sides: across a side of the face there is only
    one other face, and the polygon there must have as many sides. Of readings that a symmetry of the solid makes equal,
    one is kept.
    """
    beside = _sides(polygons)
    new = [({p: f}, dict(zip(polygon, face[k:] + face[:k])))
           for p, polygon in enumerate(polygons) for f, face in enumerate(solid.faces) for k in range(len(face))
           if len(polygon) == len(face) and solid.foremost(face[k:] + face[:k])]
    seen, found = set(), []
    while new:
        faces, vertices = new.pop()
        names = min(tuple(sorted((v, same[w]) for v, w in vertices.items())) for same in solid.symmetries)
        if (frozenset(faces), names) in seen:
            continue
        seen.add((frozenset(faces), names))
        if len(faces) > 1:
            found.append((faces, vertices))
        for p in faces:
            for a, b in zip(polygons[p], polygons[p][1:] + polygons[p][:1]):
                grown = _across(polygons, solid, beside.get((b, a)), (b, a), faces, vertices)
                new += [grown] if grown else []
    return found


def _across(polygons, solid, q, side, faces, vertices):
    # the reading with the polygon q beyond one side as well, or None if it does not fit
    if q is None or q in faces:
        return None
    polygon, g = polygons[q], solid.sides[vertices[side[0]], vertices[side[1]]]
    face = solid.faces[g]
    if len(polygon) != len(face):
        return None
    k, j = polygon.index(side[0]), face.index(vertices[side[0]])
    more = dict(zip(polygon[k:] + polygon[:k], face[j:] + face[:j]))
    both = vertices | more
    if any(vertices.get(v, w) != w for v, w in more.items()) or len(set(both.values())) < len(both):
        return None
    return faces | {q: g}, both


def _sides(faces):
    return {side: k for k, face in enumerate(faces) for side in zip(face, (*face[1:], face[0]))}


def solve(points, corners, known, camera):
    """N cameras at once: rotation, stretch and shift that bring points closest to their corners in the picture.

    A corner is camera @ (rotation @ (stretch * point) + shift), divided by its last entry. A first guess comes from a
    parallel projection, which is linear; damped Gauss-Newton steps (Levenberg-Marquardt) take perspective into account.

    points (N, V, 3), corners (N, V, 2) in pixels, known (N, V): which of them count, five at least, not all in a plane.
    Returns rotation (N, 3, 3), stretch (N, 3), shift (N, 3) and the sum of squared distances (N,) in pixels squared.
    """
    focal = camera[0, 0]
    rays = (corners - camera[:2, 2]) / focal
    rotation, stretch, shift = _parallel(points, rays, known)
    damping, quiet = np.full(len(points), 1e-3), np.zeros(len(points), int)
    miss, slope = _misses(points, rays, known, rotation, stretch, shift)
    error = (miss**2).sum(1)
    for _ in range(STEPS):
        normal = np.swapaxes(slope, 1, 2) @ slope
        normal += damping[:, None, None] * (np.eye(9) * np.einsum("nii->ni", normal)[:, None] + 1e-9 * np.eye(9))
        step = -np.linalg.solve(normal, np.einsum("nij,ni->nj", slope, miss)[..., None])[..., 0]
        step = np.clip(step, -0.5, 0.5)
        turn = Rotation.from_rotvec(step[:, :3]).as_matrix()
        tried = turn @ rotation, stretch * np.exp(step[:, 3:6]), shift + step[:, 6:]
        new_miss, new_slope = _misses(points, rays, known, *tried)
        new_error = (new_miss**2).sum(1)
        better = new_error < error
        quiet = np.where(error - new_error > 1e-3 * error + 1e-16, 0, quiet + 1)
        damping = np.clip(np.where(better, damping / 5, damping * 5), 1e-12, 1e6)
        rotation, stretch, shift, miss, slope, error = (
            np.where(better.reshape(-1, *[1] * (new.ndim - 1)), new, old) for new, old in
            zip((*tried, new_miss, new_slope, new_error), (rotation, stretch, shift, miss, slope, error)))
        if quiet.min(initial=3) >= 3:
            break
    away = shift[:, 2:]
    return rotation, stretch / away, shift / away, error * focal**2


def _parallel(points, rays, known):
    # rays = A points + b, and A is (two rows of a rotation) * stretch at the distance 1
    design = np.concatenate([points, np.ones((*known.shape, 1))], 2) * known[..., None]
    affine = np.swapaxes(np.linalg.pinv(design) @ (rays * known[..., None]), 1, 2)
    a, b = affine[:, 0, :3], affine[:, 1, :3]
    # the rows divided by the stretch are as long as each other, and at right angles
    inverse = np.cross(a * b, a * a - b * b)
    inverse *= np.sign(inverse.sum(1))[:, None]
    inverse = np.maximum(inverse, 0.03 * inverse.max(1)[:, None]) + 1e-12
    length = np.sqrt(((a**2 + b**2) * inverse).sum(1) / 2)
    stretch = length[:, None] / np.sqrt(inverse)
    u, _, v = np.linalg.svd(np.stack([a / stretch, b / stretch], 1), full_matrices=False)
    rows = u @ v
    rotation = np.concatenate([rows, np.cross(rows[:, :1], rows[:, 1:])], 1)
    return rotation, stretch, np.concatenate([affine[:, :, 3], np.ones((len(points), 1))], 1)


def _misses(points, rays, known, rotation, stretch, shift):
    # projected minus seen (N, 2 V), and its derivative by turn, log stretch and shift (N, 2 V, 9)
    turned = (points * stretch[:, None]) @ np.swapaxes(rotation, 1, 2)
    x, y, z = np.moveaxis(turned + shift[:, None], 2, 0)
    z = np.maximum(z, 1e-3)
    miss = np.stack([x / z, y / z], 2) - rays
    along = (points * stretch[:, None])[:, :, None] * rotation[:, None]  # (N, V, coordinate, axis)
    spin = np.cross(np.eye(3)[:, None, None], turned).transpose(1, 2, 3, 0)
    moved = np.concatenate([spin, along, np.broadcast_to(np.eye(3), along.shape)], 3)  # (N, V, 3, 9)
    flat = (moved[:, :, :2] - np.stack([x / z, y / z], 2)[..., None] * moved[:, :, 2:]) / z[..., None, None]
    keep = np.repeat(known, 2, 1)
    return miss.reshape(keep.shape) * keep, flat.reshape(*keep.shape, 9) * keep[..., None]
