"""What `explain` does to a network while it looks inside: nothing that stays; and what it says of a wrong question."""

import gc

import pytest
import torch
from torch import nn

from dtwin import explain, twin

LAYER = "norms.1"
WAYS = {
    "feature_maps": lambda net, x: explain.feature_maps(net, x, LAYER),
    "top_activations": lambda net, x: explain.top_activations(net, x, LAYER, 2),
    "windows": lambda net, x: explain.windows(net, x, LAYER, torch.zeros(len(x), 2, dtype=int)),
    "gradient": lambda net, x: explain.gradient(net, x),
    "guided_backprop": lambda net, x: explain.guided_backprop(net, x),
    "deconvnet": lambda net, x: explain.deconvnet(net, x, LAYER, 0),
    "occlusion": lambda net, x: explain.occlusion(net, x, size=6, stride=6),
    "cam": lambda net, x: explain.cam(net, x, "maps"),
    "grad_cam": lambda net, x: explain.grad_cam(net, x, LAYER),
    "guided_grad_cam": lambda net, x: explain.guided_grad_cam(net, x, LAYER),
    "deletion": lambda net, x: explain.deletion(net, x, x[:, 0], steps=2),
    "insertion": lambda net, x: explain.insertion(net, x, x[:, 0], steps=2),
}
ways = pytest.mark.parametrize("way", WAYS)


class Pooled(nn.Module):
    """A net of layers that are modules, ending in global average pooling."""

    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm2d(3) for _ in range(2))
        self.maps = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True))
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        return self.fc(self.maps(self.norms[1](self.norms[0](x))).mean((2, 3)))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Pooled()


def pictures(n=3):
    return torch.randn(n, 3, 12, 12, generator=torch.Generator().manual_seed(1))


def listed(out):
    return [out] if isinstance(out, torch.Tensor) else [*out]


def tensors():
    gc.collect()
    return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())


@ways
def test_nothing_stays_behind(way, net, device):
    net, x = net.to(device), pictures().to(device)
    modes = [module.training for module in net.train().modules()]
    net.norms[0].eval()
    modes[[*net.modules()].index(net.norms[0])] = False
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    WAYS[way](net, x)  # PyTorch makes tensors of its own at its first call
    before = tensors()
    out = WAYS[way](net, x)
    parts = listed(out)
    assert tensors() - before == len(parts)
    assert all(part.grad_fn is None and not part.requires_grad and part.isfinite().all() for part in parts)
    assert not any(module._forward_hooks or module._backward_hooks for module in net.modules())
    assert [module.training for module in net.modules()] == modes
    assert all(p.grad is None for p in net.parameters())
    assert all(tensor.equal(state[name]) for name, tensor in net.state_dict().items())
    assert x.grad is None and not x.requires_grad


@ways
def test_batches_change_nothing(way, net, monkeypatch):
    x = pictures(7)
    whole = WAYS[way](net.double(), x.double())
    split = torch.Tensor.split
    monkeypatch.setattr(torch.Tensor, "split", lambda self, size, dim=0: split(self, 3, dim))
    parts = WAYS[way](net, x.double())
    for a, b in zip(listed(whole), listed(parts), strict=True):
        torch.testing.assert_close(a, b)


@ways
def test_it_works_where_gradients_are_off_and_weights_are_frozen(way, net):
    expected = WAYS[way](net, pictures())
    net.requires_grad_(False)
    with torch.no_grad():
        torch.testing.assert_close(WAYS[way](net, pictures()), expected, rtol=0, atol=0)


@ways
@pytest.mark.parametrize("x, came", [
    (torch.zeros(3, 8, 8), r"shape \(3, 8, 8\) of torch.float32"),
    (torch.zeros(2, 3, 8, 8, dtype=torch.uint8), r"shape \(2, 3, 8, 8\) of torch.uint8"),
    (torch.zeros(0, 3, 8, 8), r"shape \(0, 3, 8, 8\)"),
    ([[1.0]], "list"),
], ids=["one picture", "bytes", "none", "a list"])
def test_what_is_no_batch_of_pictures_is_refused(way, net, x, came):
    if isinstance(x, list) and way in ("deletion", "insertion"):
        function = lambda: getattr(explain, way)(net, x, torch.zeros(1, 8, 8))
    else:
        function = lambda: WAYS[way](net, x)
    with pytest.raises(ValueError, match=rf"explain.{way}: got {came}.*expected pictures, a float tensor \(N, C, "):
        function()


@pytest.mark.parametrize("way, ask", {
    "feature_maps": lambda net, x, layer: explain.feature_maps(net, x, layer),
    "top_activations": lambda net, x, layer: explain.top_activations(net, x, layer, 1),
    "windows": lambda net, x, layer: explain.windows(net, x, layer, [[0, 0]] * len(x)),
    "deconvnet": lambda net, x, layer: explain.deconvnet(net, x, layer, 0),
    "cam": lambda net, x, layer: explain.cam(net, x, layer),
    "grad_cam": lambda net, x, layer: explain.grad_cam(net, x, layer),
}.items())
def test_a_wrong_layer_is_named(way, ask, net):
    with pytest.raises(ValueError, match=rf"{way}: got layer='conv9', expected a layer of Pooled, such as norms.0"):
        ask(net, pictures(), "conv9")
    with pytest.raises(ValueError, match=rf"{way}: got layer='fc', whose output is \(3, 5\), expected feature maps"):
        ask(net, pictures(), "fc")
    net.spare = nn.Conv2d(3, 3, 1)
    with pytest.raises(ValueError, match=rf"explain.{way}: got layer='spare', which the forward pass does not call"):
        ask(net, pictures(), "spare")
    assert not any(module._forward_hooks for module in net.modules())


def test_a_layer_that_gives_no_tensor_is_named():
    class Twice(nn.Module):
        def forward(self, x):
            return x, x

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.twice = Twice()

        def forward(self, x):
            return self.twice(x)[0].mean((2, 3))

    with pytest.raises(ValueError, match="got layer='twice', whose output is a tuple, expected feature maps"):
        explain.feature_maps(Net(), pictures(), "twice")


@pytest.mark.parametrize("way", ["gradient", "guided_backprop", "occlusion"])
def test_wrong_classes_are_named(way, net):
    function = getattr(explain, way)
    for classes, came in (([0, 1], r"classes \(2,\) of torch.int64, expected one class, or an integer for each of 3"),
                          (torch.zeros(3), r"classes \(3,\) of torch.float32"),
                          (5, "classes from 5 to 5, expected 0 to 4"), ([0, -1, 2], "classes from -1 to 2")):
        with pytest.raises(ValueError, match=f"explain.{way}: got {came}"):
            function(net, pictures(), classes)


def test_one_class_several_and_the_networks_own(net):
    x = pictures(4)
    own = net.eval()(x).argmax(1)
    assert explain.gradient(net, x).equal(explain.gradient(net, x, own))
    assert explain.gradient(net, x, 2).equal(explain.gradient(net, x, [2, 2, 2, 2]))
    mixed = explain.gradient(net, x, [0, 1, 2, 3])
    assert mixed[3].equal(explain.gradient(net, x, 3)[3]) and not mixed[3].equal(explain.gradient(net, x, 2)[3])


def test_capture_gives_each_output_in_turn_and_takes_its_hook_away():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(inplace=True))
    with explain.capture(net, "0") as outputs:
        net(pictures())
        net(pictures(1))
        assert [len(output) for output in outputs] == [3, 1] and outputs[0].min() < 0  # the ReLU worked on a copy
    assert outputs == [] and not net[0]._forward_hooks
    with pytest.raises(RuntimeError), explain.capture(net, "0") as outputs:
        net(torch.zeros(1, 1, 4, 4))
    assert not net[0]._forward_hooks
    with pytest.raises(ValueError, match="capture: got layer='2', expected a layer of Sequential, such as 0, 1"):
        with explain.capture(net, "2"):
            pass


def test_any_network_will_do():
    cases = (twin.nets.SmallAlexNet(), "convs.3", 32), (twin.nets.ResNet((1, 1), 4, 10), "blocks.1", 16)
    for net, layer, size in cases:
        maps = explain.grad_cam(net, torch.randn(2, 3, size, size), layer)
        assert maps.shape == (2, 8, 8) and (maps >= 0).all()
