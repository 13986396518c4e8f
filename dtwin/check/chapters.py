"""The exercises of the chapters that ask for something else than an operator: definition, calls, typical slips."""

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from .. import ref
from .exercises import Call, Exercise, col2im_mean, defaults

CHAPTERS = {}
rng = np.random.default_rng(0)


def real(*shape):
    return rng.normal(size=shape)


def light(*shape):
    return rng.uniform(0.1, 1, size=shape)


def few(*shape):
    return rng.random(shape) < 0.1


def exercise(*calls, slips, results=("output",)):
    """Register a definition with the arguments it is tried on: arrays, and options that part the calls."""
    def register(reference):
        given = [_call(defaults(reference), call) for call in calls]
        CHAPTERS[reference.__name__] = Exercise(reference, given, slips, results)
        return reference
    return register


def _call(usual, arguments):
    arrays = {name: a for name, a in arguments.items() if isinstance(a, np.ndarray)}
    options = {name: a for name, a in arguments.items() if name not in arrays}
    square = all(a.shape[-1] == a.shape[-2] for a in arrays.values() if a.ndim > 1)
    form = {"form": "square arrays" if square else "arrays that are not square"}
    facts = {name: f"{name} {value}" for name, value in {**usual, **options}.items()}
    return Call(arrays, options, facts | form)


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
    """Median distance of the three pixels at either end of a row from their median colour: picture (3, H, W) → number."""
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


# chapter 5: bags of features

CLOUDS = np.concatenate([real(20, 2) + [c, 0] for c in (-3, 0, 3)])


@exercise(
    dict(points=CLOUDS, words=CLOUDS[[0, 1, 2]]), dict(points=real(40, 3), words=real(4, 3)),
    dict(points=CLOUDS, words=np.array([[-3.0, 0], [3, 0], [50, 50]])),  # the last has no points
    slips={
        "The words move once; repeat until they stay.": lambda points, words: _moved(points, words),
        "A word without points must stay where it is; yours goes to 0.":
            lambda points, words: np.where((words == 50).all(1, keepdims=True), 0, kmeans(points, words)),
    })
def kmeans(points, words):
    """The words (k, d) moved among the points (n, d) until they stay; a word without points does not move."""
    while not np.allclose(words, moved := _moved(points, words)):
        words = moved
    return moved


def _moved(points, words):
    nearest = ((points[:, None] - words) ** 2).sum(axis=2).argmin(axis=1)
    return np.stack([points[nearest == j].mean(axis=0) if (nearest == j).any() else word
                     for j, word in enumerate(words)])


# chapter 7: convolution and im2col

@exercise(
    dict(image=real(3, 3), u=2), dict(image=real(4, 6), u=3), dict(image=real(5, 4), u=1),
    slips={
        "The pixels of a patch go down first; they must go across first, row by row.":
            lambda image, u: columns_by_index(image, u).reshape(u, u, -1).swapaxes(0, 1).reshape(u * u, -1),
        "The windows go down first; they must go across first, row by row.":
            lambda image, u: columns_by_index(image, u).reshape(u * u, len(image) - u + 1, -1).swapaxes(1, 2)
            .reshape(u * u, -1),
    })
def columns_by_index(image, u):
    """The columns of one channel: image (H, W), windows u × u → (u · u, number of windows)."""
    return ref.im2col(image[None, None], u)[0]


exercise(
    dict(cols=ref.im2col(real(2, 3, 5, 5), 3), output_size=(5, 5), kernel_size=3),
    dict(cols=real(2, 8, 15), output_size=(4, 6), kernel_size=2),
    slips={
        "Every pixel comes back as often as it lay under a window: divide by how often that was.": ref.col2im,
        "A pixel at the border lay under fewer windows than one in the middle: count for each pixel.":
            lambda cols, output_size, kernel_size: ref.col2im(cols, output_size, kernel_size) / kernel_size ** 2,
    })(col2im_mean)


@exercise(
    *[dict(x=real(2, 3, 7, 7), weight=real(4, 3, 3, 3), dilation=d) for d in (1, 2, 3)],
    dict(x=real(1, 2, 6, 8), weight=real(3, 2, 2, 3), dilation=2),
    slips={
        "That is dilation 1: the weights must lie `dilation` pixels apart.":
            lambda x, weight, dilation: ref.conv2d(x, weight),
        "You move the kernel by `dilation` pixels, which is the stride; spread its weights instead.":
            lambda x, weight, dilation: ref.conv2d(x, weight, stride=dilation),
    })
def dilated_conv2d(x, weight, dilation):
    """A convolution whose weights lie `dilation` pixels apart, with stride 1 and no padding."""
    wide = np.zeros((*weight.shape[:2], *(dilation * (np.array(weight.shape[2:]) - 1) + 1)))
    wide[:, :, ::dilation, ::dilation] = weight
    return ref.conv2d(x, wide)


# chapter 9: residual networks

@exercise(
    dict(x=real(2, 4, 6, 6), channels=4, stride=1), dict(x=real(2, 4, 6, 6), channels=8, stride=2),
    dict(x=real(1, 4, 5, 8), channels=8, stride=2),
    slips={
        "All new channels stand behind; half of them belong before.":
            lambda x, channels, stride: np.roll(shortcut(x, channels, stride), -(channels - x.shape[1]) // 2, axis=1),
        "The new channels must hold zeros, not copies.":
            lambda x, channels, stride: np.concatenate([x[:, :, ::stride, ::stride]] * 2, 1)[:, :channels],
        "Keep every second pixel as it is; you average.":
            lambda x, channels, stride: shortcut(ref.avg_pool2d(x, stride), channels, 1),
    })
def shortcut(x, channels, stride):
    """Every stride-th pixel, and zeros for the missing channels, half of them before: x (N, C, H, W)."""
    x = x[:, :, ::stride, ::stride]
    before = (channels - x.shape[1]) // 2
    return np.pad(x, ((0, 0), (before, channels - x.shape[1] - before), (0, 0), (0, 0)))


@exercise(
    dict(dy=real(5, 4), x=real(5, 4), w1=real(4, 4), w2=real(4, 4)),
    dict(dy=real(3, 4), x=real(3, 4), w1=real(6, 4), w2=real(4, 6)),
    results=("dx", "dw1", "dw2"),
    slips={
        "dx misses the shortcut: what arrives at a sum goes back along both ways.":
            lambda dy, x, w1, w2: (_branch(dy, x, w1, w2)[0], *_branch(dy, x, w1, w2)[1:]),
        "dx is the shortcut's alone; the branch leads to x too.":
            lambda dy, x, w1, w2: (dy, *_branch(dy, x, w1, w2)[1:]),
        "The ReLU must stop the gradient where its input was negative.":
            lambda dy, x, w1, w2: (dy + dy @ w2 @ w1, (dy @ w2).T @ x, dy.T @ ref.relu(x @ w1.T)),
    })
def residual_backward(dy, x, w1, w2):
    """Gradients of y = x + relu(x w1ᵀ) w2ᵀ, x (N, d): dx, dw1, dw2."""
    dx, dw1, dw2 = _branch(dy, x, w1, w2)
    return dy + dx, dw1, dw2


def _branch(dy, x, w1, w2):
    a = ref.linear(x, w1)
    dh, dw2, _ = ref.linear_backward(dy, ref.relu(a), w2)
    dx, dw1, _ = ref.linear_backward(ref.relu_backward(dh, a), x, w1)
    return dx, dw1, dw2
