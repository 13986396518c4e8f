"""An exercise for every operator of `dtwin.ref` and one for its gradient, on the cases of `dtwin.cases`."""

import numpy as np

from .. import ref
from ..cases import CASES
from .exercises import Call, Exercise, defaults

LARGE = {"softmax", "cross_entropy", "sigmoid", "tanh"}  # exp overflows; those who forget it shall be told


def _facts(case, arrays):
    """What may make one case right and another wrong."""
    options = defaults(getattr(ref, case.op))
    facts = {name: f"{name} {case.options.get(name, value)}" for name, value in options.items()}
    if "groups" in facts:
        facts["groups"] = facts["groups"].replace("groups 1", "one group")
    if "bias" in case.arrays:
        facts["bias"] = "no bias" if case.arrays["bias"] is None else "a bias"
    kernel = case.arrays.get("weight", ())[2:] or case.options.get("kernel_size")
    if isinstance(kernel, tuple):
        facts["kernel"] = "square kernels" if kernel[0] == kernel[-1] else "kernels that are not square"
    x = next(iter(arrays.values()))
    facts["batch"] = "a batch of one" if x.shape[0] == 1 else "a batch of several"
    facts["axes"] = f"arrays with {x.ndim} ax{'i' if x.ndim == 1 else 'e'}s"
    return facts


def _calls(case):
    arrays = dict(zip(case.arrays, case.draw()))
    facts = _facts(case, arrays)
    yield Call(arrays, case.options, facts | {"inputs": "small inputs"})
    if case.op in LARGE:
        first, *others = arrays
        large = {first: 1000 * arrays[first]} | {name: arrays[name] for name in others}
        yield Call(large, case.options, facts | {"inputs": "large inputs"})


def _backward(call, case):
    """The call of the gradient: `dy` first, drawn for the shape of the output."""
    shape = np.shape(getattr(ref, case.op)(*call.positional, **call.options))
    dy = np.random.default_rng(1).normal(size=shape)
    return Call({"dy": dy} | call.arrays, call.options, call.facts)


RESULTS = {"batch_stats": ("mean", "variance"), "fold_batch_norm": ("weight", "bias"),
           "sgd_momentum": ("param", "velocity")}


def operators():
    """An exercise for each operator, and one for its gradient."""
    for op in dict.fromkeys(case.op for case in CASES):
        cases = [case for case in CASES if case.op == op]
        calls = [(call, case) for case in cases for call in _calls(case)]
        yield op, Exercise(getattr(ref, op), [c for c, _ in calls], SLIPS.get(op, {}), RESULTS.get(op, ("output",)))
        name = f"{op}_backward"
        if hasattr(ref, name):
            reference = getattr(ref, name)
            named = tuple(f"d{list(cases[0].arrays)[i]}" for i in cases[0].wrt)
            unused = {"The gradient that arrives, dy, is not used.":
                      lambda dy, *a, f=reference, **o: f(np.ones_like(dy), *a, **o)}
            yield name, Exercise(reference, [_backward(*c) for c in calls], SLIPS.get(name, {}) | unused, named)


# in place of a definition, what those write who slip; the sentence is what they are told
SLIPS = {
    "linear": {"The bias is not added.": lambda x, weight, bias=None: ref.linear(x, weight)},
    "tanh_backward": {
        "You use x where tanh(x) belongs.": lambda dy, x: dy * (1 - x ** 2),
        "tanh(x) is not squared.": lambda dy, x: dy * (1 - np.tanh(x))},
    "sigmoid_backward": {"You use x where sigmoid(x) belongs.": lambda dy, x: dy * x * (1 - x)},
    "softmax": {
        "All numbers together sum to 1, not those along `dim`.": lambda x, dim=-1: np.exp(x) / np.exp(x).sum(),
        "The option `dim` is not used: you always sum along the last axis.": lambda x, dim=-1: ref.softmax(x)},
    "cross_entropy_backward": {
        "The 1 of the right class is not subtracted.":
        lambda dy, logits, labels: dy * ref.softmax(logits) / len(labels)},
    "conv2d": {
        "You turned the kernel by half a turn; a network's convolution does not.":
        lambda x, weight, bias=None, **o: ref.conv2d(x, weight[:, :, ::-1, ::-1], bias, **o),
        "The bias is not added.": lambda x, weight, bias=None, **o: ref.conv2d(x, weight, **o)},
    "im2col": {
        "In a column the channels come first, then the rows and columns of the patch; yours come last.":
        lambda x, kernel_size, **o: np.stack([
            c.reshape(x.shape[1], -1, c.shape[-1]).swapaxes(0, 1).reshape(c.shape)
            for c in ref.im2col(x, kernel_size, **o)])},
    "col2im": {
        "Where windows overlap their numbers must be added; yours are averaged.":
        lambda cols, output_size, kernel_size, **o: col2im_mean(cols, output_size, kernel_size, **o),
        "Where windows overlap their numbers must be added; yours overwrite each other.":
        lambda cols, output_size, kernel_size, **o: _overwritten(cols, output_size, kernel_size, **o)},
    "max_pool2d": {
        "The mean is taken, not the maximum.": ref.avg_pool2d,
        "The border must be −∞, not 0, or it wins over negative numbers.":
        lambda x, kernel_size, stride=None, padding=0: ref.max_pool2d(
            ref.windows.pad(x, padding), kernel_size, kernel_size if stride is None else stride)},
    "avg_pool2d": {"The maximum is taken, not the mean.": ref.max_pool2d},
    "max_pool2d_backward": {
        "The gradient belongs to the largest pixel alone, not to all of the window.": ref.avg_pool2d_backward},
    "batch_norm": {
        "The variance must be the biased one, divided by m, not by m − 1.":
        lambda x, weight, bias, eps=1e-5: ref.batch_norm_eval(x, *ref.batch_stats(x), weight, bias, eps)},
    "batch_stats": {
        "The variance must be the unbiased one, divided by m − 1.":
        lambda x: (ref.batch_stats(x)[0], x.swapaxes(0, 1).reshape(x.shape[1], -1).var(axis=1))},
    "batch_norm_backward": {
        "Mean and variance depend on x too; your dx takes them for constants.":
        lambda dy, x, weight, bias, eps=1e-5: ref.batch_norm_eval_backward(
            dy, x, x.swapaxes(0, 1).reshape(x.shape[1], -1).mean(1), x.swapaxes(0, 1).reshape(x.shape[1], -1).var(1),
            weight, bias, eps)},
    "local_response_norm": {
        "You divide alpha by the size of the window, as PyTorch does; the paper does not.":
        lambda x, size=5, alpha=1e-4, **o: ref.local_response_norm(x, size, alpha / size, **o)},
    "dropout": {
        "What is kept must be scaled by 1 / (1 − p).": lambda x, mask, p=0.5: x * mask,
        "The mask says what is kept; you keep the rest.": lambda x, mask, p=0.5: ref.dropout(x, ~mask, p)},
    "dropout_backward": {"What passes must be scaled by 1 / (1 − p).": lambda dy, x, mask, p=0.5: dy * mask},
    "grad_cam": {
        "Negative evidence stays: the ReLU at the end is missing.":
        lambda activations, gradients: _weighted(activations, gradients).sum(1),
        "The ReLU comes before the sum; evidence against must be weighed up with evidence for before it is cut.":
        lambda activations, gradients: np.maximum(_weighted(activations, gradients), 0).sum(1),
        "Each pixel is multiplied by its own gradient; a map has one weight, the mean of its gradient.":
        lambda activations, gradients: np.maximum((activations * gradients).sum(1), 0),
        "Activations and gradients are exchanged: the mean is that of the gradients.":
        lambda activations, gradients: ref.grad_cam(gradients, activations),
        "One weight for all pictures; each picture has weights of its own.":
        lambda activations, gradients: ref.grad_cam(activations, gradients.mean(0, keepdims=True) + 0 * gradients),
        "The gradients are summed, not averaged.":
        lambda activations, gradients: gradients[0, 0].size * ref.grad_cam(activations, gradients)},
    "sgd": {"It climbs: the step goes against the gradient.":
            lambda param, grad, lr, weight_decay=0.0: ref.sgd(param, grad, -lr, weight_decay)},
}


def col2im_mean(cols, output_size, kernel_size, **options):
    counts = ref.col2im(np.ones_like(cols), output_size, kernel_size, **options)
    return ref.col2im(cols, output_size, kernel_size, **options) / np.maximum(counts, 1)


def _overwritten(cols, output_size, kernel_size, **options):
    places = ref.im2col(np.arange(1.0, 1 + np.prod(output_size)).reshape(1, 1, *output_size), kernel_size, **options)
    n, channels = len(cols), cols.shape[1] // places.shape[1]
    image = np.zeros((n, channels, 1 + np.prod(output_size)))
    for window in range(cols.shape[2]):
        image[:, :, places[0, :, window].astype(int)] = cols[:, :, window].reshape(n, channels, -1)
    return image[:, :, 1:].reshape(n, channels, *output_size)


def _weighted(activations, gradients):
    return activations * gradients.mean(axis=(2, 3), keepdims=True)
