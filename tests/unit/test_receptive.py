"""The receptive field computed from kernels, strides and paddings, against the pixels that a unit's gradient reaches."""

import pytest
import torch
from torch import nn

from dtwin import explain, receptive, twin

# a layer of each network by its name there, and how many convolutions and poolings lead to it
PLACES = [("alexnet", 224, "conv5", 7),
          ("resnet18", 96, "stem", 1), ("resnet18", 96, "blocks.1", 6), ("resnet18", 96, "blocks.3", 10),
          ("resnet34", 96, "blocks.4.units.0", 11), ("resnet50", 64, "blocks.1", 8),
          ("resnet20", 32, "stem", 1), ("resnet20", 32, "blocks.1.units.1", 5), ("resnet20", 32, "blocks.5", 13), ("plain20", 32, "blocks.6", 15)]


@pytest.mark.parametrize("name, side, layer, depth", PLACES)
def test_a_unit_sees_the_pixels_that_its_gradient_reaches(name, side, layer, depth):
    torch.manual_seed(0)
    net = getattr(twin.nets, name)()
    beneath = receptive.layers(net, (3, side, side))[:depth]
    length, step, start = receptive.field(beneath)
    units = beneath[-1].units
    places = torch.tensor([[0, units - 1], [units // 2, units // 3]])
    seen = explain.windows(net, torch.zeros(2, 3, side, side), layer, places)
    first = start + step * places
    assert torch.equal(seen, torch.cat([first, first + length], 1).clamp(0, side))


@pytest.mark.parametrize("name, side, depth, units", [
    ("alexnet", 224, 8, 6), ("vgg19", 224, 21, 7), ("resnet18", 224, 18, 7), ("resnet34", 224, 34, 7),
    ("resnet20", 32, 19, 8), ("plain20", 32, 19, 8), ("resnet110", 32, 109, 8)])
def test_a_network_has_the_layers_of_its_paper(name, side, depth, units):
    with torch.device("meta"):
        found = receptive.layers(getattr(twin.nets, name)(), (3, side, side))
    assert len(found) == depth and found[-1].units == units


def test_layers_by_hand():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.wide, self.norm, self.short = nn.Conv2d(1, 2, 5, 2, 2), nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1, 2)

        def forward(self, x):
            x = self.norm(self.wide(x))
            return self.short(x) + nn.MaxPool2d(2)(nn.functional.max_pool2d(x, 3, 1, 1))

    net = Net().train()
    found = receptive.layers(net, (1, 12, 12))
    assert found == [("conv 1", 5, 2, 2, 6), ("pool 1", 3, 1, 1, 6), ("pool 2", 2, 2, 0, 3)]
    assert receptive.field(found) == (11, 4, -4)
    assert receptive.field([]) == (1, 1, 0)
    assert net.training and net.norm.num_batches_tracked == 0


class Both(nn.Module):
    """Two ways, the longer one the second, whose maps are laid behind each other."""

    def __init__(self):
        super().__init__()
        self.near, self.far = nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 5, padding=2)

    def forward(self, x):
        return torch.cat([self.near(x), self.far(self.near(x))], dim=1)


class Ours(nn.Module):
    """The operators of this course, called without a layer around them."""

    def forward(self, x):
        ones = torch.ones(1, 1, 3, 3)
        return twin.conv2d(twin.avg_pool2d(twin.conv2d(x, ones, padding=1), 2), ones, padding=1)


@pytest.mark.parametrize("net, expected", [
    (nn.Sequential(nn.Conv2d(1, 1, 3), nn.AvgPool2d(2), nn.Conv2d(1, 1, 3)), (8, 2, 0)), (Both(), (7, 1, -3)), (Ours(), (8, 2, -3))])
def test_means_ways_that_meet_and_operators_without_layers_are_followed(net, expected):
    found = receptive.field(receptive.layers(net, (1, 20, 20)))
    assert found == expected
    whole = nn.Sequential(net)  # explain asks layers by their names
    (seen,) = explain.windows(whole, torch.zeros(1, 1, 20, 20), "0", [[3, 3]])
    first = found.start + 3 * found.step
    assert seen.tolist() == [first, first, first + found.length, first + found.length]


@pytest.mark.parametrize("layer, came", [
    (nn.Conv2d(1, 1, (3, 1)), r"conv 1 with kernel \(3, 1\), stride \(1, 1\), padding \(0, 0\), dilation \(1, 1\)"),
    (nn.Conv2d(1, 1, 3, dilation=2), r"dilation \(2, 2\)"),
    (nn.Conv2d(1, 1, 3, padding="same"), "padding same"),
    (nn.Sequential(nn.Conv2d(1, 1, 1), nn.MaxPool2d(3, (1, 2))), r"pool 1 with kernel 3, stride \(1, 2\)")])
def test_windows_that_are_no_squares_are_refused(layer, came):
    with pytest.raises(ValueError, match=rf"receptive\.layers: got .*{came}.*, expected squares without dilation"):
        receptive.layers(layer, (1, 8, 8))


def test_a_picture_that_is_no_square_is_refused():
    with pytest.raises(ValueError, match=r"receptive\.layers: got shape=\(3, 8, 9\), expected \(C, side, side\)"):
        receptive.layers(twin.nets.resnet20(), (3, 8, 9))
