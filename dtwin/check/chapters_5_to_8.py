"""The exercises of chapters 5 to 8, from bags of features to AlexNet: definition, calls, typical slips."""

import numpy as np
from scipy.ndimage import shift, uniform_filter

from .. import ref
from .exercises import exercise, light, real, rng
from .operators import col2im_mean

# chapter 5: bags of features

@exercise(
    dict(pictures=light(3, 4, 4)), dict(pictures=light(2, 4, 6)),
    slips={
        "Left and right are as they were: that is a picture in a lake. Half a turn exchanges them too.":
            lambda pictures: pictures[:, ::-1],
        "Up and down are as they were: that is a picture in a mirror.": lambda pictures: pictures[:, :, ::-1],
        "The last picture comes first: turn the last two axes only.": lambda pictures: pictures[::-1, ::-1, ::-1],
        "That is a quarter of a turn: turn once more.": lambda pictures: np.rot90(pictures, axes=(1, 2)),
    })
def upside_down(pictures):
    """Each picture turned by half a turn: (n, H, W) → the same."""
    return pictures[:, ::-1, ::-1]


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


@exercise(
    *[dict(pictures=light(4, h, w), corners=rng.integers(0, 1 + canvas - max(h, w), (4, 2)), width=canvas)
      for h, w, canvas in ((3, 3, 9), (3, 4, 12), (4, 4, 48))],
    slips={
        "A corner is (row, column); you take it for (column, row).":
            lambda pictures, corners, width: on_canvas(pictures, corners[:, ::-1], width),
        "All pictures lie where the first one does; each has a corner of its own.":
            lambda pictures, corners, width: on_canvas(pictures, corners[[0] * len(corners)], width),
        "The canvas is as wide as it was, 48 pixels: take `width`.":
            lambda pictures, corners, width: on_canvas(pictures, corners, 48),
        "All pictures lie on one canvas; each needs its own.":
            lambda pictures, corners, width: np.repeat([on_canvas(pictures, corners, width).sum(0)], len(pictures), 0),
    })
def on_canvas(pictures, corners, width):
    """Each picture (n, h, w) on a black canvas of its own, its upper left corner at a place (n, 2)."""
    canvas = np.zeros((len(pictures), width, width))
    for one, picture, (i, j) in zip(canvas, pictures, corners):
        one[i:i + picture.shape[0], j:j + picture.shape[1]] = picture
    return canvas


# chapter 6: the multilayer perceptron

@exercise(
    *[dict(pictures=light(5, h, w), steps=np.array([[0, 1], [2, 0], [-1, 2], [-2, -2], [1, -1]]))
      for h, w in ((6, 6), (5, 8))],
    slips={
        "What leaves the picture comes in again on the other side; there it must be black.":
            lambda pictures, steps: _shifted(pictures, steps, "grid-wrap"),
        "The pictures move the wrong way: a step of (1, 0) is one down, (0, 1) one to the right.":
            lambda pictures, steps: moved(pictures, -steps),
        "A step is (down, across); you take it for (across, down).":
            lambda pictures, steps: moved(pictures, steps[:, ::-1]),
        "All pictures move as the first one does; each has a step of its own.":
            lambda pictures, steps: moved(pictures, steps[[0] * len(steps)]),
        "What comes in repeats the border; it must be black.":
            lambda pictures, steps: _shifted(pictures, steps, "nearest"),
    })
def moved(pictures, steps):
    """Each picture (n, H, W) moved by its own whole steps (n, 2), down and across; what comes in is black."""
    return _shifted(pictures, steps, "constant")


def _shifted(pictures, steps, mode):
    return np.stack([shift(picture, step, order=0, mode=mode) for picture, step in zip(pictures, steps)])


@exercise(
    dict(maps=real(2, 3, 6, 6)), dict(maps=real(1, 2, 4, 8)),
    slips={
        "Your windows do not overlap: that is the pooling that halves. Take every window of 2 × 2.":
            lambda maps: ref.max_pool2d(maps, 2),
        "The mean is taken, not the maximum.": lambda maps: ref.avg_pool2d(maps, 2, 1),
        "Only pixels side by side are compared; a window of 2 × 2 has four.":
            lambda maps: np.maximum(maps[:, :, :, 1:], maps[:, :, :, :-1]),
        "Only pixels above each other are compared; a window of 2 × 2 has four.":
            lambda maps: np.maximum(maps[:, :, 1:], maps[:, :, :-1]),
        "A window has four pixels; yours leaves out the two on one diagonal.":
            lambda maps: np.maximum(maps[:, :, 1:, 1:], maps[:, :, :-1, :-1]),
    })
def pool_everywhere(maps):
    """The largest number of every window of 2 × 2, also of those that overlap: (N, C, H, W) → (N, C, H − 1, W − 1)."""
    return ref.max_pool2d(maps, 2, 1)


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


# chapter 8: AlexNet

@exercise(
    dict(a=real(12, 12), size=5, alpha=0.1), dict(a=real(12, 15), size=3, alpha=0.1, beta=0.5),
    dict(a=real(9, 14), size=3, alpha=0.1, k=1.0), dict(a=50 * real(20, 20)),
    slips={
        "The mean of the squares stands where their sum belongs: times the number of pixels, size².":
            lambda a, size=9, alpha=1e-3, beta=0.75, k=2.0: in_space(a, size, alpha / size ** 2, beta, k),
        "The sum of the squares, not the square of the sum: square first.":
            lambda a, size=9, alpha=1e-3, beta=0.75, k=2.0:
                a / (k + alpha * size ** 2 * uniform_filter(a, size) ** 2) ** beta,
        "The squares are missing: what is negative would take away from the sum.":
            lambda a, size=9, alpha=1e-3, beta=0.75, k=2.0:
                a / (k + alpha * size ** 2 * uniform_filter(a, size)) ** beta,
        "The power beta is missing.": lambda a, size=9, alpha=1e-3, beta=0.75, k=2.0: in_space(a, size, alpha, 1, k),
        "You multiply by the power; divide by it.":
            lambda a, size=9, alpha=1e-3, beta=0.75, k=2.0: in_space(a, size, alpha, -beta, k),
        "That is for a window along one axis only; it is a square.":
            lambda a, size=9, alpha=1e-3, beta=0.75, k=2.0:
                a / (k + alpha * size * uniform_filter(a ** 2, (0, size))) ** beta,
    })
def in_space(a, size=9, alpha=1e-3, beta=0.75, k=2.0):
    """One channel (H, W) divided by (k + alpha · sum of the squares in size × size pixels, mirrored outside)^beta."""
    return a / (k + alpha * size ** 2 * uniform_filter(a ** 2, size)) ** beta
