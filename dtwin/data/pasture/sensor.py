"""What a camera makes of the light that reaches it."""

from math import sqrt

import numpy as np


def sensor(scene, radiance, rng):
    """The picture uint8 (3, H, W) that a scene's camera makes of radiance (3, H·s, W·s)."""
    s = scene.samples
    pixels = radiance.reshape(3, scene.size, s, scene.size, s)
    pixels = sum(pixels[:, :, a, :, b] for a in range(s) for b in range(s)) / (s * s) * scene.exposure
    if scene.blur:
        pixels = _blurred(_blurred(pixels, scene.blur, 1), scene.blur, 2)
    pixels = np.clip(pixels, 0.0, 1.0)
    if not scene.linear:
        pixels = np.sqrt(pixels)  # a display of gamma 2, which unlike 2.2 has an exact inverse
    if scene.noise:
        # six uniform numbers add up to nearly a normal one, without a logarithm
        grains = sum(rng.random(pixels.shape) for _ in range(6)) - 3
        pixels = pixels + scene.noise * sqrt(2) * grains
    return np.rint(np.clip(pixels, 0.0, 1.0) * 255).astype(np.uint8)


def _blurred(pixels, sigma, axis):
    # biweight kernel, near a Gaussian and of the same variance; edges repeat
    radius = sigma * sqrt(7)
    reach = max(int(radius), 1)
    hats = [max(1 - (k / radius) * (k / radius), 0.0) for k in range(-reach, reach + 1)]
    weights = [hat * hat for hat in hats]
    size = pixels.shape[axis]
    padded = pixels.take(np.clip(np.arange(-reach, size + reach), 0, size - 1), axis)
    cut = lambda k: tuple(slice(k, k + size) if a == axis else slice(None) for a in range(3))
    return sum(w * padded[cut(k)] for k, w in enumerate(weights)) / sum(weights)
