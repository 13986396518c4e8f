"""What the pixels do to a score: the gradient, and the two rules for ReLUs that make pictures of it."""

import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from .capture import classes_of, evaluating, expect, expect_images

# what a ReLU whose input was x hands down of the signal dy that comes from above
RULES = {
    "gradient": lambda dy, x: dy * (x > 0),
    "deconvnet": lambda dy, x: dy.relu(),  # Zeiler & Fergus 2014
    "guided": lambda dy, x: dy.relu() * (x > 0),  # Springenberg et al. 2015
}
RELUS = (F.relu, torch.relu, torch.relu_, torch.Tensor.relu, torch.Tensor.relu_)


class Swap(TorchFunctionMode):
    """Within the block, calls of some functions of PyTorch go to others: {function: replacement}.

    Unlike hooks, which see modules alone, this meets a ReLU in whatever form it was written. `met` counts the calls.
    """

    def __init__(self, replacements):
        super().__init__()
        self.replacements, self.met = replacements, 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.met += func in self.replacements
        return self.replacements.get(func, func)(*args, **(kwargs or {}))


class _RuledReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, rule):
        ctx.save_for_backward(x)
        ctx.rule = rule
        return x.relu()

    @staticmethod
    def backward(ctx, dy):
        return ctx.rule(dy, *ctx.saved_tensors), None


def relu_rule(name):
    """A block in which ReLUs answer the backward pass by one of the RULES: gradient, deconvnet or guided.

    Raises:
        ValueError: no rule has that name.
    """
    expect(name in RULES, "relu_rule", f"name={name!r}", f"one of {', '.join(RULES)}")
    return Swap(dict.fromkeys(RELUS, lambda x, inplace=False: _RuledReLU.apply(x, RULES[name])))


def gradient(net, x, classes=None, batch=256):
    """How the score of a class changes with each number of its picture: (N, C, H, W), as x.

    `classes` is one class, or one for each picture (N,); None takes those that the network answers. After Simonyan,
    Vedaldi and Zisserman, *Deep Inside Convolutional Networks*, 2014.

    Raises:
        ValueError: x is no batch of pictures, or the classes do not fit.
    """
    return _to_pixels("gradient", "gradient", net, x, classes, batch)


def guided_backprop(net, x, classes=None, batch=256):
    """The gradient, of which each ReLU lets only the positive part through: arguments and shape as in `gradient`.

    Springenberg, Dosovitskiy, Brox and Riedmiller, *Striving for Simplicity*, 2015.

    Raises:
        ValueError: the network has no ReLU, x is no batch of pictures, or the classes do not fit.
    """
    return _to_pixels("guided_backprop", "guided", net, x, classes, batch)


def _to_pixels(function, rule, net, x, classes, batch):
    expect_images(function, x)
    classes = classes_of(function, net, x, classes, batch)
    with evaluating(net), torch.enable_grad(), relu_rule(rule) as swap:
        parts = []
        for part, wanted in zip(x.split(batch), classes.split(batch)):
            pixels = part.detach().requires_grad_()
            scores = net(pixels).gather(1, wanted[:, None])
            parts += torch.autograd.grad(scores.sum(), pixels)
    expect(swap.met or rule == "gradient", function, f"{type(net).__name__} without a ReLU", "a network with ReLUs")
    return torch.cat(parts)
