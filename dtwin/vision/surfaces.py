"""The 2.5-D sketch from shading: which way visible surfaces face, and the depth that follows from it.

Axes of normals and lights: x to the right, y up, z towards the viewer.
"""

import numpy as np
from scipy import fft, ndimage, sparse
from scipy.sparse.linalg import spsolve


def angular_error(normals, truth):
    """The angle (H, W) between two fields of unit normals (3, H, W), in degrees."""
    # by the chord, for the arc cosine of a number near 1 has lost half its digits
    chord = np.sqrt(((normals - truth) ** 2).sum(0))
    return np.degrees(2 * np.arcsin(np.clip(chord / 2, 0, 1)))


def photometric_stereo(images, lights, dark=0.0):
    """Normals (3, H, W) and albedo (H, W) of a matt surface from pictures (N, H, W), each under one light (N, 3).

    Least squares in every pixel, over the lights that reach it: values up to `dark` count as shadow. Where fewer than
    three do, or all from one plane, both are NaN. Woodham 1980.

    Raises:
        ValueError: fewer than three pictures, shapes that do not fit, or lights in one plane.
    """
    images, lights = np.asarray(images, float), np.asarray(lights, float)
    if images.ndim != 3 or lights.shape != (len(images), 3) or len(images) < 3:
        raise ValueError(f"photometric_stereo: got images {images.shape} and lights {lights.shape}, "
                         "expected (N, H, W) and (N, 3) with N from 3")
    if np.linalg.cond(lights) > 1e6:
        raise ValueError("photometric_stereo: got lights in one plane, expected directions that span space")
    lit = images > dark
    weighed = np.einsum("nhw,ni->hwi", images * lit, lights)
    square = np.einsum("nhw,ni,nj->hwij", lit, lights, lights)
    known = np.linalg.det(square / (lights**2).sum(1).max()) > 1e-6
    solved = np.full(weighed.shape, np.nan)
    solved[known] = np.linalg.solve(square[known], weighed[known][..., None])[..., 0]
    albedo = np.sqrt((solved**2).sum(-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (solved / albedo[..., None]).transpose(2, 0, 1), albedo


def outline_normals(mask):
    """Normals (3, H, W) on the rim of a mask (H, W), where a smooth surface turns away: across the rim, in the image plane.

    They are zero off the rim.
    """
    rim = mask & ~ndimage.binary_erosion(mask)
    down, right = np.gradient(ndimage.gaussian_filter(mask.astype(float), 2))
    normals = np.stack([-right, down, np.zeros(mask.shape)]) * rim
    return normals / np.maximum(np.sqrt((normals**2).sum(0)), 1e-9)


def shape_from_shading(image, light, mask, smooth=0.1, steps=100):
    """Normals (3, H, W) inside a mask from one picture (H, W) of a smooth matt surface of albedo 1 and the light (3,).

    Horn and Brooks' scheme (1986): each normal moves to the mean of its neighbours, then along the light until it is as
    bright as the picture says; `smooth` weighs the first against the second. On the rim, normals are those of
    `outline_normals`. The start is the result on a picture of half the size.

    Raises:
        ValueError: shapes that do not fit, or smooth or steps not positive.
    """
    image, light = np.asarray(image, float), np.asarray(light, float)
    if image.ndim != 2 or mask.shape != image.shape or light.shape != (3,):
        raise ValueError(f"shape_from_shading: got image {image.shape}, light {light.shape} and mask {mask.shape}, "
                         "expected (H, W), (3,) and (H, W)")
    if not (smooth > 0 and steps > 0):
        raise ValueError(f"shape_from_shading: got smooth={smooth} and steps={steps}, expected positive numbers")
    height, width = image.shape
    normals = np.zeros((3, height, width)) + np.array([0.0, 0.0, 1.0])[:, None, None]
    if min(height, width) >= 32:
        share = np.maximum(_halved(mask), 1e-9)
        coarse = shape_from_shading(_halved(image * mask) / share, light, share >= 0.5, smooth, steps)
        normals = coarse.repeat(2, axis=1).repeat(2, axis=2)[:, :height, :width]
    fixed = outline_normals(mask)
    rim = fixed.any(0)
    normals, inside = np.where(rim, fixed, normals), mask & ~rim
    count = np.maximum(_neighbours(mask.astype(float)), 1)
    for _ in range(steps):
        mean = _neighbours(normals * mask) / count
        missing = image - np.maximum(np.tensordot(light, mean, 1), 0)
        mean += missing / (1 + 4 * smooth) * light[:, None, None]
        normals[:, inside] = (mean / np.maximum(np.sqrt((mean**2).sum(0)), 1e-9))[:, inside]
    return normals


def _halved(array):
    # the means of 2 × 2 pixels; an odd side is filled up with zeros
    even = np.pad(array.astype(float), [(0, side % 2) for side in array.shape])
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4


def _neighbours(field):
    # the sum over the four neighbours of each pixel of (..., H, W), zero beyond the picture
    total = np.zeros_like(field)
    total[..., 1:, :] += field[..., :-1, :]
    total[..., :-1, :] += field[..., 1:, :]
    total[..., 1:] += field[..., :-1]
    total[..., :-1] += field[..., 1:]
    return total


def slopes(normals):
    """The slopes ∂z/∂x and ∂z/∂y (y up) of the surface whose unit normals (3, H, W) these are, seen from afar."""
    facing = np.maximum(normals[2], 1e-2)  # at the rim a slope has no bound
    return -normals[0] / facing, -normals[1] / facing


def frankot_chellappa(p, q):
    """The surface z (H, W), up to a constant, whose slopes ∂z/∂x and ∂z/∂y (y up) come nearest to p and q (H, W).

    Least squares in the cosine basis, whose waves each have a slope of their own (Frankot and Chellappa 1988 used
    Fourier's basis, which takes the picture for periodic). z is in pixels, towards the viewer, and has mean 0.

    Raises:
        ValueError: p and q are not matrices of one shape.
    """
    p, q = np.asarray(p, float), np.asarray(q, float)
    if p.ndim != 2 or p.shape != q.shape:
        raise ValueError(f"frankot_chellappa: got slopes {p.shape} and {q.shape}, expected (H, W) twice")
    # a difference between neighbours is the mean of their slopes; rows run downwards, y upwards
    across, down = (p[:, 1:] + p[:, :-1]) / 2, -(q[1:] + q[:-1]) / 2
    bend = np.diff(np.pad(across, ((0, 0), (1, 1))), axis=1) + np.diff(np.pad(down, ((1, 1), (0, 0))), axis=0)
    height, width = p.shape
    waves = 2 * np.cos(np.pi * np.arange(height) / height)[:, None] + 2 * np.cos(np.pi * np.arange(width) / width) - 4
    waves[0, 0] = 1
    z = fft.dctn(bend, norm="ortho") / waves
    z[0, 0] = 0
    return fft.idctn(z, norm="ortho")


def integrate(p, q, mask):
    """The same within a mask (H, W), connected or not: each piece has mean 0, and z is NaN outside.

    Least squares over the pairs of neighbours that both lie in the mask.

    Raises:
        ValueError: shapes that do not fit, or an empty mask.
    """
    p, q = np.asarray(p, float), np.asarray(q, float)
    if not (p.ndim == 2 and p.shape == q.shape == mask.shape and mask.any()):
        raise ValueError(f"integrate: got slopes {p.shape} and {q.shape} and a mask {mask.shape} of {mask.sum()} pixels, "
                         "expected (H, W) three times, and at least one pixel")
    number = np.where(mask, np.cumsum(mask).reshape(mask.shape) - 1, -1)
    pairs, rises = [], []
    for axis, slope in ((1, p), (0, -q)):
        a, b, s = (np.moveaxis(array, axis, 0) for array in (number, number, slope))
        both = (a[:-1] >= 0) & (b[1:] >= 0)
        pairs.append(np.stack([a[:-1][both], b[1:][both]]))
        rises.append((s[:-1] + s[1:])[both] / 2)
    (start, end), rise = np.concatenate(pairs, 1), np.concatenate(rises)
    rows = np.arange(len(rise))
    steps = sparse.csr_array((np.repeat([-1.0, 1.0], len(rise)), (np.tile(rows, 2), np.concatenate([start, end]))),
                             shape=(len(rise), mask.sum()))
    # a touch of zero fixes what no slope does: the height of each piece
    normal = steps.T @ steps + 1e-8 * sparse.eye_array(mask.sum())
    solved = spsolve(normal.tocsc(), steps.T @ rise)
    z = np.full(mask.shape, np.nan)
    z[mask] = solved
    return z
