"""One table of operator cases, for the tests and for the exercise checker.

A case names an operator, the shapes of its arrays and its options; the arrays are drawn from a seed.
The tests of parity, gradients and errors all run over this table.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Case:
    """An operator with the shapes of its arrays, by name and in order, and its options.

    A few names decide how an array is drawn: `labels`, `mask`, `running_var`. The statistics
    `running_…` are constants, no gradient is asked for them.
    """

    op: str
    arrays: dict
    options: dict = field(default_factory=dict)
    message: str = ""  # of the error, in a case that must fail

    def __str__(self):
        options = [f"{name}={value}" for name, value in self.options.items()]
        return " ".join([self.op, *(f"{n}{s}".replace(" ", "") for n, s in self.arrays.items()), *options])

    def draw(self, seed=0, dtype=np.float64):
        """The arrays, in order: most of them real numbers from a normal distribution."""
        rng = np.random.default_rng(seed)
        return [_draw(rng, name, shape, self.arrays, dtype) for name, shape in self.arrays.items()]

    @property
    def wrt(self):
        """Positions of the arrays that have a gradient."""
        constant = {"labels", "mask", "running_mean", "running_var"}
        return [i for i, (name, shape) in enumerate(self.arrays.items())
                if name not in constant and shape is not None]


def _draw(rng, name, shape, arrays, dtype):
    if shape is None:
        return None
    if name == "labels":
        return rng.integers(arrays["logits"][1], size=shape)
    if name == "mask":
        return rng.random(shape) < 0.5
    if name == "running_var":
        return rng.uniform(0.5, 2, shape).astype(dtype)
    return rng.normal(size=shape).astype(dtype)


def case(op, options=None, /, message="", **arrays):
    return Case(op, arrays, options or {}, message)


def conv(x, weight, bias=None, **options):
    """The same case for each way to convolve."""
    return [case(op, options, x=x, weight=weight, bias=bias) for op in ("conv2d", "conv2d_loops")]


CASES = [
    case("linear", x=(5, 3), weight=(4, 3), bias=(4,)),
    case("linear", x=(2, 5, 3), weight=(4, 3)),
    case("linear", x=(3,), weight=(4, 3), bias=(4,)),
    case("linear", x=(1, 1), weight=(1, 1), bias=None),
    case("relu", x=(3, 4)),
    case("tanh", x=(3, 4)),
    case("sigmoid", x=(3, 4)),
    case("softmax", x=(3, 4)),
    case("softmax", {"dim": 0}, x=(3, 4)),
    case("softmax", {"dim": 1}, x=(2, 3, 4)),
    case("softmax", x=(3, 1)),
    case("cross_entropy", logits=(5, 3), labels=(5,)),
    case("cross_entropy", logits=(1, 2), labels=(1,)),

    case("im2col", {"kernel_size": 3}, x=(2, 3, 7, 6)),
    case("im2col", {"kernel_size": 3, "padding": 1}, x=(2, 3, 7, 6)),
    case("im2col", {"kernel_size": (2, 3), "stride": (2, 1), "padding": (0, 1)}, x=(2, 3, 7, 6)),
    case("im2col", {"kernel_size": 1}, x=(1, 1, 1, 1)),
    case("col2im", {"output_size": (7, 6), "kernel_size": 3}, cols=(2, 27, 20)),
    case("col2im", {"output_size": (7, 6), "kernel_size": (2, 3), "stride": (2, 1), "padding": (0, 1)},
         cols=(2, 18, 18)),

    *conv((2, 3, 7, 6), (4, 3, 3, 3), (4,)),
    *conv((2, 3, 7, 6), (4, 3, 3, 3), padding=1),
    *conv((2, 3, 7, 6), (4, 3, 3, 2), (4,), stride=2, padding=(1, 0)),
    *conv((2, 4, 7, 6), (6, 2, 3, 3), (6,), padding=1, groups=2),
    *conv((3, 4, 5, 5), (8, 1, 3, 3), stride=(1, 2), groups=4),  # depthwise, two filters a channel
    *conv((3, 4, 5, 6), (5, 4, 1, 1), (5,)),
    *conv((3, 4, 5, 6), (5, 4, 1, 1), stride=2),
    *conv((1, 3, 4, 5), (2, 3, 4, 5), (2,)),  # kernel as large as the image
    *conv((1, 1, 2, 2), (1, 1, 4, 4), padding=1),  # kernel as large as the padded image
    *conv((2, 2, 8, 8), (2, 2, 2, 2), (2,), stride=5),  # stride beyond the kernel
    *conv((1, 1, 1, 1), (1, 1, 1, 1), (1,)),

    case("max_pool2d", {"kernel_size": 2}, x=(2, 3, 6, 7)),
    case("max_pool2d", {"kernel_size": 3, "stride": 2}, x=(2, 3, 7, 9)),  # AlexNet's, overlapping
    case("max_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1}, x=(2, 3, 7, 8)),  # ResNet's
    case("max_pool2d", {"kernel_size": (2, 3), "stride": (3, 1), "padding": (1, 0)}, x=(1, 2, 6, 5)),
    case("max_pool2d", {"kernel_size": 2, "padding": 1}, x=(1, 2, 4, 3)),  # as much as there may be
    case("max_pool2d", {"kernel_size": 1}, x=(1, 1, 1, 1)),
    case("avg_pool2d", {"kernel_size": 2}, x=(2, 3, 6, 7)),
    case("avg_pool2d", {"kernel_size": 3, "stride": 2, "padding": 1}, x=(2, 3, 7, 8)),
    case("avg_pool2d", {"kernel_size": (2, 3), "stride": (3, 1), "padding": (1, 0)}, x=(1, 2, 6, 5)),
    case("global_avg_pool", x=(2, 3, 4, 5)),

    case("batch_norm", x=(6, 3), weight=(3,), bias=(3,)),
    case("batch_norm", {"eps": 0.1}, x=(2, 3, 4, 5), weight=(3,), bias=(3,)),
    case("batch_norm", x=(1, 2, 1, 2), weight=(2,), bias=(2,)),
    case("batch_stats", x=(6, 3)),
    case("batch_stats", x=(2, 3, 4, 5)),
    case("batch_norm_eval", x=(2, 3, 4, 5), running_mean=(3,), running_var=(3,), weight=(3,), bias=(3,)),
    case("batch_norm_eval", {"eps": 0.1}, x=(1, 3), running_mean=(3,), running_var=(3,), weight=(3,),
         bias=(3,)),
    case("fold_batch_norm", weight=(4, 3, 3, 3), bias=(4,), running_mean=(4,), running_var=(4,),
         bn_weight=(4,), bn_bias=(4,)),
    case("fold_batch_norm", {"eps": 0.1}, weight=(4, 3), bias=None, running_mean=(4,), running_var=(4,),
         bn_weight=(4,), bn_bias=(4,)),
    case("local_response_norm", x=(2, 7, 3, 2)),
    case("local_response_norm", {"size": 3, "alpha": 0.5, "beta": 0.6, "k": 1.0}, x=(2, 7, 3, 2)),
    case("local_response_norm", {"size": 1, "alpha": 0.5}, x=(1, 2, 3)),
    case("local_response_norm", {"size": 4, "alpha": 0.5}, x=(2, 7, 3)),
    case("local_response_norm", {"size": 5, "alpha": 0.5}, x=(2, 2, 3)),  # fewer channels than size

    case("dropout", x=(4, 5), mask=(4, 5)),
    case("dropout", {"p": 0.2}, x=(2, 3, 4), mask=(2, 3, 4)),
    case("dropout", {"p": 0}, x=(2, 3), mask=(2, 3)),
    case("grad_cam", activations=(2, 3, 4, 5), gradients=(2, 3, 4, 5)),
    case("sgd", {"lr": 0.1}, param=(3, 4), grad=(3, 4)),
    case("sgd", {"lr": 0.1, "weight_decay": 0.01}, param=(3,), grad=(3,)),
    case("sgd_momentum", {"lr": 0.1}, param=(3, 4), grad=(3, 4), velocity=(3, 4)),
    case("sgd_momentum", {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.01},
         param=(3,), grad=(3,), velocity=(3,)),
]

# cases that must fail; `message` is what the error says came in
WRONG = [
    case("linear", message="x (5, 2), weight (4, 3), bias (4,)", x=(5, 2), weight=(4, 3), bias=(4,)),
    case("linear", message="bias (3,)", x=(5, 3), weight=(4, 3), bias=(3,)),
    case("linear", message="weight (3,)", x=(5, 3), weight=(3,)),
    case("linear", message="x ()", x=(), weight=(4, 3)),
    case("cross_entropy", message="labels int64 (4,)", logits=(5, 3), labels=(4,)),
    case("cross_entropy", message="logits (5, 3, 2)", logits=(5, 3, 2), labels=(5,)),
    case("im2col", {"kernel_size": 3}, message="x (7, 6)", x=(7, 6)),
    case("im2col", {"kernel_size": 8}, message="kernel_size=(8, 8)", x=(2, 3, 7, 6)),
    case("im2col", {"kernel_size": (5, 9), "padding": 1}, message="padding=(1, 1) on an image of (7, 6)",
         x=(2, 3, 7, 6)),
    case("im2col", {"kernel_size": (10, 3), "padding": 1}, message="kernel_size=(10, 3)", x=(2, 3, 7, 6)),
    case("im2col", {"kernel_size": 3, "stride": 0}, message="stride=(0, 0)", x=(2, 3, 7, 6)),
    case("im2col", {"kernel_size": 0}, message="kernel_size=(0, 0)", x=(2, 3, 7, 6)),
    case("im2col", {"kernel_size": 3, "padding": (0, -1)}, message="padding=(0, -1)", x=(2, 3, 7, 6)),
    case("col2im", {"output_size": (7, 6), "kernel_size": 3}, message="cols (2, 27, 19)", cols=(2, 27, 19)),
    case("col2im", {"output_size": (7, 6), "kernel_size": 3}, message="cols (2, 28, 20), expected cols (N, C·9, 20)", cols=(2, 28, 20)),
    case("col2im", {"output_size": (7, 6), "kernel_size": 3}, message="cols (540,)", cols=(540,)),
    case("col2im", {"output_size": (7, 2), "kernel_size": 3}, message="image of (7, 2)", cols=(2, 27, 20)),
    *[case(op, options, message=message, x=x, weight=weight, bias=bias)
      for op in ("conv2d", "conv2d_loops")
      for options, message, x, weight, bias in [
          ({}, "x (2, 3, 7, 6), weight (4, 2, 3, 3), bias None, groups=1", (2, 3, 7, 6), (4, 2, 3, 3), None),
          ({}, "x (2, 3, 7)", (2, 3, 7), (4, 3, 3, 3), None),
          ({}, "weight (4, 3, 3)", (2, 3, 7, 6), (4, 3, 3), None),
          ({}, "bias (3,)", (2, 3, 7, 6), (4, 3, 3, 3), (3,)),
          ({"groups": 2}, "groups=2", (2, 4, 7, 6), (5, 2, 3, 3), None),
          ({"groups": 0}, "groups=0", (2, 4, 7, 6), (4, 4, 3, 3), None),
          ({}, "kernel_size=(8, 3)", (2, 3, 7, 6), (4, 3, 8, 3), None),
          ({"stride": (1, 0)}, "stride=(1, 0)", (2, 3, 7, 6), (4, 3, 3, 3), None),
          ({"padding": -1}, "padding=(-1, -1)", (2, 3, 7, 6), (4, 3, 3, 3), None),
      ]],
    *[case(op, options, message=message, x=x)
      for op in ("max_pool2d", "avg_pool2d")
      for options, message, x in [
          ({"kernel_size": 2}, "x (7,)", (7,)),
          ({"kernel_size": 8}, "kernel_size=(8, 8)", (2, 3, 7, 6)),
          ({"kernel_size": 3, "stride": 0}, "stride=(0, 0)", (2, 3, 7, 6)),
          ({"kernel_size": 3, "padding": (2, 0)}, "padding=(2, 0)", (2, 3, 7, 6)),
          ({"kernel_size": 3, "padding": (0, 2)}, "padding=(0, 2)", (2, 3, 7, 6)),
      ]],
    case("global_avg_pool", message="x (3, 4)", x=(3, 4)),
    case("batch_norm", message="x (4,)", x=(4,), weight=(4,), bias=(4,)),
    case("batch_norm", message="weight (2,)", x=(6, 3), weight=(2,), bias=(3,)),
    case("batch_norm", message="bias (1,)", x=(6, 3), weight=(3,), bias=(1,)),
    case("batch_norm", message="x (1, 3, 1, 1), expected at least 2 values per channel",
         x=(1, 3, 1, 1), weight=(3,), bias=(3,)),
    case("batch_stats", message="x (4,)", x=(4,)),
    case("batch_stats", message="x (1, 3), expected at least 2 values per channel", x=(1, 3)),
    case("batch_norm_eval", message="running_mean (2,)",
         x=(6, 3), running_mean=(2,), running_var=(3,), weight=(3,), bias=(3,)),
    case("batch_norm_eval", message="running_var (4,)",
         x=(6, 3), running_mean=(3,), running_var=(4,), weight=(3,), bias=(3,)),
    case("batch_norm_eval", message="weight (1,)",
         x=(6, 3), running_mean=(3,), running_var=(3,), weight=(1,), bias=(3,)),
    case("batch_norm_eval", message="bias (1,)",
         x=(6, 3), running_mean=(3,), running_var=(3,), weight=(3,), bias=(1,)),
    case("fold_batch_norm", message="weight (4, 3, 3, 3), bias (4,), running_mean (4,), "
         "running_var (4,), bn_weight (4,), bn_bias (3,)", weight=(4, 3, 3, 3), bias=(4,), running_mean=(4,),
         running_var=(4,), bn_weight=(4,), bn_bias=(3,)),
    case("local_response_norm", message="x (5, 3)", x=(5, 3)),
    case("local_response_norm", {"size": 0}, message="size=0", x=(2, 3, 4)),
    case("dropout", message="x (4, 5), mask (4, 1)", x=(4, 5), mask=(4, 1)),
    case("dropout", {"p": 1.0}, message="p=1.0", x=(4, 5), mask=(4, 5)),
    case("dropout", {"p": -0.1}, message="p=-0.1", x=(4, 5), mask=(4, 5)),
    case("grad_cam", message="gradients (2, 3, 4, 1)", activations=(2, 3, 4, 5), gradients=(2, 3, 4, 1)),
    case("grad_cam", message="activations (3, 4)", activations=(3, 4), gradients=(3, 4)),
    case("sgd", {"lr": 0.1}, message="grad (4,)", param=(3, 4), grad=(4,)),
    case("sgd_momentum", {"lr": 0.1}, message="param (1,)", param=(1,), grad=(3,), velocity=(3,)),
    case("sgd_momentum", {"lr": 0.1}, message="grad (1,)", param=(3,), grad=(1,), velocity=(3,)),
    case("sgd_momentum", {"lr": 0.1}, message="velocity (1,)", param=(3,), grad=(3,), velocity=(1,)),
]
