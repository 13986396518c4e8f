"""Gradient, guided backpropagation and deconvnet: by hand on tiny nets, and they differ in the ReLU alone."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dtwin import explain, ref, twin

# one channel of 1 × 4 pixels; two units; hidden values 2 and −1; scores, of two classes
X = torch.tensor([[[[1.0, 2.0, 0.0, 1.0]]]])
W1 = torch.tensor([[1.0, 0.0, 3.0, 1.0], [-1.0, 0.0, 2.0, 0.0]])
W2 = torch.tensor([[1.0, 1.0], [-2.0, 3.0]])


class Tiny(nn.Module):
    def __init__(self, relu):
        super().__init__()
        self.relu = relu

    def forward(self, x):
        hidden = x.flatten(1) @ W1.T  # 2, −1
        return self.relu(hidden) @ W2.T


RELUS = {"torch.relu": torch.relu, "F.relu": F.relu, "method": torch.Tensor.relu, "module": nn.ReLU(),
         "in place": nn.ReLU(inplace=True), "method in place": torch.Tensor.relu_, "torch in place": torch.relu_,
         "twin": twin.relu}


@pytest.mark.parametrize("relu", RELUS.values(), ids=RELUS)
def test_the_three_rules_by_hand(relu):
    net = Tiny(relu)
    # class 0 sends (1, 1) to the hidden units, and class 1 (−2, 3); unit 0 is on, unit 1 is off
    assert explain.gradient(net, X, 0).flatten().equal(W1[0])
    assert explain.guided_backprop(net, X, 0).flatten().equal(W1[0])
    assert explain.gradient(net, X, 1).flatten().equal(-2 * W1[0])
    assert explain.guided_backprop(net, X, 1).flatten().equal(torch.zeros(4))
    pixels = X.clone().requires_grad_()
    with explain.relu_rule("deconvnet"):
        net(pixels)[0, 1].backward()
    assert pixels.grad.flatten().equal(3 * W1[1])  # positive signal, though the unit is off


def test_the_gradient_is_that_of_differences():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Tanh(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 4)).double()
    x, step = torch.randn(1, 2, 6, 6, dtype=torch.double), 1e-6
    got = explain.gradient(net, x, 1)
    for place in [(0, 0, 0, 0), (0, 1, 3, 2), (0, 0, 5, 4)]:
        d = torch.zeros_like(x)
        d[place] = step
        slope = (net(x + d) - net(x - d))[0, 1].item() / (2 * step)
        assert got[place].item() == pytest.approx(slope, abs=1e-7)


def test_a_network_without_relus_cannot_be_guided():
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2), nn.Tanh())
    assert explain.gradient(net, X).shape == X.shape
    with pytest.raises(ValueError, match="guided_backprop: got Sequential without a ReLU, expected a network with"):
        explain.guided_backprop(net, X)


def test_an_unknown_rule_is_named():
    with pytest.raises(ValueError, match="relu_rule: got name='lrp', expected one of gradient, deconvnet, guided"):
        explain.relu_rule("lrp")


def test_the_rule_ends_with_its_block():
    x = torch.tensor([-1.0], requires_grad=True)
    with explain.relu_rule("deconvnet"):
        pass
    torch.relu(x).backward()
    assert x.grad == 0


class OneUnit(nn.Module):
    """Convolution, ReLU, max pooling and a second convolution; its scores are of no interest."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 2, 1, bias=False)
        self.second = nn.Conv2d(2, 2, 1, bias=False)
        with torch.no_grad():
            self.first.weight[:] = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)
            self.second.weight[:] = torch.tensor([[2.0, -5.0], [-1.0, 4.0]]).reshape(2, 2, 1, 1)

    def forward(self, x):
        return self.second(F.max_pool2d(twin.relu(self.first(x)), 2)).flatten(1)


def test_deconvnet_goes_down_through_the_switches_by_hand():
    x = torch.tensor([[1.0, 3, 0, 0], [2, 0, -7, 1], [0, 0, 0, 0], [0, 4, 0, 0]]).reshape(1, 1, 4, 4)
    net = OneUnit()
    # map 0 is x rectified, map 1 is −x rectified; pooled: (3, 1; 4, 0) and (0, 7; 0, 0)
    # unit 0 of `second`: 2 · 4 = 8 at place (1, 0) is its strongest; unit 1: −1 · 1 + 4 · 7 = 27 at (0, 1)
    got = explain.deconvnet(net, x, "second", 0)[0, 0]
    expected = torch.zeros(4, 4)
    expected[3, 1] = 8 * 2  # the 8 through its weight 2, to where the 4 was; −5 is rectified away
    assert got.equal(expected)
    got = explain.deconvnet(net, x, "second", 1)[0, 0]
    expected = torch.zeros(4, 4)
    expected[1, 2] = 27 * 4 * -1  # map 1, whose maximum was the −7, with its weight −1; map 0 is rectified away
    assert got.equal(expected)
    both = explain.deconvnet(net, x.expand(2, -1, -1, -1), "second", [0, 1])
    assert both[1].equal(got[None]) and both[0, 0, 3, 1] == 16


def test_a_silent_unit_gives_zeros():
    x = torch.full((1, 1, 4, 4), -1.0)
    assert OneUnit()(x)[0, 0] < 0
    assert explain.deconvnet(OneUnit(), x, "second", 0).equal(torch.zeros_like(x))


def test_without_relus_deconvnet_is_the_gradient_times_the_activation():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.MaxPool2d(3, 2, 1), nn.Conv2d(3, 2, 2)).double()
    x = torch.randn(4, 1, 8, 8, dtype=torch.double, requires_grad=True)
    strongest = net(x)[:, 1].flatten(1).max(1).values
    (expected,) = torch.autograd.grad((strongest**2 / 2)[strongest > 0].sum(), x)
    torch.testing.assert_close(explain.deconvnet(net, x, "2", 1), expected, rtol=1e-12, atol=1e-12)


def test_unpooling_puts_each_maximum_back_in_its_place():
    x = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    pixels = x.clone().requires_grad_()
    pooled = F.max_pool2d(pixels, 2)
    (back,) = torch.autograd.grad(pooled, pixels, pooled.detach())
    ours = ref.max_pool2d_backward(ref.max_pool2d(x.numpy(), 2), x.numpy(), 2)
    values, switches = F.max_pool2d(x, 2, return_indices=True)
    assert back.equal(F.max_unpool2d(values, switches, 2)) and back.equal(torch.tensor(ours))


@pytest.mark.parametrize("units, came", [
    (2, "units from 2 to 2, expected 0 to 1"), (-1, "units from -1 to -1"),
    ([0, 1, 0], r"units \(3,\) of torch.int64, expected one unit, or an integer for each of 2"), (0.5, r"units \(\) of torch.float32")])
def test_an_unknown_unit_is_named(units, came):
    with pytest.raises(ValueError, match=f"deconvnet: got {came}"):
        explain.deconvnet(OneUnit(), torch.zeros(2, 1, 4, 4), "second", units)
