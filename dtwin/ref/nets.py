"""The networks of `dtwin.twin.nets` once more: a forward pass from a dictionary of their arrays.

`state` maps the names of a network's `state_dict()` to NumPy arrays; depth and width are read from it.
No dropout, and fixed statistics: what a trained network computes.
"""

from itertools import count, islice

from .activations import relu
from .conv import conv2d
from .linear import linear
from .norm import batch_norm_eval, local_response_norm
from .pool import global_avg_pool, max_pool2d


def mlp(x, state, activation=relu):
    """`MLP`: x (N, …) → (N, classes)."""
    x = x.reshape(len(x), -1)
    last = len(state) // 2 - 1
    for i in range(last):
        x = activation(linear(x, *_layer(state, f"layers.{i}")))
    return linear(x, *_layer(state, f"layers.{last}"))


def alexnet(x, state):
    """`AlexNet`: x (N, 3, 224, 224) → (N, classes)."""
    x = relu(conv2d(x, *_layer(state, "conv1"), stride=4, padding=2))
    x = max_pool2d(local_response_norm(x), 3, 2)
    x = relu(conv2d(x, *_layer(state, "conv2"), padding=2, groups=2))
    x = max_pool2d(local_response_norm(x), 3, 2)
    x = relu(conv2d(x, *_layer(state, "conv3"), padding=1))
    x = relu(conv2d(x, *_layer(state, "conv4"), padding=1, groups=2))
    x = relu(conv2d(x, *_layer(state, "conv5"), padding=1, groups=2))
    x = max_pool2d(x, 3, 2).reshape(len(x), -1)
    x = relu(linear(x, *_layer(state, "fc6")))
    x = relu(linear(x, *_layer(state, "fc7")))
    return linear(x, *_layer(state, "fc8"))


def small_alexnet(x, state, depths=(1, 1, 2), activation=relu, pool=3, lrn=0.0, groups=1):
    """`SmallAlexNet` with `depths` convolutions in its stages: x (N, channels, size, size) → (N, classes)."""
    layers = count()
    for n in depths:
        for i in islice(layers, n):
            weight, bias = _layer(state, f"convs.{i}")
            x = conv2d(x, weight, bias, padding=weight.shape[2] // 2, groups=groups if i else 1)
            if f"norms.{i}.weight" in state:
                x = _batch_norm(x, state, f"norms.{i}")
            x = activation(x)
            if lrn and i < 2:
                x = local_response_norm(x, alpha=lrn)
        x = max_pool2d(x, pool, 2, (pool - 1) // 2)
    x = activation(linear(x.reshape(len(x), -1), *_layer(state, "fc1")))
    return linear(x, *_layer(state, "fc2"))


def vgg(x, state, depths=(2, 2, 4, 4, 4)):
    """`VGG` with `depths` convolutions between the poolings: x (N, 3, 224, 224) → (N, classes)."""
    layers = count()
    for n in depths:
        for _ in range(n):
            x = relu(conv2d(x, *_layer(state, f"convs.{next(layers)}"), padding=1))
        x = max_pool2d(x, 2)
    x = x.reshape(len(x), -1)
    x = relu(linear(x, *_layer(state, "fcs.0")))
    x = relu(linear(x, *_layer(state, "fcs.1")))
    return linear(x, *_layer(state, "fcs.2"))


def resnet(x, state, depths, shortcut="B"):
    """`ResNet`, of any depth and width, with shortcut A, B, C or None: x (N, 3, H, W) → (N, classes)."""
    large = state["stem.0.weight"].shape[2] == 7
    x = relu(_conv_bn(x, state, "stem", stride=2 if large else 1))
    if large:
        x = max_pool2d(x, 3, 2, 1)
    blocks = count()
    for stage, n in enumerate(depths):
        for i in range(n):
            x = _block(x, state, f"blocks.{next(blocks)}", 2 if stage and not i else 1, shortcut)
    return linear(global_avg_pool(x), *_layer(state, "fc"))


def _block(x, state, name, stride, shortcut):
    if f"{name}.units.2.0.weight" in state:
        y = relu(_conv_bn(x, state, f"{name}.units.0"))
        y = relu(_conv_bn(y, state, f"{name}.units.1", stride))
        y = _conv_bn(y, state, f"{name}.units.2")
    else:
        y = relu(_conv_bn(x, state, f"{name}.units.0", stride))
        y = _conv_bn(y, state, f"{name}.units.1")
    if f"{name}.shortcut.0.weight" in state:
        y = y + _conv_bn(x, state, f"{name}.shortcut", stride)
    elif shortcut is not None:
        before = (y.shape[1] - x.shape[1]) // 2  # channels of zeros before the ones there are
        y[:, before:before + x.shape[1]] += x[:, :, ::stride, ::stride]
    return relu(y)


def _conv_bn(x, state, name, stride=1):
    weight = state[f"{name}.0.weight"]
    return _batch_norm(conv2d(x, weight, stride=stride, padding=weight.shape[2] // 2), state, f"{name}.1")


def _batch_norm(x, state, name):
    return batch_norm_eval(x, state[f"{name}.running_mean"], state[f"{name}.running_var"], *_layer(state, name))


def _layer(state, name):
    return state[f"{name}.weight"], state[f"{name}.bias"]
