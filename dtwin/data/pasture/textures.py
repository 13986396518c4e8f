"""What things look like before any light falls on them: colours of coats, grounds and skies, linear, in 0 to 1."""

from functools import cache
from math import fsum, sqrt

import numpy as np

from .animals import MATERIALS
from .geometry import turn

TONES = {
    "white": (0.84, 0.80, 0.73), "cream": (0.72, 0.58, 0.38), "tan": (0.50, 0.32, 0.16), "rust": (0.40, 0.15, 0.05),
    "brown": (0.15, 0.075, 0.04), "grey": (0.34, 0.33, 0.32), "black": (0.030, 0.028, 0.030),
}
COLOURS = {f"{a}-{b}": (TONES[a], TONES[b]) for a, b in (
    ("white", "black"), ("white", "brown"), ("cream", "rust"), ("tan", "brown"), ("rust", "white"), ("grey", "white"),
    ("brown", "cream"), ("black", "white"))}
# base, second colour of the large patches, contrast of the grains, grains a unit
GROUNDS = {
    "meadow": ((0.150, 0.300, 0.045), (0.270, 0.370, 0.070), 0.36, 42.0),
    "sand": ((0.680, 0.520, 0.310), (0.780, 0.620, 0.400), 0.07, 60.0),
    "snow": ((0.620, 0.680, 0.770), (0.760, 0.780, 0.810), 0.05, 30.0),
    "straw": ((0.680, 0.510, 0.190), (0.560, 0.390, 0.130), 0.42, 30.0),
}
# zenith, horizon, hills, clouds
SKIES = {
    "clear": ((0.110, 0.290, 0.690), (0.600, 0.760, 0.900), (0.200, 0.330, 0.330), 0.0),
    "clouds": ((0.140, 0.320, 0.680), (0.620, 0.760, 0.880), (0.170, 0.300, 0.270), 1.0),
    "overcast": ((0.520, 0.570, 0.630), (0.740, 0.770, 0.790), (0.300, 0.350, 0.360), 0.35),
    "dusk": ((0.200, 0.230, 0.470), (0.950, 0.610, 0.380), (0.230, 0.170, 0.250), 0.5),
}
MATERIAL = {
    "hoof": (0.055, 0.045, 0.040), "horn": (0.70, 0.62, 0.47), "eye": (0.010, 0.009, 0.009),
    "skin": (0.74, 0.43, 0.36), "leaf": (0.085, 0.190, 0.045), "wood": (0.40, 0.29, 0.19),
}
TILE = 256


def _tile(seed, octaves):
    # periodic noise of mean 0 and mean square 1: white noise, smoothed by each power of two
    rng, total = np.random.default_rng(seed), np.zeros((TILE, TILE))
    for octave, weight in octaves.items():
        noise = rng.random((TILE, TILE)) - 0.5
        for _ in range(2):
            for axis in (0, 1):
                noise = sum(np.roll(noise, k, axis) for k in range(2**octave)) / 2**octave
        total += noise * 2**octave * weight
    # NumPy adds up in an order that depends on the processor, fsum exactly
    return (total / sqrt(fsum((total * total).ravel().tolist()) / total.size)).ravel()


GRAINS, PATCHES = _tile(1, {0: 1.0, 1: 1.0}), _tile(2, {3: 0.5, 4: 1.0, 5: 0.7})


def noise(tile, x, y):
    """Bilinear look-up of a periodic tile at coordinates in its cells."""
    i, j = np.floor(x), np.floor(y)
    u, v = x - i, y - j
    i, j = i.astype(np.int64) & (TILE - 1), j.astype(np.int64) & (TILE - 1)
    below, right = ((i + 1) & (TILE - 1)) * TILE, (j + 1) & (TILE - 1)
    i = i * TILE
    top = tile[i + j] * (1 - v) + tile[i + right] * v
    return top * (1 - u) + (tile[below + j] * (1 - v) + tile[below + right] * v) * u


def step(x, edge):
    """0 below −edge, 1 above edge, smooth between."""
    x = np.clip(x / (2 * edge) + 0.5, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def wave(turns):
    """A smooth wave between −1 and 1 with period 1, of parabolas: a sine to within 0.06, for a sixth of its cost."""
    t = turns - np.rint(turns)
    return t * (8 - 16 * np.abs(t))


def ground(kind, x, y, depth, rng):
    """Albedo (3, M) of a ground at points x, y seen from `depth`; grains melt together far away."""
    base, second, contrast, grain = GROUNDS[kind]
    ox, oy, angle = (rng.random(3) * (TILE, TILE, 360)).tolist()
    cos, sin = turn((1.0, 0.0), angle, (0, 1))
    a, b = cos * x - sin * y, sin * x + cos * y
    large = noise(PATCHES, 9 * a + ox, 9 * b + oy)
    if kind == "straw":  # grains drawn out in two directions, as stalks
        fine = np.maximum(noise(GRAINS, 4.0 * a + 9 * b + oy, grain * 1.6 * (b - 0.3 * a)),
                          noise(GRAINS, grain * 1.6 * (a + 0.5 * b), 4.0 * b + 5 * a + ox)) - 0.5
    else:
        fine = noise(GRAINS, grain * a + oy, grain * b + ox)
    if kind == "sand":  # ripples
        fine = 0.6 * fine + wave(2.2 * a + 0.12 * large)
    fade = 25.0 / (25.0 + np.maximum(depth - 4, 0.0) ** 2)
    light = 1 + contrast * np.clip(fine, -1.6, 1.8) * fade
    share = step(large, 1.6)
    return np.stack([(p + (q - p) * share) * light for p, q in zip(base, second)])


def sky(kind, d, rng):
    """Radiance (3, M) of a sky with hills on its rim, seen along directions d of which z is up."""
    zenith, horizon, hills, clouds = SKIES[kind]
    ox, oy = (rng.random(2) * TILE).tolist()
    flat = np.sqrt(d[0] * d[0] + d[1] * d[1])
    height = np.maximum(d[2], 0.0) / flat
    share = np.minimum(height / 0.42, 1.0)
    share = share * (2 - share)
    cloud = np.zeros_like(height)
    if clouds:
        far = 5.0 / (height + 0.10)
        shape = noise(PATCHES, far * d[0] / flat + ox, far * d[1] / flat + oy)
        cloud = clouds * step(shape - 0.35, 0.7) * np.minimum(height / 0.05, 1.0)
    # the hills' profile runs around the horizon: |d| decides, not the angle, so that no arctangent is needed
    ridge = 0.022 + 0.010 * noise(PATCHES, 30 * d[0] / flat + oy, 30 * d[1] / flat + ox)
    hill = step(ridge - height, 0.003)
    out = []
    for z, h, m in zip(zenith, horizon, hills):
        air = h + (z - h) * share
        air = air + (0.92 - air) * cloud
        out.append(air + (m + 0.25 * (h - m) - air) * hill)
    return np.stack(out)


def coat(kind, p, rng):
    """The share (M,) of the second colour at points p = (x, y, z) on an animal whose half diagonal is 1."""
    numbers = rng.random((5, 4)) - 0.5
    if kind == "plain":
        return np.zeros_like(p[0])
    if kind != "spots":
        waves = sum(wave(2.6 * (a * p[0] + b * p[1] + c * p[2]) + phase) for a, b, c, phase in numbers.tolist())
        if kind == "patches":
            return step(waves - 0.35, 0.12)
        return step(wave(4.6 * p[0] + 1.7 * p[2] + 0.13 * waves + numbers[0, 0]) - 0.1, 0.25)
    # spots: one in each cell of a lattice, never in its middle
    cells = [c * 5.2 + 50 for c in p]
    cells[0] = cells[0] + 0.5 * (np.floor(cells[2]) % 2)
    inside = [c - np.floor(c) - 0.5 for c in cells]
    i, j, k = (np.floor(c).astype(np.int64) for c in cells)
    key = (i * 73 + j * 179 + k * 283) & 0xFFFF
    push = [(GRAINS[(key * 7 + 64 * m) & 0xFFFF] * 0.16) for m in range(3)]
    away = sum((c - np.clip(q, -0.2, 0.2)) ** 2 for c, q in zip(inside, push))
    return step(0.115 - away, 0.02)


@cache
def palette(colours):
    """Albedos (3, materials) of an animal's materials, and the coat's second colour (3, 1)."""
    first, second = (np.array(c) for c in COLOURS[colours])
    table = {name: np.array(c) for name, c in MATERIAL.items()}
    table["coat"], table["hair"] = first, 0.25 * first + 0.65 * second * first.max()
    table["muzzle"] = 0.45 * first + 0.55 * np.array((0.33, 0.22, 0.19))
    return np.stack([table[name] for name in MATERIALS], 1), second[:, None]
