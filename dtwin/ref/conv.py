"""Convolution: the definition in plain loops, and as a product of matrices."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .shapes import expect, output_size, pair, shapes


def im2col(x, kernel_size, stride=1, padding=0):
    """Every patch under the kernel as a column: x (N, C, H, W) → (N, C·kh·kw, oh·ow)."""
    expect(x.ndim == 4, "im2col", f"x {x.shape}", "x (N, C, H, W)")
    oh, ow = output_size("im2col", x.shape[2:], kernel_size, stride, padding)
    patches = _patches(x, kernel_size, stride, padding)  # (C, kh, kw, N, oh, ow)
    return np.moveaxis(patches, 3, 0).reshape(len(x), -1, oh * ow)


def im2col_backward(dy, x, kernel_size, stride=1, padding=0):
    """Gradient of `im2col`: every pixel collects from all columns it was copied to."""
    return col2im(dy, x.shape[2:], kernel_size, stride, padding)


def col2im(cols, output_size, kernel_size, stride=1, padding=0):
    """Add columns back to where `im2col` took them: (N, C·kh·kw, oh·ow) → (N, C, *output_size)."""
    (kh, kw), (sh, sw), (ph, pw) = map(pair, (kernel_size, stride, padding))
    h, w = output_size
    oh, ow = _check_cols(cols, output_size, kernel_size, stride, padding)
    cols = cols.reshape(len(cols), -1, kh, kw, oh, ow)
    x = np.zeros((len(cols), cols.shape[1], h + 2 * ph, w + 2 * pw), cols.dtype)
    for i in range(kh):
        for j in range(kw):
            x[:, :, i:i + sh * oh:sh, j:j + sw * ow:sw] += cols[:, :, i, j]
    return x[:, :, ph:ph + h, pw:pw + w]


def col2im_backward(dy, cols, output_size, kernel_size, stride=1, padding=0):
    """Gradient of `col2im`: `im2col`, for the two are transposes of each other."""
    return im2col(dy, kernel_size, stride, padding)


def conv2d(x, weight, bias=None, stride=1, padding=0, groups=1):
    """Convolution as a product of matrices, weights times the columns of `im2col`.

    x (N, C, H, W), weight (O, C/groups, kh, kw), bias (O,) → (N, O, oh, ow).
    """
    oh, ow = _check_conv("conv2d", x, weight, bias, stride, padding, groups)
    patches = _patches(x, weight.shape[2:], stride, padding)
    w = weight.reshape(groups, len(weight) // groups, -1)
    y = np.empty((len(x), len(weight), oh, ow), np.result_type(x, weight))
    for n in range(len(x)):
        cols = patches[:, :, :, n].reshape(groups, w.shape[2], oh * ow)
        y[n] = (w @ cols).reshape(len(weight), oh, ow)
    return y if bias is None else y + bias[:, None, None]


def conv2d_backward(dy, x, weight, bias=None, stride=1, padding=0, groups=1):
    """Gradients (dx, dweight, dbias) of `conv2d`; dbias is None without a bias."""
    _check_conv("conv2d", x, weight, bias, stride, padding, groups)
    patches = _patches(x, weight.shape[2:], stride, padding)
    w = weight.reshape(groups, len(weight) // groups, -1)
    dx, dw = np.empty_like(x), np.zeros_like(w)
    for n in range(len(x)):
        dyn = dy[n].reshape(groups, w.shape[1], -1)
        cols = patches[:, :, :, n].reshape(groups, w.shape[2], -1)
        dw += dyn @ cols.swapaxes(1, 2)
        dcols = (w.swapaxes(1, 2) @ dyn).reshape(1, -1, dyn.shape[2])
        dx[n] = col2im(dcols, x.shape[2:], weight.shape[2:], stride, padding)[0]
    return dx, dw.reshape(weight.shape), None if bias is None else dy.sum(axis=(0, 2, 3))


def conv2d_loops(x, weight, bias=None, stride=1, padding=0, groups=1):
    """Convolution by its definition, one output number at a time; shapes as in `conv2d`."""
    oh, ow = _check_conv("conv2d_loops", x, weight, bias, stride, padding, groups)
    (sh, sw), (out, depth, kh, kw) = pair(stride), weight.shape
    x = _pad(x, padding)
    y = np.zeros((len(x), out, oh, ow), np.result_type(x, weight))
    for n in range(len(x)):
        for o in range(out):
            first = o // (out // groups) * depth  # first input channel of this group
            for r in range(oh):
                for c in range(ow):
                    patch = x[n, first:first + depth, r * sh:r * sh + kh, c * sw:c * sw + kw]
                    y[n, o, r, c] = (patch * weight[o]).sum()
    return y if bias is None else y + bias[:, None, None]


def conv2d_loops_backward(dy, x, weight, bias=None, stride=1, padding=0, groups=1):
    """Gradients (dx, dweight, dbias): every output sends its gradient to all that made it."""
    oh, ow = _check_conv("conv2d_loops", x, weight, bias, stride, padding, groups)
    (sh, sw), (ph, pw), (out, depth, kh, kw) = pair(stride), pair(padding), weight.shape
    h, w = x.shape[2:]
    x = _pad(x, padding)
    dx, dw = np.zeros_like(x), np.zeros_like(weight)
    for n in range(len(x)):
        for o in range(out):
            first = o // (out // groups) * depth
            for r in range(oh):
                for c in range(ow):
                    at = np.s_[n, first:first + depth, r * sh:r * sh + kh, c * sw:c * sw + kw]
                    dx[at] += dy[n, o, r, c] * weight[o]
                    dw[o] += dy[n, o, r, c] * x[at]
    dx = dx[:, :, ph:ph + h, pw:pw + w]
    return dx, dw, None if bias is None else dy.sum(axis=(0, 2, 3))


def _pad(x, padding, value=0):
    ph, pw = pair(padding)
    return np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=value)


def _patches(x, kernel_size, stride, padding):
    # all patches as a view of the padded image: (C, kh, kw, N, oh, ow), nothing copied yet
    sh, sw = pair(stride)
    view = sliding_window_view(_pad(x, padding), pair(kernel_size), axis=(2, 3))
    return view[:, :, ::sh, ::sw].transpose(1, 4, 5, 0, 2, 3)


def _check_cols(cols, size, kernel_size, stride, padding):
    kh, kw = pair(kernel_size)
    oh, ow = output_size("col2im", size, kernel_size, stride, padding)
    expect(cols.ndim == 3 and cols.shape[1] % (kh * kw) == 0 and cols.shape[2] == oh * ow,
           "col2im", f"cols {cols.shape}", f"cols (N, C·{kh * kw}, {oh * ow})")
    return oh, ow


def _check_conv(function, x, weight, bias, stride, padding, groups):
    expect(x.ndim == 4 and weight.ndim == 4 and groups >= 1
           and x.shape[1] == weight.shape[1] * groups and len(weight) % groups == 0
           and (bias is None or bias.shape == weight.shape[:1]),
           function, f"{shapes(x=x, weight=weight, bias=bias)}, groups={groups}",
           "x (N, C, H, W), weight (O, C/groups, kh, kw), bias (O,), groups a divisor of C and O")
    return output_size(function, x.shape[2:], weight.shape[2:], stride, padding)
