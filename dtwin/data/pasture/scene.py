"""The causes behind a picture, and how they are drawn."""

from dataclasses import dataclass, fields

import numpy as np

from .species import CATALOGUE
from .textures import COLOURS, GROUNDS, SKIES

SPECIES = tuple(CATALOGUE)
CHOICES = {
    "species": SPECIES, "coat": ("plain", "patches", "spots", "stripes"), "colours": tuple(COLOURS),
    "ground": tuple(GROUNDS), "sky": tuple(SKIES), "occluder": ("none", "fence", "bush"),
}
# the ranges that `sample` draws from, and the limits of what a scene may hold
RANGES = {
    "legs": (0.9, 1.1), "neck": (0.92, 1.08), "girth": (0.92, 1.08), "head": (0.92, 1.08),
    "step": (0, 1), "stride": (0, 1), "graze": (0, 1), "look": (-30, 30), "tail": (-25, 25),
    "sun_azimuth": (-110, 110), "sun_elevation": (28, 65), "sun": (0.8, 1.0), "ambient": (0.85, 1.05),
    "azimuth": (0, 360), "elevation": (2, 22), "distance": (4.4, 5.2), "focal": (2.2, 2.4),
    "x": (-0.06, 0.06), "y": (-0.05, 0.05), "cover": (-0.6, 0.6), "blur": (0, 0.4), "noise": (0, 0.015),
    "exposure": (0.9, 1.15),
}
# of a light and a camera, which look at blocks too
SHOT = {
    "sun_azimuth": (-np.inf, np.inf), "sun_elevation": (5, 90), "sun": (0, 10), "ambient": (0, 10),
    "azimuth": (-np.inf, np.inf), "elevation": (0, 90), "distance": (2.5, 100), "focal": (0.3, 100),
    "x": (-2, 2), "y": (-2, 2), "size": (4, 2048), "samples": (1, 8),
    "blur": (0, 20), "noise": (0, 1), "exposure": (0, 10), "chance": (0, 2**63 - 1),
}
LIMITS = {
    "legs": (0.5, 2), "neck": (0.5, 2), "girth": (0.7, 1.5), "head": (0.5, 2),
    "step": (-np.inf, np.inf), "stride": (0, 1.5), "graze": (0, 1), "look": (-90, 90), "tail": (-90, 90),
    "cover": (-3, 3), **SHOT,
}


def check(scene, choices, limits):
    """Refuse a scene, or a block, of which a field is not among its choices or outside its limits."""
    kind = type(scene).__name__
    for name, allowed in choices.items():
        if getattr(scene, name) not in allowed:
            raise ValueError(f"{kind}: got {name}={getattr(scene, name)!r}, expected one of {', '.join(allowed)}")
    for name, (low, high) in limits.items():
        value, whole = getattr(scene, name), name in ("size", "samples", "chance")
        number = (int, np.integer) if whole else (int, float, np.integer, np.floating)
        if not (isinstance(value, number) and np.isfinite(value) and low <= value <= high):
            bounds = f"{'an integer' if whole else 'a number'} from {low} to {high}" if high < np.inf else "a finite number"
            raise ValueError(f"{kind}: got {name}={value!r}, expected {bounds}")
    if not isinstance(scene.linear, (bool, np.bool_)):
        raise ValueError(f"{kind}: got linear={scene.linear!r}, expected True or False")


@dataclass(frozen=True)
class Scene:
    """Every cause of a picture of an animal; angles in degrees, lengths in half diagonals of its species' box.

    species one of SPECIES; legs, neck, girth, head: proportions, 1 is the species' own.
    step (one cycle from 0 to 1), stride, graze (0 head up, 1 down), look and tail (to its left): the pose.
    coat plain, patches, spots or stripes, in two `colours`; ground; sky; occluder none, fence or bush, `cover` to
    the right. sun_azimuth and azimuth, of the sun and of the camera: 0 faces the animal, 90 is on its left; sun and
    ambient: strengths. distance from the camera; focal length in widths of the picture, as are x and y, which say
    how far right and up of the middle the animal stands.
    size in pixels; samples a side of a pixel; blur (σ in pixels), noise (σ, white is 1), exposure; linear: no display curve.
    chance: a number that says where patches, tufts, leaves and grains of noise fall.

    Raises:
        ValueError: a value is outside its limits or not among the choices.
    """

    species: str = "cow"
    legs: float = 1.0
    neck: float = 1.0
    girth: float = 1.0
    head: float = 1.0
    step: float = 0.1
    stride: float = 0.4
    graze: float = 0.0
    look: float = 10.0
    tail: float = 5.0
    coat: str = "patches"
    colours: str = "white-black"
    ground: str = "meadow"
    sky: str = "clear"
    occluder: str = "none"
    cover: float = 0.0
    sun_azimuth: float = 100.0
    sun_elevation: float = 45.0
    sun: float = 1.0
    ambient: float = 1.0
    azimuth: float = 55.0
    elevation: float = 7.0
    distance: float = 4.7
    focal: float = 2.3
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
        check(self, CHOICES, LIMITS)


FIELDS = tuple(field.name for field in fields(Scene))


def sample(n, seed=0, biased=False, **causes):
    """Draw n scenes; the same seed gives the same ones, and the first m of n are those of m.

    Each cause is drawn from its range (RANGES, CHOICES) unless `causes` says otherwise: a value fixes it, a tuple
    (low, high) is a range, a list holds choices, and a dict by species holds any of these for some of the species.
    Each cause has its own numbers, so that to fix one leaves all others as they were. The sun is drawn from the
    camera's side, up to 110° to its left or right. `biased` puts cows on the meadow only, and all others elsewhere.

    Raises:
        ValueError: n is negative, a cause is unknown, or a value is outside what a Scene holds.
    """
    if not (isinstance(n, (int, np.integer)) and n >= 0):
        raise ValueError(f"sample: got n={n!r}, expected an integer from 0")
    unknown = sorted(set(causes) - set(FIELDS))
    if unknown:
        raise ValueError(f"sample: got {', '.join(unknown)}, expected causes among {', '.join(FIELDS)}")
    if biased:
        elsewhere = [ground for ground in GROUNDS if ground != "meadow"]
        causes = {"ground": {s: "meadow" if s == "cow" else elsewhere for s in SPECIES}, **causes}
    for name, wish in causes.items():
        strange = sorted(set(wish) - set(SPECIES)) if isinstance(wish, dict) else []
        if strange:
            raise ValueError(f"sample: got {name} for {', '.join(strange)}, expected species among {', '.join(SPECIES)}")
    if isinstance(causes.get("species"), dict):
        raise ValueError("sample: got species as a dict, expected a name or a list of names")
    seeds = seed if isinstance(seed, (tuple, list)) else (seed,)
    if not all(isinstance(s, (int, np.integer)) and s >= 0 for s in seeds):
        raise ValueError(f"sample: got seed={seed!r}, expected integers from 0")
    return [_draw(np.random.default_rng([*seeds, i]).random(len(FIELDS) + 1).tolist(), causes) for i in range(n)]


def _draw(numbers, causes):
    drawn, free = {}, set()
    for name, u in zip(FIELDS, numbers):
        wish = causes.get(name)
        if isinstance(wish, dict):
            wish = wish.get(drawn["species"])
        if wish is None:
            free.add(name)
            wish = _usual(name)
            # a choice of three leaves most animals uncovered, and half the heads up
            u = u * 0.999 if name != "occluder" else max(0.0, (u - 0.7) / 0.3 * 0.66 + 0.333) if u > 0.7 else 0.0
            u = max(0.0, 2 * u - 1) if name == "graze" else u
        drawn[name] = _pick(name, wish, u)
    if "sun_azimuth" in free and not isinstance(drawn["azimuth"], str):
        drawn["sun_azimuth"] += drawn["azimuth"]
    if "chance" in free:
        drawn["chance"] = int(numbers[-1] * 2**31)
    return Scene(**drawn)


def _usual(name):
    return list(CHOICES[name]) if name in CHOICES else RANGES.get(name, getattr(Scene, name))


def _pick(name, wish, u):
    if isinstance(wish, list):
        if not wish:
            raise ValueError(f"sample: got no choices for {name}, expected at least one")
        return wish[min(int(u * len(wish)), len(wish) - 1)]
    if isinstance(wish, tuple):
        if len(wish) != 2 or not all(isinstance(w, (int, float)) for w in wish) or wish[0] > wish[1]:
            raise ValueError(f"sample: got {name}={wish!r}, expected a range (low, high)")
        return wish[0] + (wish[1] - wish[0]) * u
    return wish
