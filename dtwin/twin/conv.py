"""Convolution: the library's own, as a product of matrices, and the definition in plain loops."""

from torch.nn import functional as F

from .shapes import expect, output_size as size_after, pair, shapes


def im2col(x, kernel_size, stride=1, padding=0):
    """Every patch under the kernel as a column: x (N, C, H, W) → (N, C·kh·kw, oh·ow)."""
    return F.unfold(x, kernel_size, stride=stride, padding=padding)


def col2im(cols, output_size, kernel_size, stride=1, padding=0):
    """Add columns back to where `im2col` took them: (N, C·kh·kw, oh·ow) → (N, C, *output_size)."""
    return F.fold(cols, output_size, kernel_size, stride=stride, padding=padding)


def conv2d(x, weight, bias=None, stride=1, padding=0, groups=1):
    """The fastest convolution the device has (cuDNN on a GPU).

    x (N, C, H, W), weight (O, C/groups, kh, kw), bias (O,) → (N, O, oh, ow).
    """
    return F.conv2d(x, weight, bias, stride, padding, groups=groups)


def conv2d_im2col(x, weight, bias=None, stride=1, padding=0, groups=1):
    """Convolution as weights times the columns of `im2col`, to compare with `conv2d`."""
    size = _output_size("conv2d_im2col", x, weight, bias, stride, padding, groups)
    cols = im2col(x, weight.shape[2:], stride, padding).unflatten(1, (groups, -1))
    y = weight.reshape(groups, len(weight) // groups, -1) @ cols  # (N, groups, O/groups, oh·ow)
    y = y.reshape(len(x), len(weight), *size)
    return y if bias is None else y + bias[:, None, None]


def conv2d_loops(x, weight, bias=None, stride=1, padding=0, groups=1):
    """Convolution by its definition, one number of the output at a time; shapes as in `conv2d`."""
    oh, ow = _output_size("conv2d_loops", x, weight, bias, stride, padding, groups)
    (sh, sw), (ph, pw), (out, depth, kh, kw) = pair(stride), pair(padding), weight.shape
    x = F.pad(x, (pw, pw, ph, ph))
    y = x.new_zeros(len(x), out, oh, ow)
    for image in range(len(x)):
        for o in range(out):
            first = o // (out // groups) * depth  # input channel where this output's group begins
            for r in range(oh):
                for c in range(ow):
                    patch = x[image, first:first + depth, r * sh:r * sh + kh, c * sw:c * sw + kw]
                    y[image, o, r, c] = (patch * weight[o]).sum()
    return y if bias is None else y + bias[:, None, None]


def _output_size(function, x, weight, bias, stride, padding, groups):
    expect(x.ndim == 4 and weight.ndim == 4
           and x.shape[1] == weight.shape[1] * groups and len(weight) % groups == 0
           and (bias is None or bias.shape == weight.shape[:1]),
           function, f"{shapes(x=x, weight=weight, bias=bias)}, groups={groups}",
           "x (N, C, H, W), weight (O, C/groups, kh, kw), bias (O,), groups a divisor of C and O")
    return size_after(function, x.shape[2:], weight.shape[2:], stride, padding)
