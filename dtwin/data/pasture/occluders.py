"""What may stand between the camera and the animal: a fence or a bush."""

from math import sqrt

import numpy as np

from .animals import Body


def occluder(scene, back):
    """The cones (K, 16) of a scene's occluder, seen along −back, a unit vector; `cover` moves it to the right."""
    if scene.occluder == "none":
        return np.zeros((0, 16))
    flat = sqrt(back[0] * back[0] + back[1] * back[1]) or 1.0
    toward, right = (back[0] / flat, back[1] / flat), (-back[1] / flat, back[0] / flat)

    def at(across, z, near):
        return (near * toward[0] + across * right[0], near * toward[1] + across * right[1], z)

    body = Body()
    if scene.occluder == "fence":
        for z in (0.22, 0.46):
            body.chain("fence", "wood", [(at(-4.0, z, 1.25), 0.032), (at(4.0, z, 1.25), 0.032)], depth=0.5)
        for post in range(-5, 6):
            x = 0.72 * post + scene.cover
            body.chain("fence", "wood", [(at(x, 0.0, 1.2), 0.048), (at(x, 0.58, 1.2), 0.042)])
    else:
        numbers = np.random.default_rng([scene.chance, 3]).random((16, 4)).tolist()
        for a, b, c, r in numbers:
            radius = 0.10 + 0.07 * r
            height = 0.10 + 0.42 * c
            body.ball("bush", "leaf", at(scene.cover + 0.75 * (a - 0.5) * (1.3 - height), height, 1.2 + 0.3 * b), radius)
    return np.array(body.rows)
