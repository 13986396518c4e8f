"""The networks of the lecture, named, ordered and shaped as in their papers.

`features(x)` are the last feature maps, which explain what `forward` decides.
"""

from functools import partial
from itertools import islice, pairwise, zip_longest

from torch import nn
from torch.nn import functional as F

from .activations import relu
from .norm import local_response_norm
from .pool import global_avg_pool, max_pool2d


class MLP(nn.Module):
    """Fully connected layers of the given widths: x (N, …) → (N, last width)."""

    def __init__(self, *widths, activation=relu):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.activation = activation

    def forward(self, x):
        *hidden, last = self.layers
        x = x.flatten(1)
        for layer in hidden:
            x = self.activation(layer(x))
        return last(x)


class AlexNet(nn.Module):
    """Krizhevsky et al. (2012), the two towers as groups: x (N, 3, 224, 224) → (N, classes)."""

    def __init__(self, classes=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4, padding=2)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=2)
        self.fc6 = nn.Linear(256 * 6 * 6, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, classes)
        for name, layer in self.named_children():  # section 5 of the paper
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.constant_(layer.bias, name in {"conv2", "conv4", "conv5", "fc6", "fc7"})

    def features(self, x):
        x = max_pool2d(local_response_norm(relu(self.conv1(x))), 3, 2)  # (N, 96, 27, 27)
        x = max_pool2d(local_response_norm(relu(self.conv2(x))), 3, 2)  # (N, 256, 13, 13)
        x = relu(self.conv4(relu(self.conv3(x))))
        return max_pool2d(relu(self.conv5(x)), 3, 2)  # (N, 256, 6, 6)

    def forward(self, x):
        x = self.features(x).flatten(1)
        for layer in (self.fc6, self.fc7):
            x = F.dropout(relu(layer(x)), 0.5, self.training)
        return self.fc8(x)


class SmallAlexNet(nn.Module):
    """AlexNet's plan for small pictures: x (N, channels, size, size) → (N, classes).

    A stage is a row of convolutions, given by their widths, and a pooling that halves the side, with windows of `pool`
    pixels: 3 overlap, 2 do not. Every convolution may have batch normalisation; all but the first may have groups;
    `lrn` is the alpha of the local response normalisation behind the first two. One hidden layer follows, with dropout;
    `embed` gives its units (N, hidden).
    """

    def __init__(self, classes=10, channels=3, size=32, stages=((16,), (32,), (48, 48)), hidden=128, activation=relu,
                 pool=3, batch_norm=False, lrn=0.0, groups=1, dropout=0.0):
        super().__init__()
        widths = [width for stage in stages for width in stage]
        self.depths, self.activation, self.pool = tuple(len(stage) for stage in stages), activation, pool
        self.lrn, self.dropout = lrn, dropout
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 3 if i else 5, padding=1 if i else 2, groups=groups if i else 1)
            for i, (a, b) in enumerate(pairwise([channels, *widths])))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths if batch_norm)
        for _ in stages:
            size = (size + (pool - 1) // 2 * 2 - pool) // 2 + 1
        self.fc1 = nn.Linear(widths[-1] * size**2, hidden)
        self.fc2 = nn.Linear(hidden, classes)
        for layer in (*self.convs, self.fc1):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu" if activation is relu else "linear")
            nn.init.zeros_(layer.bias)

    def features(self, x):
        layers = enumerate(zip_longest(self.convs, self.norms))
        for n in self.depths:
            for i, (conv, norm) in islice(layers, n):
                x = conv(x)
                x = self.activation(norm(x) if norm else x)
                if self.lrn and i < 2:
                    x = local_response_norm(x, alpha=self.lrn)
            x = max_pool2d(x, self.pool, 2, (self.pool - 1) // 2)
        return x

    def embed(self, x):
        return self.activation(self.fc1(self.features(x).flatten(1)))

    def forward(self, x):
        return self.fc2(F.dropout(self.embed(x), self.dropout, self.training))


class VGG(nn.Module):
    """Simonyan & Zisserman (2015): 3×3 convolutions only, x (N, 3, 224, 224) → (N, classes).

    `depths` counts the convolutions between two poolings.
    """

    def __init__(self, depths=(2, 2, 4, 4, 4), classes=1000):
        super().__init__()
        widths = [width for width, n in zip((64, 128, 256, 512, 512), depths) for _ in range(n)]
        self.depths = depths
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise([3, *widths]))
        self.fcs = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise([512 * 7 * 7, 4096, 4096, classes]))
        for layer in (*self.convs, *self.fcs):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def features(self, x):
        convs = iter(self.convs)
        for n in self.depths:
            for _ in range(n):
                x = relu(next(convs)(x))
            x = max_pool2d(x, 2)
        return x

    def forward(self, x):
        x = self.features(x).flatten(1)
        for layer in self.fcs[:-1]:
            x = F.dropout(relu(layer(x)), 0.5, self.training)
        return self.fcs[-1](x)


def conv_bn(ins, outs, kernel_size, stride=1):
    """A convolution that keeps the size at stride 1, without bias, and batch normalisation."""
    conv = nn.Conv2d(ins, outs, kernel_size, stride, kernel_size // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(outs))


class PadShortcut(nn.Module):
    """Option A: every `stride`-th pixel, and zeros for the channels that are missing."""

    def __init__(self, ins, outs, stride):
        super().__init__()
        self.missing, self.stride = outs - ins, stride

    def forward(self, x):
        before = self.missing // 2  # half on either side, as the public weights were trained
        return F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, before, self.missing - before))


class Block(nn.Module):
    """Two 3×3 convolutions, or a bottleneck of 1×1, 3×3, 1×1, added to a shortcut.

    Where the size changes, shortcut A pads with zeros and B projects; C projects everywhere; None is
    the plain block, without shortcut.
    """

    def __init__(self, ins, width, stride, bottleneck, shortcut):
        super().__init__()
        outs = 4 * width if bottleneck else width
        if bottleneck:  # stride in the 3×3, as in torchvision's weights; the paper: in the first 1×1
            units = conv_bn(ins, width, 1), conv_bn(width, width, 3, stride), conv_bn(width, outs, 1)
        else:
            units = conv_bn(ins, width, 3, stride), conv_bn(width, outs, 3)
        self.units, self.shortcut = nn.ModuleList(units), None
        if shortcut == "C" or (shortcut == "B" and (ins, stride) != (outs, 1)):
            self.shortcut = conv_bn(ins, outs, 1, stride)
        elif shortcut is not None:
            self.shortcut = PadShortcut(ins, outs, stride)

    def forward(self, x):
        *first, last = self.units
        y = x
        for unit in first:
            y = relu(unit(y))
        y = last(y)
        return relu(y if self.shortcut is None else y + self.shortcut(x))


class ResNet(nn.Module):
    """He et al. (2016): stages of blocks, each stage half the size and twice the width.

    `depths` counts the blocks of each stage. Width 64 begins with the 7×7 convolution and the pooling
    for ImageNet, x (N, 3, 224, 224); width 16 with one 3×3 for CIFAR-10, x (N, 3, 32, 32) → (N, classes).
    """

    def __init__(self, depths, width=64, classes=1000, bottleneck=False, shortcut="B"):
        super().__init__()
        if shortcut not in ("A", "B", "C", None):
            raise ValueError(f"ResNet: got shortcut={shortcut!r}, expected 'A', 'B', 'C' or None")
        self.stem = conv_bn(3, width, 7, 2) if width == 64 else conv_bn(3, width, 3)
        self.blocks, ins = nn.ModuleList(), width
        for stage, n in enumerate(depths):
            for i in range(n):
                stride = 2 if stage > 0 and i == 0 else 1
                self.blocks.append(Block(ins, width << stage, stride, bottleneck, shortcut))
                ins = (width << stage) * (4 if bottleneck else 1)
        self.fc = nn.Linear(ins, classes)

    def features(self, x):
        x = relu(self.stem(x))
        if self.stem[0].kernel_size == (7, 7):
            x = max_pool2d(x, 3, 2, 1)
        for block in self.blocks:
            x = block(x)
        return x

    def forward(self, x):
        return self.fc(global_avg_pool(self.features(x)))


alexnet, vgg19 = AlexNet, VGG

resnet18 = partial(ResNet, (2, 2, 2, 2))
resnet34 = partial(ResNet, (3, 4, 6, 3))
resnet50 = partial(ResNet, (3, 4, 6, 3), bottleneck=True)
resnet101 = partial(ResNet, (3, 4, 23, 3), bottleneck=True)
resnet152 = partial(ResNet, (3, 8, 36, 3), bottleneck=True)

# the CIFAR-10 family of section 4.2: 6n + 2 layers in three stages of n blocks
cifar = partial(ResNet, width=16, classes=10, shortcut="A")
resnet20, resnet32, resnet44, resnet56, resnet110 = (
    partial(cifar, (n, n, n)) for n in (3, 5, 7, 9, 18))
plain20, plain32, plain44, plain56, plain110 = (
    partial(cifar, (n, n, n), shortcut=None) for n in (3, 5, 7, 9, 18))
