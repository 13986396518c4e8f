"""Roberts' blocks (1963): cuboids, wedges and hexagonal prisms on a table, with their true edges and vertices."""

from dataclasses import dataclass

import numpy as np

from .geometry import cross, dot, hit_planes, unit
from .scene import SHOT, check
from .sensor import sensor
from .stage import SKY_LIGHT, SUN, direction
from .trace import NEAR, View

OUTLINES = {  # of the side that looks along −y, drawn out along y; in x and z, from above the ground
    "cuboid": ((-1, 0), (1, 0), (1, 2), (-1, 2)),
    "wedge": ((-1, 0), (1, 0), (-1, 2)),
    "prism": ((-0.5, 0), (0.5, 0), (1, 1), (0.5, 2), (-0.5, 2), (-1, 1)),
}
LIMITS = {"length": (0.1, 5), "width": (0.1, 5), "height": (0.1, 5), **SHOT, "elevation": (1, 89)}


@dataclass(frozen=True)
class Block:
    """One block and how it is seen, as in a Scene; kind is cuboid, wedge or prism, its box length × width × height.

    Raises:
        ValueError: a value is outside its limits.
    """

    kind: str = "cuboid"
    length: float = 1.2
    width: float = 0.9
    height: float = 0.8
    sun_azimuth: float = 20.0
    sun_elevation: float = 55.0
    sun: float = 1.0
    ambient: float = 0.8
    azimuth: float = 50.0
    elevation: float = 28.0
    distance: float = 4.5
    focal: float = 2.2
    x: float = 0.0
    y: float = 0.0
    size: int = 64
    samples: int = 2
    blur: float = 0.0
    noise: float = 0.0
    exposure: float = 1.0
    linear: bool = False
    chance: int = 0

    def __post_init__(self):
        check(self, {"kind": tuple(OUTLINES)}, LIMITS)


@dataclass(frozen=True)
class BlockPicture:
    """An image of a block and the truth behind it; what it shares with Picture means the same there.

    faces: int (H, W), the number of the face seen, −1 for the table.
    vertices: (V, 3) in the world; corners: (V, 2), their x and y in pixels; visible: bool (V,).
    edges: int (E, 2), pairs of vertices; seen: bool (E,), those not hidden by the block itself.
    """

    block: Block
    image: np.ndarray
    mask: np.ndarray
    faces: np.ndarray
    depth: np.ndarray
    normals: np.ndarray
    albedo: np.ndarray
    shading: np.ndarray
    shadow: np.ndarray
    vertices: np.ndarray
    corners: np.ndarray
    visible: np.ndarray
    edges: np.ndarray
    seen: np.ndarray
    light: np.ndarray
    camera: np.ndarray


def model(block):
    """A block's vertices (V, 3), edges (E, 2) and faces as lists of vertices, anticlockwise from outside."""
    outline = OUTLINES[block.kind]
    n = len(outline)
    half = (block.length / 2, block.width / 2, block.height / 2)
    vertices = np.array([(x * half[0], y * half[1], z * half[2]) for y in (-1, 1) for x, z in outline])
    around = [(k, (k + 1) % n) for k in range(n)]
    edges = np.array([*around, *((a + n, b + n) for a, b in around), *((k, k + n) for k in range(n))])
    faces = [list(range(n)), list(range(2 * n - 1, n - 1, -1)), *([b, a, a + n, b + n] for a, b in around)]
    return vertices, edges, faces


def render_block(block):
    """The BlockPicture of one Block.

    Raises:
        TypeError: something else than a Block.
    """
    if not isinstance(block, Block):
        raise TypeError(f"render_block: got {type(block).__name__}, expected a Block")
    vertices, edges, faces = model(block)
    normals, offsets = _planes(vertices, faces)
    back, sun = direction(block.azimuth, block.elevation), direction(block.sun_azimuth, block.sun_elevation)
    eye = tuple(np.array([block.distance * c + m]) for c, m in zip(back, (0.0, 0.0, block.height / 2)))
    camera = [np.array([float(value)]) for value in (block.focal, block.x, block.y)]

    def view(size):
        return View(eye, tuple(-np.array([float(c)]) for c in back), *camera, size)

    fine = _light(block, view(block.size * block.samples), sun, normals, offsets)
    image = sensor(block, fine["albedo"] * fine["shading"], np.random.default_rng([block.chance, 4]))
    grid = view(block.size)
    truth = _light(block, grid, sun, normals, offsets)
    axes = [[c[0] for c in axis] for axis in (grid.right, grid.up, tuple(-c for c in grid.forward))]
    turned = lambda v: np.stack([a * v[0] + b * v[1] + c * v[2] for a, b, c in axes])
    i, j, _ = grid.project(tuple(vertices[None, :, c] for c in range(3)))
    front = [dot(normal, [e[0] for e in eye]) > offset for normal, offset in zip(normals, offsets)]
    visible = np.array([any(f and k in face for f, face in zip(front, faces)) for k in range(len(vertices))])
    seen = np.array([any(f and {a, b} <= set(face) for f, face in zip(front, faces)) for a, b in edges.tolist()])
    return BlockPicture(
        block=block, image=image, mask=truth["faces"] >= 0, faces=truth["faces"], depth=truth["depth"],
        normals=turned(truth["normals"]), albedo=truth["albedo"], shading=truth["shading"], shadow=truth["shadow"],
        vertices=vertices, corners=np.stack([j[0], i[0]], 1), visible=visible, edges=edges, seen=seen,
        light=turned([float(c) for c in sun]), camera=grid.matrix(0))


def _planes(vertices, faces):
    normals, offsets = [], []
    for face in faces:
        a, b, c = (tuple(vertices[k].tolist()) for k in face[:3])
        normal = tuple(float(v) for v in unit(cross([q - p for p, q in zip(a, b)], [q - p for p, q in zip(a, c)])))
        normals.append(normal)
        offsets.append(dot(normal, a))
    return np.array(normals), np.array(offsets)


def _light(block, view, sun, normals, offsets):
    # the same light as on the pasture, on a grey block and a darker table
    size = view.size
    d = tuple(c.ravel() for c in view.rays())
    o = tuple(np.full_like(d[0], e[0]) for e in view.eye)
    depth, face = hit_planes(o, d, normals, offsets)
    floor = np.where(d[2] < 0, -o[2] / np.where(d[2] < 0, d[2], -1.0), np.inf)
    table = (floor < np.inf) & (depth == np.inf)
    normal = np.where(depth < np.inf, normals[face].T, np.array([[0.0], [0.0], [1.0]]) * table)
    face, depth = np.where(depth < np.inf, face, -1), np.minimum(depth, floor)
    at = np.where(depth < np.inf, depth, 0.0)
    p = tuple(a + at * b + 1e-9 * c for a, b, c in zip(o, d, normal))
    away, _ = hit_planes(p, tuple(np.full_like(d[0], float(c)) for c in sun), normals, offsets)
    toward = dot(tuple(normal), [float(c) for c in sun])
    shadow = (toward <= 0) | ((away > NEAR) & (away < np.inf))
    above = 0.5 + 0.5 * normal[2]
    direct = block.sun * np.maximum(toward, 0.0) * ~shadow
    shading = np.stack([s * direct + block.ambient * (a * above + 0.15 * (1 - above)) for s, a in zip(SUN, SKY_LIGHT)])
    albedo = np.where(face >= 0, np.array([[0.72], [0.66], [0.56]]), np.array([[0.20], [0.24], [0.28]]))
    out = {"faces": face, "depth": depth, "normals": normal, "albedo": albedo, "shading": shading, "shadow": shadow}
    return {name: a.reshape(*a.shape[:-1], size, size) for name, a in out.items()}


def sample_blocks(n, seed=0, **fixed):
    """Draw n Blocks of all kinds, sizes, views and suns; the same seed gives the same ones. `fixed` sets fields of Block.

    Raises:
        ValueError: n is negative, or a Block refuses a value.
        TypeError: Block has no such field.
    """
    if not (isinstance(n, (int, np.integer)) and n >= 0):
        raise ValueError(f"sample_blocks: got n={n!r}, expected an integer from 0")
    ranges = {"length": (0.8, 1.5), "width": (0.7, 1.3), "height": (0.6, 1.2), "sun_azimuth": (0, 360),
              "sun_elevation": (35, 70), "azimuth": (0, 360), "elevation": (18, 45), "distance": (4.2, 5.4)}
    kinds, blocks = tuple(OUTLINES), []
    for i in range(n):
        kind, *numbers, last = np.random.default_rng([seed, 1, i]).random(len(ranges) + 2).tolist()
        drawn = {name: low + (high - low) * u for (name, (low, high)), u in zip(ranges.items(), numbers)}
        blocks.append(Block(**{"kind": kinds[int(kind * len(kinds))], "chance": int(last * 2**31), **drawn, **fixed}))
    return blocks
