"""The gradient checker must see small errors, and must not see any where there are none."""

import numpy as np
import pytest

from dtwin import ref
from dtwin.gradcheck import gradient_errors


def arguments(seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return [scale * rng.normal(size=shape) for shape in [(2, 3, 6, 5), (4, 3, 3, 3), (4,)]]


@pytest.mark.parametrize("seed", range(5))
def test_a_right_gradient_has_almost_no_error(seed):
    errors = gradient_errors(ref.conv2d, ref.conv2d_backward, *arguments(seed), seed=seed, padding=1)
    assert len(errors) == 3 and max(errors) < 1e-8


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("wrong", range(3))
def test_a_gradient_wrong_by_a_thousandth_is_found_and_named(wrong, seed):
    def backward(dy, *args, **options):
        gradients = list(ref.conv2d_backward(dy, *args, **options))
        gradients[wrong] = gradients[wrong] * 1.001
        return tuple(gradients)

    errors = gradient_errors(ref.conv2d, backward, *arguments(seed), seed=seed, padding=1)
    assert errors[wrong] > 1e-4
    assert all(error < 1e-8 for i, error in enumerate(errors) if i != wrong)


def test_a_single_wrong_entry_is_found():
    def backward(dy, x):
        dx = ref.tanh_backward(dy, x)
        dx[1, 2] = 0
        return dx

    x = np.random.default_rng(0).normal(size=(4, 5))
    assert gradient_errors(ref.tanh, backward, x)[0] > 1e-3


def test_a_slope_of_zero_is_no_error_and_a_missing_slope_is():
    x = np.random.default_rng(0).normal(size=(4, 1))
    assert gradient_errors(ref.softmax, ref.softmax_backward, x)[0] < 1e-8  # one class: always 1
    assert gradient_errors(ref.tanh, lambda dy, x: 0 * x, x)[0] > 0.9


def test_it_follows_the_float_arrays_unless_told_otherwise():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(4, 3)), rng.integers(3, size=4)
    assert len(gradient_errors(ref.cross_entropy, ref.cross_entropy_backward, logits, labels)) == 1
    x, weight = arguments()[:2]
    only_weight = lambda dy, *args: ref.conv2d_backward(dy, *args)[1]  # noqa: E731
    assert gradient_errors(ref.conv2d, only_weight, x, weight, wrt=[1])[0] < 1e-8
    with pytest.raises(ValueError, match=r"got gradients \[\(4, 3, 3, 3\)\], expected \[\(2, 3, 6, 5\)"):
        gradient_errors(ref.conv2d, only_weight, x, weight)


def test_it_is_the_same_twice_and_depends_on_the_seed():
    a, b, c = (gradient_errors(ref.tanh, lambda dy, x: 0.9 * ref.tanh_backward(dy, x),
                               arguments()[0], seed=s) for s in (0, 0, 1))
    assert a == b != c


def test_it_refuses_single_precision():
    with pytest.raises(ValueError, match=r"gradient_errors: got \['float32'\], expected arrays in float64"):
        gradient_errors(ref.tanh, ref.tanh_backward, np.ones(3, np.float32))
