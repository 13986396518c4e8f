"""Convolution: as a product of matrices, and by its definition in plain loops."""

import math

import numpy as np

from .shapes import expect, expect_gradient, output_size as size_after, pair, shapes
from .windows import add_to_windows, crop, pad, padded_shape, windows

BLOCK = 4 * 2**20  # bytes of columns and product at a time, few enough to be in the cache still when used


def im2col(x, kernel_size, stride=1, padding=0):
    """Every patch under the kernel as a column: x (N, C, H, W) → (N, C·kh·kw, oh·ow)."""
    _check_im2col(x, kernel_size, stride, padding)
    view = windows(pad(x, padding), kernel_size, stride)  # (C, kh, kw, N, oh, ow)
    c, kh, kw, n, oh, ow = view.shape
    return np.moveaxis(view, 3, 0).copy().reshape(n, c * kh * kw, oh * ow)


def im2col_backward(dy, x, kernel_size, stride=1, padding=0):
    """Gradient of `im2col`: every pixel collects from all the columns it was copied to."""
    expect_gradient("im2col", dy, _check_im2col(x, kernel_size, stride, padding))
    return col2im(dy, x.shape[2:], kernel_size, stride, padding)


def col2im(cols, output_size, kernel_size, stride=1, padding=0):
    """Add columns back to where `im2col` took them: (N, C·kh·kw, oh·ow) → (N, C, *output_size)."""
    shape = _check_col2im(cols, output_size, kernel_size, stride, padding)
    x = np.zeros(padded_shape(shape, padding), cols.dtype)
    view = windows(x, kernel_size, stride)  # (C, kh, kw, N, oh, ow)
    cols = cols.reshape(len(cols), *view.shape[:3], *view.shape[4:])
    add_to_windows(view, np.moveaxis(cols, 0, 3))
    return crop(x, padding)


def col2im_backward(dy, cols, output_size, kernel_size, stride=1, padding=0):
    """Gradient of `col2im`: `im2col`, for each is the transpose of the other."""
    expect_gradient("col2im", dy, _check_col2im(cols, output_size, kernel_size, stride, padding))
    return im2col(dy, kernel_size, stride, padding)


def conv2d(x, weight, bias=None, stride=1, padding=0, groups=1):
    """Convolution as a product of matrices: the weights times the columns of `im2col`.

    x (N, C, H, W), weight (O, C/groups, kh, kw), bias (O,) → (N, O, oh, ow). The columns are made
    and used block by block (Chellapilla et al. 2006 make them all at once).
    """
    n, out, oh, ow = _check_conv("conv2d", x, weight, bias, stride, padding, groups)
    w = weight.reshape(groups, out // groups, -1)
    y = np.empty((out, n, oh, ow), _dtype(x, weight, bias))  # channels first, as products come
    for images, rows, view in _blocks(x, weight, stride, padding, oh, ow):
        product = y[:, images, rows].reshape(groups, w.shape[1], -1)  # not copied: a part of y
        np.matmul(w, _columns(view, groups), out=product)
        if bias is not None:
            product += bias.reshape(groups, -1, 1)
    return y.swapaxes(0, 1)


def conv2d_backward(dy, x, weight, bias=None, stride=1, padding=0, groups=1):
    """Gradients (dx, dweight, dbias) of `conv2d`; dbias is None without a bias."""
    expect_gradient("conv2d", dy, _check_conv("conv2d", x, weight, bias, stride, padding, groups))
    w = weight.reshape(groups, len(weight) // groups, -1)
    dtype = np.result_type(dy, x, weight)
    dw, dx = np.zeros(w.shape, dtype), np.zeros(padded_shape(x.shape, padding), dtype)
    dview = windows(dx, weight.shape[2:], stride)
    for images, rows, view in _blocks(x, weight, stride, padding, *dy.shape[2:]):
        dproduct = dy[images, :, rows].swapaxes(0, 1).reshape(groups, w.shape[1], -1)
        dw += dproduct @ _columns(view, groups).swapaxes(1, 2)
        dcols = w.swapaxes(1, 2) @ dproduct
        add_to_windows(dview[:, :, :, images, rows], dcols.reshape(view.shape))
    dbias = None if bias is None else dy.sum(axis=(0, 2, 3))
    return crop(dx, padding), dw.reshape(weight.shape), dbias


def conv2d_loops(x, weight, bias=None, stride=1, padding=0, groups=1):
    """Convolution by its definition, one number of the output at a time; shapes as in `conv2d`."""
    n, out, oh, ow = _check_conv("conv2d_loops", x, weight, bias, stride, padding, groups)
    (sh, sw), (_, depth, kh, kw) = pair(stride), weight.shape
    x = pad(x, padding)
    y = np.zeros((n, out, oh, ow), _dtype(x, weight, bias))
    for image in range(n):
        for o in range(out):
            first = o // (out // groups) * depth  # input channel where this output's group begins
            for r in range(oh):
                for c in range(ow):
                    patch = x[image, first:first + depth, r * sh:r * sh + kh, c * sw:c * sw + kw]
                    y[image, o, r, c] = (patch * weight[o]).sum()
    return y if bias is None else y + bias[:, None, None]


def conv2d_loops_backward(dy, x, weight, bias=None, stride=1, padding=0, groups=1):
    """Gradients (dx, dweight, dbias): each output number sends its gradient to all that made it."""
    shape = _check_conv("conv2d_loops", x, weight, bias, stride, padding, groups)
    expect_gradient("conv2d_loops", dy, shape)
    (n, out, oh, ow), (sh, sw), (_, depth, kh, kw) = shape, pair(stride), weight.shape
    x = pad(x, padding)
    dtype = np.result_type(dy, x, weight)
    dx, dw = np.zeros(x.shape, dtype), np.zeros(weight.shape, dtype)
    for image in range(n):
        for o in range(out):
            first = o // (out // groups) * depth
            for r in range(oh):
                for c in range(ow):
                    at = np.s_[image, first:first + depth, r * sh:r * sh + kh, c * sw:c * sw + kw]
                    dx[at] += dy[image, o, r, c] * weight[o]
                    dw[o] += dy[image, o, r, c] * x[at]
    return crop(dx, padding), dw, None if bias is None else dy.sum(axis=(0, 2, 3))


def _dtype(x, weight, bias):
    return np.result_type(x, weight, *([] if bias is None else [bias]))


def _blocks(x, weight, stride, padding, oh, ow):
    # (images, output rows, their windows) block by block: whole images, or rows of one
    out, _, *kernel_size = weight.shape
    depth = x.shape[1] * math.prod(kernel_size) + out  # of the columns and of the product
    fit = max(1, BLOCK // (depth * ow * x.itemsize))  # rows in a block
    images, rows = max(1, fit // oh), math.ceil(oh / math.ceil(oh / fit))  # shares of equal size
    for first, batch in zip(range(0, len(x), images), _batches(x, images, padding)):
        view = windows(batch, kernel_size, stride)
        for row in range(0, oh, rows):
            yield (slice(first, first + images), slice(row, row + rows),
                   view[:, :, :, :, row:row + rows])


def _columns(view, groups):
    # copied here: (C, kh, kw, N, oh, ow) → (groups, C/groups·kh·kw, N·oh·ow)
    return view.reshape(groups, math.prod(view.shape[:3]) // groups, -1)


def _batches(x, images, padding):
    # as many images at a time, padded in one buffer for all, or as they are if there is no padding
    batches = (x[first:first + images] for first in range(0, len(x), images))
    if not any(pair(padding)):
        yield from batches
        return
    buffer = np.zeros(padded_shape(x[:images].shape, padding), x.dtype)
    for batch in batches:
        crop(buffer, padding)[:len(batch)] = batch
        yield buffer[:len(batch)]


def _check_im2col(x, kernel_size, stride, padding):
    expect(x.ndim == 4, "im2col", shapes(x=x), "x (N, C, H, W)")
    oh, ow = size_after("im2col", x.shape[2:], kernel_size, stride, padding)
    kh, kw = pair(kernel_size)
    return len(x), x.shape[1] * kh * kw, oh * ow


def _check_col2im(cols, size, kernel_size, stride, padding):
    kh, kw = pair(kernel_size)
    oh, ow = size_after("col2im", size, kernel_size, stride, padding)
    expect(cols.ndim == 3 and cols.shape[1] % (kh * kw) == 0 and cols.shape[2] == oh * ow,
           "col2im", shapes(cols=cols), f"cols (N, C·{kh * kw}, {oh * ow})")
    return len(cols), cols.shape[1] // (kh * kw), *size


def _check_conv(function, x, weight, bias, stride, padding, groups):
    expect(x.ndim == 4 and weight.ndim == 4
           and x.shape[1] == weight.shape[1] * groups and len(weight) % groups == 0
           and (bias is None or bias.shape == weight.shape[:1]),
           function, f"{shapes(x=x, weight=weight, bias=bias)}, groups={groups}",
           "x (N, C, H, W), weight (O, C/groups, kh, kw), bias (O,), groups a divisor of C and O")
    size = size_after(function, x.shape[2:], weight.shape[2:], stride, padding)
    return len(x), len(weight), *size
