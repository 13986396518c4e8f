"""Is a gradient the slope of its function? Asked numerically, in NumPy alone."""

import numpy as np

STEP = 1e-6  # of the order of ∛ε, where the central difference in float64 is most accurate
FLOOR = 1e-2  # below this slope an error counts absolutely, so that a slope of 0 can be checked


def gradient_errors(f, f_backward, *args, seed=0, wrt=None, **options):
    """Relative error of each gradient of `f_backward`, by central differences along random directions.

    The scalar `(dy * f(*args)).sum()`, with a random `dy`, has the gradients
    `f_backward(dy, *args, **options)`. One array after the other moves along a random direction;
    a right gradient is off by about 1e-9, one that is 0.1 % wrong by 5e-4.

    Args:
        f: a function of arrays that returns one array.
        f_backward: returns the gradients of the arrays in `wrt`, in order; None for one left out.
        *args: the arguments of `f`, arrays in float64.
        seed: of the random directions.
        wrt: positions in `args` of what is differentiated; by default every float array.
        **options: passed to both functions.

    Returns:
        One relative error per gradient.
    """
    rng = np.random.default_rng(seed)
    if wrt is None:
        wrt = [i for i, a in enumerate(args) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    if any(args[i].dtype != np.float64 for i in wrt):
        raise ValueError(f"gradient_errors: got {[str(args[i].dtype) for i in wrt]}, expected arrays in float64; a "
                         "smaller type is all noise")
    dy = rng.normal(size=np.shape(f(*args, **options)))
    gradients = f_backward(dy, *args, **options)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    gradients = [g for g in gradients if g is not None]
    if [g.shape for g in gradients] != [args[i].shape for i in wrt]:
        raise ValueError(f"gradient_errors: got gradients {[g.shape for g in gradients]}, "
                         f"expected {[args[i].shape for i in wrt]}")

    def slope(i, direction):
        ahead, behind = ([*args[:i], args[i] + h * direction, *args[i + 1:]] for h in (STEP, -STEP))
        return (dy * (f(*ahead, **options) - f(*behind, **options))).sum() / (2 * STEP)

    errors = []
    for i, gradient in zip(wrt, gradients):
        direction = rng.normal(size=args[i].shape)
        numeric, analytic = slope(i, direction), (gradient * direction).sum()
        errors.append(float(abs(numeric - analytic) / (abs(numeric) + abs(analytic) + FLOOR)))
    return errors
