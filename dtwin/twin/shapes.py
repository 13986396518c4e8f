"""What the operators ask of their arguments where PyTorch would not ask."""


def expect(ok, function, came, expected):
    """Raise a `ValueError` that names the function, what came and what was expected, unless `ok`."""
    if not ok:
        raise ValueError(f"{function}: got {came}, expected {expected}")


def shapes(**tensors):
    """Name the shapes of the given tensors, for a message."""
    return ", ".join(f"{name} {None if t is None else tuple(t.shape)}" for name, t in tensors.items())


def pair(value):
    """Read an option as PyTorch does: one number stands for both height and width."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def output_size(function, size, kernel_size, stride, padding):
    """Height and width of the feature map: floor((size + 2·padding − kernel) / stride) + 1."""
    (h, w), (kh, kw), (sh, sw), (ph, pw) = map(pair, (size, kernel_size, stride, padding))
    came = f"kernel_size={(kh, kw)}, stride={(sh, sw)}, padding={(ph, pw)}"
    expect(min(kh, kw, sh, sw) > 0 <= min(ph, pw), function, came,
           "kernel_size and stride of at least 1, padding of at least 0")
    expect(kh <= h + 2 * ph and kw <= w + 2 * pw, function, f"{came} on an image of {(h, w)}",
           "a kernel no larger than the padded image")
    return (h + 2 * ph - kh) // sh + 1, (w + 2 * pw - kw) // sw + 1
