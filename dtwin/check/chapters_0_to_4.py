"""The exercises of chapters 0 to 4, from the pasture to the gaps: definition, calls, typical slips."""

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from .exercises import exercise, light, real, rng


def few(*shape):
    return rng.random(shape) < 0.1


# chapter 0: the pasture

def directions(*shape):
    return (rays := real(3, *shape)) / np.linalg.norm(rays, axis=0)


@exercise(
    dict(normals=directions(4, 4), light=directions()), dict(normals=directions(5, 7), light=directions()),
    slips={
        "What looks away from the light must be dark: nothing is below 0.":
            lambda normals, light: np.tensordot(light, normals, 1),
        "What looks away from the light must be dark; yours is lit from behind.":
            lambda normals, light: np.abs(np.tensordot(light, normals, 1)),
        "Add the three products up, and only then take what is above 0.":
            lambda normals, light: np.maximum(normals * light[:, None, None], 0).sum(0),
    })
def shade(normals, light):
    """How much light (H, W) a dull surface of these normals (3, H, W) sends back."""
    return np.maximum(np.tensordot(light, normals, 1), 0)


# chapter 1: the question

@exercise(
    *[dict(distances=light(6, 30), same=rng.random((6, 30)) < 0.3, k=k) for k in (1, 5, 10)],
    slips={
        "These are the k farthest pictures, not the k nearest.":
            lambda distances, same, k: precision_at(-distances, same, k),
        "The nearest picture is left out; the picture asked about is not among the answers here.":
            lambda distances, same, k: np.take_along_axis(same, distances.argsort(1)[:, 1:k + 1], 1).mean(),
        "You return how many are right, not which share.":
            lambda distances, same, k: k * precision_at(distances, same, k),
        "These are the first k pictures of the album: sort them by distance.":
            lambda distances, same, k: same[:, :k].mean(),
    })
def precision_at(distances, same, k):
    """Share of answers of the right class among the k nearest of each question."""
    nearest = distances.argsort(axis=1)[:, :k]
    return np.take_along_axis(same, nearest, axis=1).mean()


@exercise(
    dict(images=255 * light(2, 3, 6, 6)), dict(images=255 * light(3, 3, 5, 8)),
    slips={
        "The slopes down and across are joined like the sides of a right angle: √(a² + b²).":
            lambda images: np.abs(np.gradient(images.mean(1) / 255, axis=(1, 2))).sum(0),
        "The slope down is missing.": lambda images: np.abs(np.gradient(images.mean(1) / 255, axis=2)),
        "The slope across is missing.": lambda images: np.abs(np.gradient(images.mean(1) / 255, axis=1)),
        "The gradient runs from picture to picture too; only the last two axes lie in a picture.":
            lambda images: np.sqrt(np.square(np.gradient(images.mean(1) / 255)).sum(0)),
        "The channels are summed, not averaged.": lambda images: 3 * edges(images),
        "The light must run from 0 to 1: divide by 255.": lambda images: 255 * edges(images),
    })
def edges(images):
    """Steepness of the brightness: images (N, 3, H, W) from 0 to 255 → (N, H, W)."""
    return np.hypot(*np.gradient(images.mean(axis=1) / 255, axis=(1, 2)))


# chapter 2: explicit models

LENS = np.array([[300, 20, 128], [0, 280, 120], [0, 0, 1.0]])


@exercise(
    dict(points=real(7, 3) + [0, 0, 6], lens=LENS), dict(points=real(3, 3) + [0, 0, 4], lens=LENS),
    slips={
        "The points stand in rows, so the lens must be transposed: points @ lens.T.":
            lambda points, lens: (points @ lens)[:, :2] / (points @ lens)[:, 2:],
        "The division by the depth is missing; what is far must become small.":
            lambda points, lens: (points @ lens.T)[:, :2],
        "You divide by the distance from the camera; it must be the depth, the third coordinate.":
            lambda points, lens: (points @ lens.T)[:, :2] / np.linalg.norm(points, axis=1, keepdims=True),
        "A third number, always 1, is left: a picture has two coordinates.":
            lambda points, lens: points @ lens.T / (points @ lens.T)[:, 2:],
    })
def project(points, lens):
    """Where points (n, 3) before a camera are seen through its lens (3, 3): pixels (n, 2)."""
    flat = points @ lens.T
    return flat[:, :2] / flat[:, 2:]


@exercise(
    *[dict(places=9 * real(n, 4, 2), true=9 * real(n, 4, 2), visible=rng.random((n, 4)) < 0.6) for n in (5, 8)],
    results=("median of the hidden", "median of the visible"),
    slips={
        "You return the visible ones first; the hidden ones come first.":
            lambda places, true, visible: off_by(places, true, ~visible),
        "That is the mean distance, which a few parts that are far off would decide: take the median.":
            lambda places, true, visible: _parted(np.linalg.norm(places - true, axis=2), visible, np.mean),
        "The steps down and across are joined like the sides of a right angle: √(a² + b²).":
            lambda places, true, visible: _parted(np.abs(places - true).sum(2), visible),
        "The distance is squared: a root is missing.":
            lambda places, true, visible: _parted(np.square(places - true).sum(2), visible),
    })
def off_by(places, true, visible):
    """Median distance of places from the true ones (n, parts, 2), of the hidden parts and of the visible (n, parts)."""
    return _parted(np.linalg.norm(places - true, axis=2), visible)


def _parted(distance, visible, middle=np.median):
    return middle(distance[~visible]), middle(distance[visible])


# chapter 3: Marr

@exercise(
    dict(image=real(12, 12), sigma=1.0), dict(image=real(9, 14), sigma=2.0),
    dict(image=real(9, 14), sigma=1.0, ratio=2.0),
    slips={
        "The narrow one is to be subtracted from the wide one, and not the other way round.":
            lambda image, sigma, ratio=1.6: -difference_of_gaussians(image, sigma, ratio),
        "The wide Gaussian is ratio · sigma wide, not sigma + ratio.":
            lambda image, sigma, ratio=1.6: gaussian_filter(image, sigma + ratio) - gaussian_filter(image, sigma),
        "You blur what is blurred already: blur the image itself twice.":
            lambda image, sigma, ratio=1.6:
                gaussian_filter(gaussian_filter(image, sigma), ratio * sigma) - gaussian_filter(image, sigma),
    })
def difference_of_gaussians(image, sigma, ratio=1.6):
    """The image blurred by ratio · sigma less the image blurred by sigma."""
    return gaussian_filter(image, ratio * sigma) - gaussian_filter(image, sigma)


@exercise(
    *[dict(fine=few(20, 30), coarse=few(20, 30), pixels=pixels) for pixels in (1, 2, 3)],
    slips={
        "The distance is measured from the wrong places: the transform measures to the nearest False.":
            lambda fine, coarse, pixels: fine & (distance_transform_edt(coarse) <= pixels),
        "`fine` is not asked: every place near a coarse one is in.":
            lambda fine, coarse, pixels: distance_transform_edt(~coarse) <= pixels,
        "Within so many pixels means at most so many: ≤, not <.":
            lambda fine, coarse, pixels: fine & (distance_transform_edt(~coarse) < pixels),
        "You keep the coarse places near a fine one; keep the fine ones.":
            lambda fine, coarse, pixels: agreed(coarse, fine, pixels),
        "You keep only what lies in the very same pixel.": lambda fine, coarse, pixels: fine & coarse,
    })
def agreed(fine, coarse, pixels):
    """Which places of `fine` have one of `coarse` within some pixels."""
    return fine & (distance_transform_edt(~coarse) <= pixels)


# chapter 4: the gaps

@exercise(
    dict(picture=light(3, 8, 8)), dict(picture=light(3, 6, 10)),
    slips={
        "The whole picture is asked, with the animal in its middle: take the border only.":
            lambda picture: np.median(_off(picture)),
        "The right border is missing.": lambda picture: np.median(_off(picture[:, :, :3])),
        "That is the mean distance, which a few stones in the border would spoil: take the median.":
            lambda picture: np.mean(_off(_border(picture))),
        "One colour serves for all rows; the ground of each row has its own.":
            lambda picture: np.median(_off(_border(picture).reshape(3, 1, -1))),
    })
def border_spread(picture):
    """Median distance of the three pixels at either end of a row from their median colour: (3, H, W) → number."""
    return np.median(_off(_border(picture)))


def _border(picture):
    return np.concatenate([picture[:, :, :3], picture[:, :, -3:]], axis=2)


def _off(colours):
    return np.linalg.norm(colours - np.median(colours, axis=2, keepdims=True), axis=0)


@exercise(
    dict(pictures=light(2, 3, 5, 5)),
    dict(pictures=np.where(np.arange(60).reshape(6, 10) % 7 == 0, 0, light(2, 3, 6, 10))),  # some pixels are black
    slips={
        "Each picture is divided by one number; divide each pixel by its own.":
            lambda pictures: pictures / pictures.sum((1, 2, 3), keepdims=True),
        "You sum over the pixels of a channel; sum over the channels of a pixel.":
            lambda pictures: pictures / pictures.sum((2, 3), keepdims=True),
        "Each pixel is divided by the mean of its channels, not by their sum.":
            lambda pictures: 3 * chromaticity(pictures),
        "Each pixel is divided by its largest channel, not by their sum.":
            lambda pictures: pictures / np.maximum(pictures.max(1, keepdims=True), 1e-12),
    })
def chromaticity(pictures):
    """Each pixel divided by the sum of its channels; black stays black: (N, 3, H, W) → the same."""
    total = pictures.sum(axis=1, keepdims=True)
    return pictures / np.where(total == 0, 1, total)
