"""The cost of a network, against PyTorch's own counter, the numbers published, and sums done by hand."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dtwin import cost, twin

NETS = [("alexnet", 224), ("vgg19", 224), ("resnet18", 224), ("resnet50", 224), ("resnet110", 32), ("plain20", 32)]


def build(name):
    with torch.device("meta"):
        return getattr(twin.nets, name)()


@pytest.mark.parametrize("name, size", NETS)
def test_a_network_costs_what_pytorch_counts(name, size):
    net = build(name).eval()
    with FlopCounterMode(display=False) as counter:
        net(torch.empty(1, 3, size, size, device="meta"))
    whole = cost.total(net, (3, size, size))
    assert 2 * whole.multiply_adds == counter.get_total_flops()
    assert whole.parameters == sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize("name, published", [("vgg19", 19.6e9), ("resnet34", 3.6e9), ("resnet18", 1.8e9)])
def test_a_network_costs_what_its_paper_says(name, published):
    assert cost.total(build(name), (3, 224, 224)).multiply_adds == pytest.approx(published, rel=0.02)


def test_layers_come_as_they_compute_and_by_hand():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Linear(4 * 2 * 3, 5)
            self.norm = nn.BatchNorm2d(4)
            self.conv = nn.Conv2d(2, 4, 3, stride=2, padding=1, groups=2, bias=False)

        def forward(self, x):
            return self.last(self.norm(self.conv(x)).flatten(1))

    net = Net().train()
    rows = cost.layers(net, (2, 4, 6))
    assert rows == [("conv", (4, 2, 3), 36, 36 * 6), ("norm", (4, 2, 3), 8, 0), ("last", (5,), 125, 120)]
    assert cost.total(net, (2, 4, 6)) == ("Net", (5,), 36 + 8 + 125, 36 * 6 + 120)
    assert net.training and not net.norm.num_batches_tracked and not any(m._forward_hooks for m in net.modules())


def test_a_network_left_in_evaluation_mode_stays_there():
    net = build("plain20").eval()
    cost.layers(net, (3, 8, 8))
    assert not any(layer.training for layer in net.modules())


def test_no_hook_stays_when_the_picture_does_not_fit():
    net = build("plain20")
    with pytest.raises(RuntimeError):
        cost.layers(net, (1, 8, 8))
    assert net.training and not any(m._forward_hooks for m in net.modules())


def test_a_layer_of_another_kind_is_named():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ConvTranspose2d(2, 1, 3))
    with pytest.raises(ValueError, match=r"cost\.layers: got ConvTranspose2d '1' with .*, expected Conv2d"):
        cost.layers(net, (1, 8, 8))


def test_a_network_without_parameters_is_refused():
    with pytest.raises(ValueError, match=r"cost\.layers: got ReLU without parameters, expected a network with some"):
        cost.total(nn.ReLU(), (1, 8, 8))


def test_a_layer_that_computes_twice_costs_twice_and_has_its_parameters_once():
    layer = nn.Conv2d(2, 2, 3, padding=1)
    net = nn.Sequential(layer, nn.ReLU(), layer)
    assert cost.total(net, (2, 4, 4)) == ("Sequential", (2, 4, 4), 38, 2 * 36 * 16)


def test_a_layer_frozen_in_a_network_that_trains_stays_frozen():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    net[1].eval()
    cost.layers(net, (1, 8, 8))
    assert [net.training, net[0].training, net[1].training] == [True, True, False]
