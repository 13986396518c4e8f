"""Adelson's checker shadow (1995), rendered: two squares send the same light, and one is painted darker."""

from dataclasses import dataclass

import numpy as np

from .geometry import dot
from .sensor import sensor
from .stage import direction
from .trace import Cones, View, first_hits, normals, shadows

SQUARE, SIDE = 0.5, 5  # the board's squares, and how many a side
LIT, SHADED = (1, 0), (2, 2)  # columns and rows of the two squares


@dataclass(frozen=True)
class Checker:
    """The image uint8 (3, H, W), what it is made of as in a Picture, and where the two squares are.

    lit: bool (H, W), the inside of a dark square in the sun; shaded: that of a light square in the post's shadow.
    """

    image: np.ndarray
    albedo: np.ndarray
    shading: np.ndarray
    shadow: np.ndarray
    lit: np.ndarray
    shaded: np.ndarray


@dataclass(frozen=True)
class _Camera:
    # what the sensor asks of a scene
    size: int
    samples: int = 3
    exposure: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    linear: bool = False


def checker_shadow(size=256):
    """The Checker of size × size pixels; the dark albedo is the light one times the share of light left in the shadow.

    Raises:
        ValueError: size is not an integer from 16.
    """
    if not (isinstance(size, (int, np.integer)) and size >= 16):
        raise ValueError(f"checker_shadow: got size={size!r}, expected an integer from 16")
    camera = _Camera(int(size))
    fine = _light(camera.size * camera.samples)
    image = sensor(camera, fine["albedo"] * fine["shading"], None)
    return Checker(image=image, **_light(camera.size))


def _light(size):
    back, sun = direction(np.array([262.0]), np.array([34.0])), direction(np.array([20.0]), np.array([38.0]))
    eye = tuple(5.0 * c + m for c, m in zip(back, (0.0, 0.0, 0.25)))
    view = View(eye, tuple(-c for c in back), np.array([1.55]), np.zeros(1), np.zeros(1), size)
    post = Cones([np.array([[1.05, 0.38, 0.0, 1.05, 0.38, 1.0, 0.42, 0.36, 0, 1, 0, 1, 1, 1, 0, 0]])])
    depth, cone = (a.ravel() for a in first_hits(post, view))
    rays, n = tuple(c.ravel() for c in view.rays()), np.zeros(size * size, int)
    with np.errstate(divide="ignore"):
        floor = -eye[2] / rays[2]
    depth = np.where(cone >= 0, depth, np.where(floor > 0, floor, 50.0))
    p = tuple(e + depth * d for e, d in zip(eye, rays))
    on_post = cone >= 0
    normal = np.array([[0.0], [0.0], [1.0]]) * np.ones_like(depth)
    normal[:, on_post] = normals(post, n[on_post], cone[on_post].astype(int), tuple(c[on_post] for c in p))
    column, row = (np.floor(c / SQUARE + SIDE / 2) for c in p[:2])
    board = ~on_post & (column >= 0) & (column < SIDE) & (row >= 0) & (row < SIDE)
    toward = dot(tuple(normal), sun)
    shadow = (toward <= 0) | shadows(post, sun, n, p)
    ambient = 0.35
    strength = (1 - ambient) / sun[2]  # so that flat ground in the sun has shading 1
    shading = ambient + strength * np.maximum(toward, 0.0) * ~shadow
    light_paint = 0.72
    paint = np.where((column + row) % 2 == 0, light_paint, light_paint * ambient)
    albedo = np.where(board, paint, 0.45) * np.ones((3, 1))
    albedo[:, on_post] = np.array([[0.16], [0.42], [0.20]])
    inside = [np.ones(len(n), bool) & board for _ in range(2)]
    for mask, place in zip(inside, (LIT, SHADED)):
        for c, k in zip(p[:2], place):
            mask &= np.abs(c / SQUARE + SIDE / 2 - k - 0.5) < 0.3
    out = {"albedo": albedo, "shading": shading * np.ones((3, 1)), "shadow": shadow, "lit": inside[0], "shaded": inside[1]}
    return {name: a.reshape(*a.shape[:-1], size, size) for name, a in out.items()}
