"""One cause of variation a row: small multiples of a scene."""

from dataclasses import replace

from .picture import images
from .scene import CHOICES, Scene

COLUMNS = 8
SWEEPS = {
    "azimuth": (0, 315), "elevation": (2, 60), "distance": (3.2, 10), "focal": (1.2, 4.0), "sun_azimuth": (0, 315),
    "sun_elevation": (8, 85), "sun": (0, 1.4), "ambient": (0, 1.6), "legs": (0.6, 1.4), "neck": (0.6, 1.6),
    "girth": (0.8, 1.25), "head": (0.7, 1.5), "step": (0, 0.875), "graze": (0, 1), "look": (-60, 60), "tail": (-60, 60),
    "cover": (-0.9, 0.9), "blur": (0, 3.5), "noise": (0, 0.35), "exposure": (0.3, 1.7),
}


def gallery(scene=Scene(), rows=None):
    """Images uint8 (M, 3, H, W) by the name of the cause that varies while all else stays as in `scene`.

    `rows` names causes among SWEEPS (eight even steps each) and CHOICES (every choice); all of them by default.

    Raises:
        ValueError: a row is not among them.
    """
    rows = [*CHOICES, *SWEEPS] if rows is None else list(rows)
    unknown = [name for name in rows if name not in CHOICES and name not in SWEEPS]
    if unknown:
        raise ValueError(f"gallery: got {', '.join(unknown)}, expected rows among {', '.join([*CHOICES, *SWEEPS])}")
    sheet = {}
    for name in rows:
        low, high = SWEEPS.get(name, (0, 0))
        values = CHOICES.get(name) or [low + (high - low) * k / (COLUMNS - 1) for k in range(COLUMNS)]
        # a bush is what shows best how far it covers
        base = replace(scene, occluder="bush") if name == "cover" else scene
        sheet[name] = images([replace(base, **{name: value}) for value in values])
    return sheet
