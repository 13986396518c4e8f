"""Every operator against its twin, PyTorch's own, autograd and finite differences.

All properties run over the table in `dtwin.cases`; beyond it, Hypothesis draws cases of its own.
"""

import inspect
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_weights

from dtwin import cases, ref, twin
from dtwin.gradcheck import gradient_errors

OPERATORS = sorted({case.op for case in cases.CASES})
# statistics, an explanation and optimiser steps: nothing is ever differentiated through them
FORWARD_ONLY = {"batch_stats", "fold_batch_norm", "grad_cam", "sgd", "sgd_momentum"}
DIFFERENTIABLE = [case for case in cases.CASES if case.op not in FORWARD_ONLY]
# float32 keeps 24 bits; the longest sum in the table has some hundred terms
TOLERANCE = {np.float64: dict(rtol=1e-9, atol=1e-12), np.float32: dict(rtol=1e-4, atol=1e-5)}
# what the errors ask for
EXPECTED = {
    "x (…, in), weight (out, in), bias (out,)", "logits (N, K), labels (N,) integers in 0…K−1", "x (N, C, H, W)",
    "a kernel no larger than the padded image", "kernel_size and stride of at least 1, padding of at least 0",
    "cols (N, C·9, 20)", "padding of at most half the kernel", "x (N, C, …), all others (C,)",
    "x (N, C, H, W), weight (O, C/groups, kh, kw), bias (O,), groups a divisor of C and O",
    "at least 2 values per channel", "weight (O, …), all others (O,)", "x (N, C, H, …), size of at least 1",
    "a mask of the shape of x, 0 ≤ p < 1", "both (N, C, H, W)", "equal shapes",
}
TORCH_TAKES_IT = {("linear", "weight (3,)")}  # a vector as weight

TORCH = {
    "linear": F.linear, "relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
    "softmax": lambda x, dim=-1: F.softmax(x, dim),
    "cross_entropy": lambda logits, labels: F.nll_loss(F.log_softmax(logits, 1), labels),
    "im2col": lambda x, kernel_size, stride=1, padding=0: F.unfold(x, kernel_size, 1, padding, stride),
    "col2im": lambda cols, output_size, kernel_size, stride=1, padding=0:
        F.fold(cols, output_size, kernel_size, 1, padding, stride),
    "conv2d": lambda x, w, b=None, stride=1, padding=0, groups=1:
        torch.conv2d(x, w, b, stride, padding, 1, groups),
    "conv2d_loops": lambda x, w, b=None, stride=1, padding=0, groups=1:
        torch.conv2d(x, w, b, stride, padding, 1, groups),
    "max_pool2d": torch.max_pool2d,
    "avg_pool2d": torch.nn.functional.avg_pool2d,
    "global_avg_pool": lambda x: F.adaptive_avg_pool2d(x, 1).flatten(1),
    "batch_norm": lambda x, w, b, eps=1e-5: F.batch_norm(x, None, None, w, b, True, 0.1, eps),
    "batch_stats": lambda x: running_stats(x),
    "batch_norm_eval": lambda x, m, v, w, b, eps=1e-5: F.batch_norm(x, m, v, w, b, False, 0.1, eps),
    "fold_batch_norm": lambda w, b, m, v, bw, bb, eps=1e-5: fuse_conv_bn_weights(w, b, m, v, eps, bw, bb),
    "local_response_norm": lambda x, size=5, alpha=1e-4, beta=0.75, k=2.0:
        F.local_response_norm(x, size, alpha * size, beta, k),
    "sgd": lambda param, grad, lr, weight_decay=0.0: sgd_steps([grad], param, lr, 0, weight_decay),
}


def running_stats(x):
    """What `torch.nn.BatchNorm` keeps of one batch, with momentum 1."""
    mean, var = x.new_zeros(x.shape[1]), x.new_zeros(x.shape[1])
    F.batch_norm(x, mean, var, training=True, momentum=1.0)
    return mean, var


def sgd_steps(gradients, param, lr, momentum, weight_decay):
    param = param.clone().requires_grad_()
    optimiser = torch.optim.SGD([param], lr=lr, momentum=momentum, weight_decay=weight_decay)
    for param.grad in gradients:
        optimiser.step()
    return param.detach()


def tensors(arrays, device="cpu"):
    return [None if a is None else torch.tensor(a, device=device) for a in arrays]


def as_tuple(value):
    return value if isinstance(value, tuple) else (value,)


def assert_close(got, expected, dtype=np.float64):
    got, expected = as_tuple(got), as_tuple(expected)
    assert len(got) == len(expected)
    for g, e in zip(got, expected):
        e = e.detach().cpu().numpy() if isinstance(e, torch.Tensor) else e
        assert g.shape == e.shape and g.dtype == e.dtype == dtype
        np.testing.assert_allclose(g, e, **TOLERANCE[dtype])


def random_like(y, seed=1):
    return np.random.default_rng(seed).normal(size=np.shape(y)).astype(y.dtype)


def assert_values_agree(case, dtype=np.float64, device="cpu"):
    arrays = case.draw(dtype=dtype)
    expected = getattr(twin, case.op)(*tensors(arrays, device), **case.options)
    assert_close(getattr(ref, case.op)(*arrays, **case.options), expected, dtype)


def assert_gradients_agree(case, dtype=np.float64, device="cpu"):
    """`ref`'s backward against `twin` through autograd."""
    arrays, inputs = case.draw(dtype=dtype), tensors(case.draw(dtype=dtype), device)
    for i in case.wrt:
        inputs[i].requires_grad_()
    y = getattr(twin, case.op)(*inputs, **case.options)
    dy = random_like(y.detach().cpu().numpy())
    y.backward(torch.tensor(dy, device=device))
    gradients = as_tuple(getattr(ref, case.op + "_backward")(dy, *arrays, **case.options))
    gradients = tuple(g for g in gradients if g is not None)
    assert_close(gradients, tuple(inputs[i].grad for i in case.wrt), dtype)


def test_every_operator_is_in_the_table_and_has_its_twin_and_its_gradient():
    functions = {n for n, f in vars(ref).items() if inspect.isfunction(f)}
    forward = {n for n in functions if not n.endswith("_backward")}
    assert forward == set(OPERATORS)
    assert functions - forward == {n + "_backward" for n in forward - FORWARD_ONLY}
    assert {n for n, f in vars(twin).items() if inspect.isfunction(f)} == forward | {"conv2d_im2col"}


@pytest.mark.parametrize("op", OPERATORS)
def test_signatures_are_equal(op):
    forward = inspect.signature(getattr(ref, op))
    assert forward == inspect.signature(getattr(twin, op))
    if op not in FORWARD_ONLY:
        backward = inspect.signature(getattr(ref, op + "_backward"))
        assert list(backward.parameters.values())[1:] == list(forward.parameters.values())
        assert list(backward.parameters)[0] == "dy"


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", cases.CASES, ids=str)
def test_ref_equals_twin(case, dtype, device):
    assert_values_agree(case, dtype, device)


@pytest.mark.parametrize("case", [c for c in cases.CASES if c.op in TORCH], ids=str)
def test_ref_equals_torch(case, device):
    arrays = case.draw()
    assert_close(getattr(ref, case.op)(*arrays, **case.options),
                 TORCH[case.op](*tensors(arrays, device), **case.options))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
def test_backward_equals_autograd(case, dtype, device):
    assert_gradients_agree(case, dtype, device)


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
def test_backward_equals_finite_differences(case):
    f, f_backward = getattr(ref, case.op), getattr(ref, case.op + "_backward")
    errors = gradient_errors(f, f_backward, *case.draw(), wrt=case.wrt, **case.options)
    assert len(errors) == len(case.wrt) and max(errors) < 1e-7


@pytest.mark.parametrize("case", cases.CASES, ids=str)
def test_inputs_are_never_changed(case, device):
    arrays = case.draw()
    for a in arrays:
        if a is not None:
            a.flags.writeable = False  # NumPy itself now raises at every attempt
    y = getattr(ref, case.op)(*arrays, **case.options)
    results = as_tuple(y)
    if case.op not in FORWARD_ONLY:
        arrays.append(np.asarray(random_like(y)))
        arrays[-1].flags.writeable = False
        results += as_tuple(getattr(ref, case.op + "_backward")(arrays[-1], *arrays[:-1], **case.options))
    for r in results:  # nor can they be changed through what came out
        assert not any(np.shares_memory(r, a) for a in arrays if r is not None and a is not None)
    inputs, copies = tensors(case.draw(), device), tensors(case.draw(), device)
    getattr(twin, case.op)(*inputs, **case.options)
    assert all(t is None or torch.equal(t, c) for t, c in zip(inputs, copies))


@pytest.mark.parametrize("case", cases.WRONG, ids=str)
def test_wrong_shapes_say_what_came_and_what_was_expected(case, device):
    with pytest.raises(ValueError) as error:
        getattr(ref, case.op)(*case.draw(), **case.options)
    assert str(error.value).startswith(case.op + ": got ") and case.message in str(error.value)
    assert str(error.value).partition(", expected ")[2] in EXPECTED
    if (case.op, case.message) in TORCH_TAKES_IT:
        return
    for op in {"conv2d": ["conv2d", "conv2d_im2col"]}.get(case.op, [case.op]):
        with pytest.raises((RuntimeError, ValueError, IndexError)) as error:
            getattr(twin, op)(*tensors(case.draw(), device), **case.options)
        if ": got " in (said := str(error.value)):  # the twin's own message, where PyTorch has none that would do
            assert said.startswith(op + ": got ") and case.message in said


@pytest.mark.parametrize("option, value", [("kernel_size", (0, 1)), ("kernel_size", (1, 0)), ("stride", (0, 1)),
                                           ("stride", (1, 0)), ("padding", (-1, 0)), ("padding", (0, -1))])
def test_each_number_of_a_geometry_is_checked(option, value):
    with pytest.raises(ValueError, match=rf"{option}=\({value[0]}, {value[1]}\).*, expected kernel_size and stride of"):
        ref.im2col(np.ones((1, 1, 3, 3)), **{"kernel_size": 1, option: value})


@pytest.mark.parametrize("case", [c for c in cases.WRONG if c.op not in FORWARD_ONLY], ids=str)
def test_wrong_shapes_fail_backward_too(case):
    with pytest.raises(ValueError) as error:
        getattr(ref, case.op + "_backward")(np.zeros(case.draw()[0].shape), *case.draw(), **case.options)
    assert str(error.value).startswith(case.op + ": got ") and case.message in str(error.value)


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
def test_a_gradient_of_the_wrong_shape_fails(case):
    shape = getattr(ref, case.op)(*case.draw(), **case.options).shape
    one_off = [(*shape[:i], shape[i] + 1, *shape[i + 1:]) for i in range(len(shape))]
    for wrong in [(*shape, 2), (2, *shape), *one_off]:
        with pytest.raises(ValueError) as error:
            getattr(ref, case.op + "_backward")(np.zeros(wrong), *case.draw(), **case.options)
        assert str(error.value) == f"{case.op}_backward: got dy {wrong}, expected dy {shape}"


@st.composite
def geometry(draw, pool=False):
    """(height, width) of an image, and kernel_size, stride and padding that fit on it."""
    axes = []
    for _ in range(2):
        kernel, stride = draw(st.integers(1, 5)), draw(st.integers(1, 7))
        padding = draw(st.integers(0, kernel // 2 if pool else 3))
        least = max(1, kernel - 2 * padding)
        axes.append((draw(st.integers(least, least + 6)), kernel, stride, padding))
    return tuple(zip(*axes))


@st.composite
def convolutions(draw):
    size, kernel, stride, padding = draw(geometry())
    groups, depth, out = (draw(st.integers(1, 3)) for _ in range(3))
    op, n, bias = draw(st.sampled_from(["conv2d", "conv2d_loops"])), draw(st.integers(1, 3)), draw(st.booleans())
    return cases.case(op, {"stride": stride, "padding": padding, "groups": groups},
                      x=(n, groups * depth, *size), weight=(groups * out, depth, *kernel),
                      bias=(groups * out,) if bias else None)


@st.composite
def columns(draw):
    size, kernel, stride, padding = draw(geometry())
    n, c = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    options = {"kernel_size": kernel, "stride": stride, "padding": padding}
    if draw(st.booleans()):
        return cases.case("im2col", options, x=(n, c, *size))
    pixels = [(a + 2 * p - k) // s + 1 for a, k, s, p in zip(size, kernel, stride, padding)]
    return cases.case("col2im", {"output_size": size, **options},
                      cols=(n, c * kernel[0] * kernel[1], pixels[0] * pixels[1]))


@st.composite
def poolings(draw):
    size, kernel, stride, padding = draw(geometry(pool=True))
    op, n, c = draw(st.sampled_from(["max_pool2d", "avg_pool2d"])), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    stride = draw(st.sampled_from([None, stride]))
    return cases.case(op, {"kernel_size": kernel, "stride": stride, "padding": padding}, x=(n, c, *size))


@st.composite
def others(draw):
    n, c = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    space = tuple(draw(st.lists(st.integers(1, 4), max_size=2)))
    x, vectors = (n, c, *space), dict(weight=(c,), bias=(c,))
    size, eps = draw(st.integers(1, 7)), draw(st.sampled_from([1e-5, 0.1]))
    drawn = [
        cases.case("linear", x=(*space, n), weight=(c, n), bias=draw(st.sampled_from([None, (c,)]))),
        cases.case("softmax", {"dim": draw(st.integers(-len(x), len(x) - 1))}, x=x),
        cases.case("cross_entropy", logits=(n, c), labels=(n,)),
        cases.case("local_response_norm", {"size": size, "alpha": 0.5}, x=(*x, 2)),
        cases.case("batch_norm_eval", {"eps": eps}, x=x, running_mean=(c,), running_var=(c,), **vectors),
    ]
    if np.prod(space) * n > 2:  # of two values batch norm makes ±1, whatever they are
        drawn.append(cases.case("batch_norm", {"eps": eps}, x=x, **vectors))
    if len(space) == 2:
        drawn.append(cases.case("global_avg_pool", x=x))
    return draw(st.sampled_from(drawn))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(case=st.one_of(convolutions(), columns(), poolings(), others()))
def test_any_shape(case, device):
    assert_values_agree(case, device=device)
    assert_gradients_agree(case, device=device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: the twins were tested on the CPU alone")
def test_a_gpu_keeps_all_24_bits_of_float32():
    a, b = (np.random.default_rng(n).normal(size=(256, 256)).astype(np.float32) for n in range(2))
    exact = a.astype(float) @ b.astype(float)
    product = torch.mm(*tensors([a, b], "cuda")).cpu().numpy()
    x, weight = a.reshape(1, 256, 16, 16), b.reshape(256, 256, 1, 1)
    conv = twin.conv2d(*tensors([x, weight], "cuda")).cpu().numpy()
    for got, true in ((product, exact), (conv, ref.conv2d(x.astype(float), weight.astype(float)))):
        assert np.abs(got - true).max() < 1e-5 * np.abs(true).max()  # TF32 keeps 11, and errs by a thousandth


def test_equal_pixels_send_the_gradient_to_the_first():
    case = cases.case("max_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1}, x=(1, 2, 6, 6))
    x = np.round(case.draw()[0])  # many ties
    inputs = torch.tensor(x, requires_grad=True)
    y = F.max_pool2d(inputs, 3, 2, 1)
    dy = random_like(y.detach().numpy())
    y.backward(torch.tensor(dy))
    assert_close(ref.max_pool2d_backward(dy, x, **case.options), inputs.grad)


@pytest.mark.parametrize("block", [1, 5000, 10**6], ids=["one row", "some rows", "all images"])
def test_conv2d_is_the_same_whatever_the_block(block, monkeypatch):
    monkeypatch.setattr("dtwin.ref.conv.BLOCK", block)
    for case in cases.CASES + cases.conv((5, 4, 9, 8), (6, 2, 3, 3), (6,), padding=1, groups=2):
        if case.op == "conv2d":
            assert_values_agree(case)
            assert_gradients_agree(case)


@pytest.mark.parametrize("shape, block", [((4, 16, 32, 32), 2**18), ((16, 64, 8, 8), 2**18), ((64, 16, 1, 256), 1)],
                         ids=["some rows", "many channels", "one row"])
def test_conv2d_never_holds_all_columns(shape, block, monkeypatch):
    monkeypatch.setattr("dtwin.ref.conv.BLOCK", block)
    x, weight = np.ones(shape, np.float32), np.ones((8, shape[1], 3, 3), np.float32)
    row = (weight[0].size + len(weight)) * shape[3] * x.itemsize  # of columns and product: the least there can be
    tracemalloc.start()
    try:
        y = ref.conv2d(x, weight, padding=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - y.nbytes < 1.5 * max(block, row) < ref.im2col(x, 3, padding=1).nbytes / 5


@pytest.mark.parametrize("case", [c for c in cases.CASES if c.op == "conv2d"], ids=str)
def test_the_twins_im2col_form_equals_its_conv2d(case, device):
    inputs = tensors(case.draw(), device)
    assert_close(twin.conv2d_im2col(*inputs, **case.options).cpu().numpy(), twin.conv2d(*inputs, **case.options))


@pytest.mark.parametrize("x", [-1e4, -50.0, 0.0, 50.0, 1e4])
def test_large_numbers_neither_overflow_nor_lose_their_digits(x):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert_close(ref.sigmoid(np.array([x])), torch.sigmoid(torch.tensor([x], dtype=torch.float64)))
        logits = np.array([[x, 0.0, -x]])
        assert_close(ref.softmax(logits), torch.softmax(torch.tensor(logits), 1))
        logits = np.concatenate([logits, logits / 1e4])  # each row has a largest number of its own
        assert_close(ref.softmax(logits), torch.softmax(torch.tensor(logits), 1))
        label = np.array([1, 0])
        assert_close(ref.cross_entropy(logits, label), twin.cross_entropy(*tensors([logits, label])))


def test_momentum_follows_torch_over_many_steps():
    rng = np.random.default_rng(0)
    param, gradients = rng.normal(size=(3, 4)), rng.normal(size=(5, 3, 4))
    expected = sgd_steps(tensors(gradients), *tensors([param]), 0.1, 0.9, 0.01)
    velocity = np.zeros_like(param)
    for grad in gradients:
        param, velocity = ref.sgd_momentum(param, grad, velocity, lr=0.1, momentum=0.9, weight_decay=0.01)
    assert_close(param, expected)


def test_folded_batch_norm_is_convolution_then_batch_norm():
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(2, 3, 5, 5)), rng.normal(size=(4, 3, 3, 3)), rng.normal(size=4)
    mean, var, bn_weight, bn_bias = rng.normal(size=4), rng.uniform(0.5, 2, 4), rng.normal(size=4), rng.normal(size=4)
    for b in (bias, None):
        apart = ref.batch_norm_eval(ref.conv2d(x, weight, b), mean, var, bn_weight, bn_bias)
        folded = ref.fold_batch_norm(weight, b, mean, var, bn_weight, bn_bias)
        assert_close(ref.conv2d(x, *folded), apart)


def test_folding_has_a_gradient_and_needs_all_but_the_bias():
    ones = torch.ones(4, requires_grad=True)
    twin.fold_batch_norm(torch.ones(4, 3, requires_grad=True), None, ones, ones, ones, ones)[0].sum().backward()
    assert ones.grad.any()
    with pytest.raises(ValueError, match=r"fold_batch_norm: got weight \(4, 3\), bias None, running_mean None"):
        ref.fold_batch_norm(np.ones((4, 3)), None, None, *np.ones((3, 4)))


def test_an_empty_batch_comes_out_of_batch_norm_eval_empty():
    arrays = [np.zeros((0, 3)), *np.ones((4, 3))]
    for result in (ref.batch_norm_eval(*arrays), twin.batch_norm_eval(*tensors(arrays))):
        assert result.shape == (0, 3)


def test_labels_out_of_range_or_not_integers_fail():
    logits = np.zeros((2, 3))
    for labels in ([0, 3], [-1, 0], [0.0, 1.0]):
        with pytest.raises(ValueError, match=r"^cross_entropy: got logits .* integers in 0…K−1"):
            ref.cross_entropy(logits, np.array(labels))
    with pytest.raises(ValueError, match="^cross_entropy: got"):
        ref.cross_entropy(np.zeros((0, 3)), np.zeros(0, int))


@pytest.mark.parametrize("op", ["conv2d", "conv2d_loops"])
def test_convolution_takes_whole_numbers_as_image_or_as_kernel(op):
    x, weight = np.arange(9).reshape(1, 1, 3, 3), np.array([[[[-1, 1], [0, 2]]]])
    for a, b in ((x, weight / 2), (x / 2, weight)):
        assert getattr(ref, op)(a, b).tolist() == [[[[4.5, 5.5], [7.5, 8.5]]]]
        dy = np.full((1, 1, 2, 2), 0.5)
        whole = getattr(ref, op + "_backward")(dy, a, b)
        for got, expected in zip(whole[:2], getattr(ref, op + "_backward")(dy, a / 1.0, b / 1.0)):
            np.testing.assert_array_equal(got, expected)
    assert getattr(ref, op)(x, weight, np.array([0.5])).tolist() == [[[[9.5, 11.5], [15.5, 17.5]]]]


def test_pooling_works_on_whole_numbers_too():
    x = np.arange(16).reshape(1, 1, 4, 4)
    assert ref.max_pool2d(x, 2).tolist() == [[[[5, 7], [13, 15]]]]
    assert ref.max_pool2d(-x, 2, padding=1).tolist() == [[[[0, -1, -3], [-4, -5, -7], [-12, -13, -15]]]]
    assert ref.avg_pool2d(x, 2).tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]


def test_relu_is_flat_at_zero():
    x = np.array([-1.0, 0.0, 1.0])
    assert ref.relu_backward(np.ones(3), x).tolist() == [0, 0, 1]
