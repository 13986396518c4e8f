"""The exercise checker: definitions pass, planted mistakes are named, and nothing that an attempt does gets out."""

import inspect
import io
import re
import signal
import subprocess
import sys
import threading
import time
import types
from math import lgamma
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from scipy.ndimage import distance_transform_edt, gaussian_filter, uniform_filter

import dtwin
from dtwin import ref

try:
    import resource
except ImportError:  # Windows
    resource = None
from dtwin.check import EXERCISES, check
from dtwin.check.chapters_5_to_8 import _moved
from dtwin.check.chapters_9_to_14 import residual_backward, shortcut
from dtwin.check.exercises import CHAPTERS
from dtwin.check.operators import col2im_mean


def said(name, attempt, **options):
    """What the checker says to a function, which is given the name of an exercise."""
    attempt.__name__ = name
    report = check(attempt, **options)
    assert not report.passed and not report
    return repr(report)


def plain(text):
    """The text without the breaks of its lines."""
    return " ".join(text.split())


@pytest.mark.parametrize("name", EXERCISES)
def test_the_definition_of_every_exercise_passes(name):
    report = check(EXERCISES[name].reference)
    assert report and repr(report).startswith(f"{name}: right") and len(report.lines) == 1


@pytest.mark.parametrize("name", EXERCISES)
def test_no_slip_is_right_or_like_another(name):
    exercise = EXERCISES[name]
    for sentence, slip in exercise.slips.items():
        assert sentence.lower() in plain(said(name, named_like(exercise.reference, slip))).lower()


def named_like(reference, slip):
    """A slip with the parameters of the definition, so that no case is left out."""
    def attempt(*a, **o):
        return slip(*a, **o)

    attempt.__signature__ = inspect.signature(reference)
    return attempt


def conv_without(option):
    def conv2d(x, weight, bias=None, stride=1, padding=0, groups=1):
        options = {"stride": stride, "padding": padding, "groups": groups}
        del options[option]
        return ref.conv2d(x, weight, bias, **options)

    return conv2d


def im2col_transposed(x, kernel_size, stride=1, padding=0):
    return ref.im2col(x, kernel_size, stride, padding).swapaxes(1, 2)


def dbias_of_each_image(dy, x, weight, bias=None):
    dx, dweight, dbias = ref.linear_backward(dy, x, weight, bias)
    return dx, dweight, dbias if bias is None else dy


def kmeans_in_place(points, words):
    for _ in range(50):
        nearest = ((points[:, None] - words) ** 2).sum(2).argmin(1)
        for j in set(nearest):
            words[j] = points[nearest == j].mean(0)
    return words


def kmeans_of_nothing(points, words):
    for _ in range(50):
        nearest = ((points[:, None] - words) ** 2).sum(2).argmin(1)
        words = np.stack([points[nearest == j].mean(0) for j in range(len(words))])
    return words


def shortcut_behind(x, channels, stride):
    out = np.zeros((len(x), channels, *x[0, 0, ::stride, ::stride].shape))
    out[:, :x.shape[1]] = x[:, :, ::stride, ::stride]
    return out


def through_relu(dy, x, w1, w2):
    h = np.maximum(x @ w1.T, 0)
    dh = dy @ w2
    return dy + dh @ w1, dh.T @ x, dy.T @ h


def without_shortcut(dy, x, w1, w2):
    a = x @ w1.T
    da = (dy @ w2) * (a > 0)
    return da @ w1, da.T @ x, dy.T @ np.maximum(a, 0)


def by_index(image, u):
    down, across = image.shape[0] - u + 1, image.shape[1] - u + 1
    return np.arange(u * u)[:, None], np.arange(down * across), down, across


def columns_down(image, u):
    k, n, down, across = by_index(image, u)
    return image[k // u + n % down, k % u + n // down]


def patches_down(image, u):
    k, n, down, across = by_index(image, u)
    return image[k % u + n // across, k // u + n % across]


def one_too_few(image, u):
    down, across = image.shape[0] - u, image.shape[1] - u
    k, n = np.arange(u * u)[:, None], np.arange(down * across)
    return image[k // u + n // max(across, 1), k % u + n % max(across, 1)]


def dilated_by_one_more(x, weight, dilation):
    wide = np.zeros((*weight.shape[:2], *((dilation + 1) * (np.array(weight.shape[2:]) - 1) + 1)))
    wide[:, :, ::dilation + 1, ::dilation + 1] = weight
    fits = wide.shape[2] <= x.shape[2] and wide.shape[3] <= x.shape[3]
    return ref.conv2d(x, wide) if fits else np.zeros((1, 1, 1, 1))


def border(picture):
    return np.concatenate([picture[:, :, :3], picture[:, :, -3:]], axis=2)


def spread(colours, middle=np.median, axis=2):
    return middle(np.sqrt(((colours - np.median(colours, axis=axis, keepdims=True)) ** 2).sum(0)))


def halves(distance, visible, middle=np.median):
    return middle(distance[~visible]), middle(distance[visible])


def pasted(pictures, corners, width):
    canvas = np.zeros((len(pictures), width, width))
    for n, (i, j) in enumerate(corners):
        canvas[n, i:i + pictures.shape[1], j:j + pictures.shape[2]] = pictures[n]
    return canvas


def cut_out(pictures, steps, sign=1, mode="constant"):
    framed = np.pad(pictures, ((0, 0), (2, 2), (2, 2)), mode)
    height, width = pictures.shape[1:]
    return np.stack([one[2 - sign * i:2 - sign * i + height, 2 - sign * j:2 - sign * j + width]
                     for one, (i, j) in zip(framed, steps)])


def windows_of(maps):
    return np.lib.stride_tricks.sliding_window_view(maps, (2, 2), (2, 3))


def blocks(maps):
    return windows_of(maps)[:, :, ::2, ::2].reshape(*maps[:, :, ::2, ::2].shape, 4)


def both(windows):
    return windows.max(-1), windows.mean(-1)


def one_at(place, maps, size):
    weight = np.zeros((*maps.shape, size, size))
    weight[:, :, place, place] = maps
    return weight


PLANTED = [
    ("linear", lambda x, weight, bias=None: x @ weight.T, "The bias is not added"),
    ("linear", lambda x, weight, bias=None: x @ weight + (0 if bias is None else bias), "ValueError: matmul"),
    ("linear", lambda x, weight, bias=None: -ref.linear(x, weight, bias), "has the wrong sign"),
    ("linear_backward", dbias_of_each_image, "The gradient dbias misses the sum over the batch."),
    ("linear_backward", lambda dy, x, weight, bias=None: ref.linear_backward(dy, x, weight, bias)[:2],
     "returns 2 values, expected 3: dx, dweight, dbias"),
    ("linear_backward", lambda dy, x, weight, bias=None:
     [g.T if n == 1 else g for n, g in enumerate(ref.linear_backward(dy, x, weight, bias))],
     "The gradient dweight is transposed"),
    ("linear_backward", lambda dy, x, weight, bias=None:
     [g / len(x) if n == 2 and g is not None else g for n, g in enumerate(ref.linear_backward(dy, x, weight, bias))],
     "dbias is too small by a factor 5, which is the size of the batch"),
    ("conv2d", conv_without("stride"), "Right for stride 1, wrong for stride 2: your output is 7×5, expected 4×3."),
    ("conv2d", conv_without("padding"), "wrong for padding 1: your output is 5×4, expected 7×6."),
    ("conv2d", conv_without("groups"), "Right for one group, wrong for groups 2: it stops in line"),
    ("conv2d", lambda x, weight, bias=None, stride=1, padding=0, groups=1:
     ref.conv2d(x, np.flip(weight, (2, 3)), bias, stride, padding, groups), "turned the kernel by half a turn"),
    ("conv2d", lambda x, weight, bias=None, stride=1, padding=0, groups=1:
     ref.conv2d(x, weight, None, stride, padding, groups),
     "Right for no bias, wrong for a bias: the bias is not added"),
    ("im2col", im2col_transposed, "in your output the axes 1 and 2 are exchanged"),
    ("im2col", lambda x, kernel_size, stride=1, padding=0: ref.im2col(x, kernel_size, stride), "wrong for padding"),
    ("im2col", lambda x, kernel_size, stride=1, padding=0: ref.im2col(x[:1], kernel_size, stride, padding),
     "Right for a batch of one, wrong for a batch of several"),
    ("col2im", col2im_mean, "must be added; yours are averaged"),
    ("col2im", lambda cols, output_size, kernel_size, stride=1, padding=0:
     np.pad(ref.col2im(cols, output_size, kernel_size, stride, padding), ((0, 0), (0, 0), (1, 1), (1, 1))),
     "the border is still on"),
    ("col2im", lambda cols, output_size, kernel_size, stride=1, padding=0:
     ref.col2im(cols, output_size, kernel_size, stride, padding).round().astype(int), "rounded to whole numbers"),
    ("max_pool2d", lambda x, kernel_size, stride=None, padding=0: ref.avg_pool2d(x, kernel_size, stride, padding),
     "The mean is taken, not the maximum"),
    ("max_pool2d", lambda x, kernel_size, stride=None, padding=0: ref.max_pool2d(x, kernel_size, kernel_size, padding),
     "wrong for stride 2: your output is 2×3, expected 3×4"),
    ("softmax", lambda x, dim=-1: np.exp(x) / np.exp(x).sum(dim, keepdims=True),
     "NaN for large inputs, where exp overflows: subtract the maximum first"),
    ("softmax", lambda x, dim=-1: ref.softmax(x), "The option `dim` is not used"),
    ("softmax", lambda x, dim=-1: ref.softmax(x, dim).sum(dim), "your output is 3, expected 3×4"),
    ("cross_entropy", lambda logits, labels: len(labels) * ref.cross_entropy(logits, labels),
     "too large by a factor 5, which is the size of the batch"),
    ("cross_entropy", lambda logits, labels: -ref.cross_entropy(logits, labels), "wrong sign"),
    ("cross_entropy", lambda logits, labels: ref.cross_entropy(logits, labels) / np.log(2), "off by a factor 1.443"),
    ("cross_entropy_backward", lambda dy, logits, labels: dy * ref.softmax(logits) / len(labels),
     "The 1 of the right class is not subtracted"),
    ("cross_entropy_backward", lambda dy, logits, labels: len(labels) * ref.cross_entropy_backward(dy, logits, labels),
     "too large by a factor 5, which is the size of the batch"),
    ("cross_entropy_backward", lambda dy, logits, labels: ref.cross_entropy_backward(1.0, logits, labels),
     "The gradient that arrives, dy, is not used"),
    ("tanh_backward", lambda dy, x: dy * (1 - x * x), "You use x where tanh(x) belongs"),
    ("tanh_backward", lambda dy, x: 1 - np.tanh(x) ** 2, "dy, is not used"),
    ("tanh_backward", lambda dy, x: dy * (1 - np.tanh(x)), "tanh(x) is not squared"),
    ("tanh_backward", lambda dy, x: dy * (np.tanh(x) ** 2 - 1), "wrong sign"),
    ("dropout", lambda x, mask, p=0.5: x * mask, "must be scaled by 1 / (1 − p)"),
    ("dropout", lambda x, mask, p=0.5: np.where(mask, 0, x) / (1 - p), "you keep the rest"),
    ("dropout", lambda x, mask, p=0.5: ref.dropout(x, mask),
     "Right for p 0.5, wrong for p 0.2: your output is off by a factor 1.6"),
    ("batch_norm", lambda x, weight, bias, eps=1e-5: ref.batch_norm_eval(x, *ref.batch_stats(x), weight, bias, eps),
     "must be the biased one"),
    ("batch_norm", lambda x, weight, bias, eps=1e-5: ref.batch_norm(x, weight, bias, 1e-9), "eps is forgotten"),
    ("batch_norm", lambda x, weight, bias, eps=1e-5: ref.batch_norm(x, weight, bias, eps) + 1,
     "too large by 1 everywhere"),

    ("shade", lambda normals, light: np.einsum("chw,c->hw", normals, light), "nothing is below 0"),
    ("shade", lambda normals, light: abs(np.einsum("chw,c->hw", normals, light)), "lit from behind"),
    ("shade", lambda normals, light: np.maximum(normals * light[:, None, None], 0), "expected 4×4"),
    ("precision_at", lambda distances, same, k: np.take_along_axis(same, distances.argsort(1)[:, -k:], 1).mean(),
     "the k farthest pictures"),
    ("precision_at", lambda distances, same, k: np.take_along_axis(same, distances.argsort(1)[:, 1:1 + k], 1).mean(),
     "The nearest picture is left out"),
    ("precision_at", lambda distances, same, k: same[:, :k].mean(), "sort them by distance"),
    ("precision_at", lambda distances, same, k: np.take_along_axis(same, distances.argsort(1)[:, :k], 1).mean(1),
     "misses the mean over"),
    ("edges", lambda images: np.abs(np.gradient(images.mean(1) / 255, axis=(1, 2))).sum(0), "√(a² + b²)"),
    ("edges", lambda images: np.hypot(*np.gradient(images / 255, axis=(2, 3))), "expected 2×6×6"),
    ("edges", lambda images: np.hypot(*np.gradient(images.mean(1), axis=(1, 2))), "divide by 255"),
    ("project", lambda points, lens: (points @ lens)[:, :2] / (points @ lens)[:, 2:], "points @ lens.T"),
    ("project", lambda points, lens: (points @ lens.T)[:, :2], "division by the depth is missing"),
    ("project", lambda points, lens: points @ lens.T / points[:, 2:], "a picture has two coordinates"),
    ("project", lambda points, lens: np.divide((lens @ points.T)[:2], points[:, 2]), "Your output is transposed"),
    ("difference_of_gaussians", lambda image, sigma, ratio=1.6:
     gaussian_filter(image, sigma) - gaussian_filter(image, ratio * sigma), "narrow one is to be subtracted"),
    ("difference_of_gaussians", lambda image, sigma, ratio=1.6:
     gaussian_filter(image, sigma + ratio) - gaussian_filter(image, sigma), "not sigma + ratio"),
    ("difference_of_gaussians", lambda image, sigma, ratio=1.6:
     gaussian_filter(image, 1.6 * sigma) - gaussian_filter(image, sigma), "wrong for ratio 2.0"),
    ("agreed", lambda fine, coarse, pixels: fine & (distance_transform_edt(coarse) <= pixels), "from the wrong places"),
    ("agreed", lambda fine, coarse, pixels: distance_transform_edt(~coarse) <= pixels, "`fine` is not asked"),
    ("agreed", lambda fine, coarse, pixels: fine & (distance_transform_edt(~coarse) < pixels), "≤, not <"),
    ("border_spread", lambda picture: spread(picture), "take the border only"),
    ("border_spread", lambda picture: spread(border(picture), np.mean), "take the median"),
    ("border_spread", lambda picture: spread(border(picture), axis=(1, 2)), "One colour serves for all rows"),
    ("chromaticity", lambda pictures: pictures / pictures.sum(1, keepdims=True), "is something divided by 0?"),
    ("chromaticity", lambda pictures: pictures / np.maximum(pictures.mean(1, keepdims=True), 1e-9), "not by their sum"),
    ("chromaticity", lambda pictures: pictures / pictures.sum((2, 3), keepdims=True),
     "sum over the channels of a pixel"),
    ("kmeans", kmeans_of_nothing, "NaN at 4 of 6 places; is something divided by 0?"),
    ("kmeans", kmeans_in_place, "You changed your input words in place"),
    ("kmeans", lambda points, words: _moved(points, words), "repeat until they stay"),
    ("columns_by_index", columns_down, "windows go down first"),
    ("columns_by_index", patches_down, "pixels of a patch go down first"),
    ("columns_by_index", one_too_few, "expected 4×4"),
    ("columns_by_index", lambda image, u: ref.im2col(image[None, None], u)[0].T, "Your output is transposed"),
    ("col2im_mean", lambda cols, output_size, kernel_size: ref.col2im(cols, output_size, kernel_size),
     "divide by how often that was"),
    ("col2im_mean", lambda cols, output_size, kernel_size:
     ref.col2im(cols, output_size, kernel_size) / kernel_size ** 2,
     "count for each pixel"),
    ("col2im_mean", lambda cols, output_size, kernel_size:
     col2im_mean(cols, output_size, kernel_size).swapaxes(2, 3),
     "the axes 2 and 3 are exchanged"),
    ("dilated_conv2d", lambda x, weight, dilation: ref.conv2d(x, weight),
     "Right for dilation 1, wrong for dilation 2: that is dilation 1"),
    ("dilated_conv2d", lambda x, weight, dilation: ref.conv2d(x, weight, stride=dilation), "which is the stride"),
    ("dilated_conv2d", dilated_by_one_more, "expected 5×5"),
    ("shortcut", shortcut_behind, "Right for channels 4, wrong for channels 8: all new channels stand behind"),
    ("shortcut", lambda x, channels, stride: np.concatenate([x[:, :, ::stride, ::stride]] * 2, 1)[:, :channels],
     "must hold zeros"),
    ("shortcut", lambda x, channels, stride: shortcut(x, channels, 1), "your output is 6×6, expected 3×3"),
    ("residual_backward", without_shortcut, "dx misses the shortcut"),
    ("residual_backward", through_relu, "must stop the gradient"),
    ("residual_backward", lambda dy, x, w1, w2: residual_backward(dy, x, w1, w2)[0],
     "returns one value, expected 3: dx, dw1, dw2"),
    ("batch_norm_backward", lambda dy, x, weight, bias, eps=1e-5: ref.batch_norm_eval_backward(
        dy, x, x.mean((0, *range(2, x.ndim))), x.var((0, *range(2, x.ndim))), weight, bias, eps),
     "your dx takes them for constants"),
    ("batch_norm_backward", lambda dy, x, weight, bias, eps=1e-5:
     [d if n != 2 else dy for n, d in enumerate(ref.batch_norm_backward(dy, x, weight, bias, eps))],
     "The gradient dbias misses the sum over the batch"),
    ("batch_norm_backward", lambda dy, x, weight, bias, eps=1e-5:
     ref.batch_norm_backward(dy, x, weight, bias, eps)[::-1], "the gradient dx is"),
    ("dropout_backward", lambda dy, x, mask, p=0.5: dy * mask, "must be scaled by 1 / (1 − p)"),
    ("dropout_backward", lambda dy, x, mask, p=0.5: mask / (1 - p), "dy, is not used"),
    ("dropout_backward", lambda dy, x, mask, p=0.5: dy * mask / p, "Right for p 0.5, wrong for p 0.2"),
    ("grad_cam", lambda activations, gradients: np.einsum("nkhw,nk->nhw", activations, gradients.mean((2, 3))),
     "the ReLU at the end is missing"),
    ("grad_cam", lambda activations, gradients: np.maximum((activations * gradients).sum(1), 0),
     "Each pixel is multiplied by its own gradient"),
    ("grad_cam", lambda activations, gradients:
     np.maximum(gradients.mean((2, 3), keepdims=True) * activations, 0).sum(1), "The ReLU comes before the sum"),
    ("grad_cam", lambda activations, gradients:
     np.maximum((gradients.mean((0, 2, 3))[:, None, None] * activations).sum(1), 0), "One weight for all pictures"),
    ("grad_cam", lambda activations, gradients:
     np.maximum((gradients.sum((2, 3), keepdims=True) * activations).sum(1), 0), "summed, not averaged"),

    ("off_by", lambda places, true, visible: halves(np.hypot(*(places - true).T).T, ~visible), "visible ones first"),
    ("off_by", lambda places, true, visible: halves(np.hypot(*(places - true).T).T, visible, np.mean),
     "take the median"),
    ("off_by", lambda places, true, visible: halves(((places - true) ** 2).sum(2), visible), "a root is missing"),
    ("off_by", lambda places, true, visible: halves(abs(places - true).sum(2), visible), "√(a² + b²)"),
    ("off_by", lambda places, true, visible: np.median(np.hypot(*(places - true).T).T[~visible]),
     "returns one value, expected 2: median of the hidden, median of the visible"),
    ("upside_down", lambda pictures: np.flip(pictures, 1), "a picture in a lake"),
    ("upside_down", lambda pictures: np.flip(pictures, 2), "a picture in a mirror"),
    ("upside_down", lambda pictures: np.flip(pictures), "The last picture comes first"),
    ("upside_down", lambda pictures: np.rot90(pictures, 1, (1, 2)), "a quarter of a turn"),
    ("on_canvas", lambda pictures, corners, width: pasted(pictures, corners[:, ::-1], width), "(row, column)"),
    ("on_canvas", lambda pictures, corners, width: pasted(pictures, corners, 48),
     "Right for width 48, wrong for width 9: the canvas is as wide as it was"),
    ("on_canvas", lambda pictures, corners, width: pasted(pictures, corners * 0 + corners[0], width),
     "lie where the first one does"),
    ("on_canvas", lambda pictures, corners, width: pasted(pictures, corners, width).sum(0),
     "your output is 9×9, expected 4×9×9"),
    ("moved", lambda pictures, steps: np.stack([np.roll(p, tuple(s), (0, 1)) for p, s in zip(pictures, steps)]),
     "comes in again on the other side"),
    ("moved", lambda pictures, steps: cut_out(pictures, steps, -1), "move the wrong way"),
    ("moved", lambda pictures, steps: cut_out(pictures, steps[:, ::-1]), "(across, down)"),
    ("moved", lambda pictures, steps: cut_out(pictures, steps, mode="edge"), "repeats the border"),
    ("moved", lambda pictures, steps: cut_out(pictures, [steps[0]] * len(steps)), "as the first one does"),
    ("pool_everywhere", lambda maps: maps.reshape(*maps.shape[:2], maps.shape[2] // 2, 2, -1, 2).max((3, 5)),
     "that is the pooling that halves"),
    ("pool_everywhere", lambda maps: windows_of(maps).mean((-2, -1)), "The mean is taken"),
    ("pool_everywhere", lambda maps: np.maximum(maps[:, :, :-1, :-1], maps[:, :, 1:, 1:]), "on one diagonal"),
    ("pool_everywhere", lambda maps: windows_of(np.pad(maps, ((0, 0), (0, 0), (0, 1), (0, 1)))).max((-2, -1)),
     "your output is 6×6, expected 5×5"),
    ("in_space", lambda a, size=9, alpha=1e-3, beta=0.75, k=2.0:
     a / (k + alpha * uniform_filter(a ** 2, size)) ** beta, "times the number of pixels"),
    ("in_space", lambda a, size=9, alpha=1e-3, beta=0.75, k=2.0:
     a / (k + alpha * (size ** 2 * uniform_filter(a, size)) ** 2 / size ** 2) ** beta, "square first"),
    ("in_space", lambda a, size=9, alpha=1e-3, beta=0.75, k=2.0:
     a / (k + alpha * size ** 2 * uniform_filter(a ** 2, size)), "power beta is missing"),
    ("in_space", lambda a, size=9, alpha=1e-3, beta=0.75, k=2.0:
     a / (2 + alpha * size ** 2 * uniform_filter(a ** 2, size)) ** beta, "Right for k 2.0, wrong for k 1.0"),
    ("in_space", lambda a, size=9, alpha=1e-3, beta=0.75, k=2.0:
     a * (k + alpha * size ** 2 * uniform_filter(a ** 2, size)) ** beta, "divide by it"),
    ("identity_kernel", lambda channels, size: one_at(size // 2, np.ones((channels, channels)), size),
     "Right for channels 1, wrong for channels 3: each kernel sees all maps"),
    ("identity_kernel", lambda channels, size: one_at(0, np.eye(channels), size), "in the corner of the window"),
    ("identity_kernel", lambda channels, size: np.eye(channels)[:, :, None, None] * np.ones((size, size)),
     "The whole window is added up"),
    ("identity_kernel", lambda channels, size: one_at(size // 2, np.eye(channels), size)[:, 0],
     "expected 1×1×3×3"),
    ("pooled", lambda maps: both(maps.reshape(*maps.shape[:2], maps.shape[2] // 2, -1, 4)), "four in a row"),
    ("pooled", lambda maps: both(blocks(maps))[::-1], "the maxima come first"),
    ("pooled", lambda maps: (blocks(maps).max(-1), blocks(maps).sum(-1)), "The sum of a window"),
    ("pooled", lambda maps: both(windows_of(maps).reshape(*maps[:, :, 1:, 1:].shape, 4)), "Your windows overlap"),
    ("shared_dropout", lambda x, chance, p=0.5: np.where(chance < p, 0, x), "must be scaled by 1 / (1 − p)"),
    ("shared_dropout", lambda x, chance, p=0.5: np.where(chance < p, 0, x / p),
     "Right for p 0.5, wrong for p 0.2: the scale is 1 / (1 − p)"),
    ("shared_dropout", lambda x, chance, p=0.5: np.where(chance < p, x / (1 - p), 0), "keep the rest"),
    ("shared_dropout", lambda x, chance, p=0.5: np.where(chance[:, None] < p, 0, x / (1 - p)),
     "you drop whole examples"),
    ("shuffle_bits", lambda counts: lgamma(sum(counts) + 1) - sum(lgamma(n + 1) for n in counts),
     "natural logarithms"),
    ("shuffle_bits", lambda counts: lgamma(sum(counts) + 1) / np.log(2), "all orders of n things"),
    ("shuffle_bits", lambda counts: (lgamma(sum(counts)) - sum(map(lgamma, counts))) / np.log(2), "(n − 1)!"),
    ("shuffle_bits", lambda counts: -sum(n * np.log2(n / sum(counts)) for n in counts), "n times the entropy"),
    ("shuffle_bits", lambda counts: np.log2(np.cumprod(1.0 + np.arange(sum(counts)))[-1] / np.prod(
        [np.prod(1.0 + np.arange(n)) for n in counts])),
     "Right for a short list, wrong for a million names: your output is NaN"),
    ("sun_on_the_right", lambda sun, camera: sun > camera,
     "Right for a sun within the same turn, wrong for a sun beyond a full turn: an angle of 370° is one of 10°"),
    ("sun_on_the_right", lambda sun, camera: (camera - sun) % 360 < 180, "the sun on the left"),
    ("sun_on_the_right", lambda sun, camera: abs((sun - camera + 180) % 360 - 180) < 90, "not to its right"),
    ("sun_on_the_right", lambda sun, camera: sun % 360 < 180, "The camera is not asked"),
    ("energy", lambda maps, masks: (maps * masks).sum((1, 2)) / maps.sum((1, 2)), "take only the positive part"),
    ("energy", lambda maps, masks: (np.maximum(maps, 0) * masks).sum((1, 2)) / masks.sum((1, 2)),
     "divide by all the light"),
    ("energy", lambda maps, masks: (np.maximum(maps, 0) * masks).sum((1, 2)) / np.maximum(maps, 0).sum((1, 2)),
     "Right for maps with light, wrong for maps without light: your output is NaN at 2 of 3 places"),
    ("energy", lambda maps, masks: np.nan_to_num(
        (np.maximum(maps, 0) * masks).sum((1, 2)) / np.maximum(maps, 0).sum((1, 2))), "counts as an even one"),
    ("energy", lambda maps, masks: (np.maximum(maps, 0) * masks).sum() / np.maximum(maps, 0).sum(),
     "one share for all maps together"),
]


@pytest.mark.parametrize("name, attempt, sentence", PLANTED)
def test_a_planted_mistake_is_named(name, attempt, sentence):
    assert sentence.lower() in plain(said(name, attempt)).lower()


@pytest.mark.course
def test_every_exercise_of_a_chapter_has_three_planted_mistakes():
    chapters = (Path(__file__).parents[2] / "chapters").glob("*.py")
    asked = {name for chapter in chapters for name in re.findall(r"^check\((\w+)\)$", chapter.read_text("utf-8"), re.M)}
    planted = [name for name, *_ in PLANTED]
    assert CHAPTERS.keys() < asked
    assert {name: planted.count(name) for name in asked if planted.count(name) < 3} == {}


# disasters

def swallow_all(x):
    while True:
        try:
            time.sleep(0)
        except:  # noqa: E722, which is the point
            pass


def sleep(x):
    time.sleep(60)


def leave(x):
    sys.exit("good bye")


def recurse(x):
    return recurse(x)


def flood(x):
    for _ in range(10_000):
        print("moo " * 100)
    sys.stderr.write("moo")
    return ref.relu(x)


def overwrite(x):
    x[x < 0] = 0
    return x


def retype(x):
    x.dtype = "S8"
    return np.zeros((3, 4))


def yield_(x):
    yield ref.relu(x)


def steal_the_output(x):
    sys.stdout = sys.stderr = None
    return 0 * x


def raise_(x):
    y = x + 1
    return y @ x


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError


def unspeakable(x):
    raise Unspeakable


def without_source(x):
    return 1 / 0


without_source.__code__ = compile("def f(x):\n    return x.cow", "<nowhere>", "exec").co_consts[0]

DISASTERS = [
    (unspeakable, "with Unspeakable."),
    (without_source, "it stops in line 2 with AttributeError"),
    (raise_, "it stops in line ", "`return y @ x`", "ValueError: matmul"),
    (leave, "SystemExit: good bye"),
    (recurse, "RecursionError"),
    (sleep, "It does not end: after 0.2 s"),
    (swallow_all, "It does not end: after 0.2 s"),
    (overwrite, "You changed your input x in place: work on a copy."),
    (retype, "You changed your input x in place"),
    (lambda x: np.maximum(x, 0, out=x), "You changed your input x in place"),
    (steal_the_output, "Your output is 0 everywhere"),
    (yield_, "Your output is a generator, expected a NumPy array of numbers."),
    (lambda x: np.broadcast_to(1.0, (10 ** 6, 10 ** 6)), "Your output is 1000000×1000000, expected 3×4."),
    (lambda x: np.zeros((1,) * 30), "Your output is 1×1×"),
    (lambda x: (ref.relu(x),), "Your output is a tuple"),
    (lambda x: None, "returns None; is there a `return`?"),
    (lambda x: "moo", "Your output is a str, expected a NumPy array of numbers"),
    (lambda x: ref.relu(x).tolist(), "Your output is a list, expected a NumPy array"),
    (lambda x: ref.relu(x).astype(object), "an array of object"),
    (lambda x: ref.relu(x) + 0j, "an array of complex128"),
    (lambda x: (v for v in x), "a generator"),
    (lambda x: ref.relu(x) / np.zeros(x.shape), "NaN at"),
    (lambda x: np.full(x.shape, np.inf), "infinite at 12 of 12 places"),
    (lambda x: 0 * x, "Your output is 0 everywhere"),
    (lambda x: 1.25 * ref.relu(x), "off by a factor 1.25"),
    (lambda x: ref.relu(x)[::-1], "reversed along axis 0"),
    (lambda x: ref.relu(x) + np.arange(3)[:, None], "right in the first row and wrong in all others"),
    (lambda x: ref.relu(x) + (np.arange(4) == 3), "wrong in the last column 3 only"),
    (lambda x: ref.relu(x).ravel().reshape(4, 3), "the numbers are right, but your output is 4×3, expected 3×4"),
    (lambda x: np.random.default_rng(0).permuted(ref.relu(x)), "the right numbers in the wrong places"),
    (lambda x: ref.relu(x + 5 * x ** 2), "numbers of your output are wrong, at [0, 0] first"),
    (lambda a, b: a, "relu: cannot be called. Expected relu(x), got relu(a, b)."),
]


@pytest.mark.parametrize("attempt, sentences", [(a, s) for a, *s in DISASTERS])
def test_whatever_an_attempt_does_the_checker_says_it(attempt, sentences):
    report = plain(said("relu", attempt, seconds=0.2))
    assert all(sentence.lower() in report.lower() for sentence in sentences), report


def test_an_endless_loop_leaves_neither_an_alarm_nor_the_next_cases():
    start = time.monotonic()
    said("conv2d", lambda x, weight, bias=None, stride=1, padding=0, groups=1: sleep(x), seconds=0.2)
    assert time.monotonic() - start < 1
    time.sleep(0.05)  # an alarm that still rang would end the test


def test_a_flood_is_captured_and_cut(capfd):
    flood.__name__ = "relu"
    report = check(flood)
    assert report.passed and len(repr(report)) < 400 and "characters more" in repr(report)
    assert capfd.readouterr() == ("", "")


def state():
    """What an attempt could leave behind: an alarm, its handler, a limit of memory, a place to print to."""
    limits = resource.getrlimit(resource.RLIMIT_AS) if resource else None
    return signal.getitimer(signal.ITIMER_REAL), signal.getsignal(signal.SIGALRM), limits, sys.stdout, sys.stderr


@pytest.mark.parametrize("attempt", [raise_, leave, recurse, swallow_all, steal_the_output, flood, ref.relu])
def test_an_attempt_leaves_nothing_behind(attempt):
    before = state()
    attempt.__name__ = "relu"
    check(attempt, seconds=0.2)
    assert state() == before


@pytest.fixture
def interruptible():
    """Python answers Ctrl-C, also where it was started in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_of_the_reader_passes_and_leaves_nothing_behind(interruptible):
    def relu(x):
        signal.raise_signal(signal.SIGINT)  # Ctrl-C
        while True:
            pass

    before = state()
    with pytest.raises(KeyboardInterrupt):
        check(relu, seconds=5)
    assert state() == before


def test_a_reader_stops_the_cell_of_a_notebook():
    attempt = """import os, signal, threading
def relu(x):
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    while True:
        pass"""
    cells = ["from dtwin import check", attempt, "check(relu, seconds=60)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name="python3", timeout=60, allow_errors=True).execute()
    assert [output.ename for output in notebook.cells[2].outputs] == ["KeyboardInterrupt"]


@pytest.mark.skipif(sys.platform != "linux", reason="memory can be limited on Linux only")
def test_a_memory_hog_is_stopped_at_once(monkeypatch):
    def relu(x):
        kept = []
        while True:
            kept.append(np.ones(10 ** 6))

    monkeypatch.setattr("dtwin.check.guard.MEMORY", 2 ** 28)
    report = plain(said("relu", relu))
    assert "It needs more and more memory: it stops in line " in report
    assert "`kept.append(np.ones(10 ** 6))`, with MemoryError: Unable to allocate" in report
    assert "in all" not in report  # the other cases are spared


def test_an_array_or_a_list_that_an_attempt_keeps_and_writes_to_again_does_no_harm():
    arrays, results = {}, []

    def tanh(x):
        return np.tanh(x, out=arrays.setdefault(x.shape, np.empty(x.shape)))

    def linear_backward(dy, x, weight, bias=None):
        results[:] = ref.linear_backward(dy, x, weight, bias)
        return results

    assert check(tanh) and check(linear_backward)
    assert len(arrays) < len(EXERCISES["tanh"].calls)  # one of them was written to twice


def test_a_view_of_the_input_is_an_answer():
    def upside_down(pictures):
        return pictures[:, ::-1, ::-1]

    assert check(upside_down)


def test_the_cases_are_the_same_after_an_attempt_that_wrote_to_them():
    said("relu", overwrite)
    assert check(ref.relu)


def test_an_attempt_may_leave_options_out_and_is_told():
    def conv2d(x, weight, stride=1):
        return ref.conv2d(x, weight, stride=stride)

    report = check(conv2d)
    assert report and "Not tried, since your function does not take it: bias, padding, groups." in repr(report)


def test_in_another_thread_there_is_no_alarm_and_the_answer_is_the_same():
    found = []
    thread = threading.Thread(target=lambda: found.append(check(ref.conv2d)))
    thread.start()
    thread.join()
    assert repr(found[0]) == repr(check(ref.conv2d))


@pytest.mark.parametrize("attempt, error, message", [
    (42, TypeError, "check: got int, expected a function"),
    (max, TypeError, "check: got builtin_function_or_method, expected a function"),
    (types.SimpleNamespace(__name__="relu"), TypeError, "check: got SimpleNamespace"),
    (io.StringIO, ValueError, "check: got a function called 'StringIO', expected the name of an exercise"),
])
def test_what_is_no_exercise_is_refused(attempt, error, message):
    with pytest.raises(error, match=message):
        check(attempt)


def test_a_name_that_is_nearly_right_is_guessed():
    def conv2():
        pass

    with pytest.raises(ValueError, match="expected the name of an exercise: conv2d"):
        check(conv2)


def test_the_package_is_cheap_until_the_checker_is_asked_for():
    code = ["import sys, dtwin", "assert 'numpy' not in sys.modules", "from dtwin import ref", "assert dtwin.check(ref.relu)"]
    subprocess.run([sys.executable, "-c", "\n".join(code)], check=True)
    with pytest.raises(AttributeError, match="no attribute 'cow'"):
        dtwin.cow


def test_it_answers_in_a_notebook_of_functions_that_cannot_be_pickled_and_do_not_end():
    cells = ["from dtwin import check\ndef relu(x):\n    while True:\n        pass", "check(relu, seconds=0.2)",
             "def relu(x):\n    y = x.copy()\n    return y.cow", "check(relu)"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name="python3", timeout=60).execute()
    first, second = (notebook.cells[n].outputs[0].data["text/plain"] for n in (1, 3))
    assert "It does not end: after 0.2 s" in first
    assert "in line 3, `return y.cow`, with AttributeError" in plain(second)
