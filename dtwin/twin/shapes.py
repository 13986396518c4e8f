"""What the operators ask of their arguments where PyTorch would not ask."""


def expect(ok, function, came, expected):
    """Raise a `ValueError` that names the function, what came and what was expected, unless `ok`."""
    if not ok:
        raise ValueError(f"{function}: got {came}, expected {expected}")


def shapes(**tensors):
    """Name the shapes of the given tensors, for a message."""
    return ", ".join(f"{name} {tuple(t.shape)}" for name, t in tensors.items())


def pair(value):
    """Read an option as PyTorch does: one number stands for both height and width."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)
