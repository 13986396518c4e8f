"""The networks: as many parameters as published, the sizes of the papers, and equal in `ref` and `twin`."""

import numpy as np
import pytest
import torch
from torch import nn

from dtwin import ref, twin

# published counts; the CIFAR family's are exact for option A, Table 6 of He et al. rounds them to 0.01 M
PARAMETERS = {
    "alexnet": 60_965_224, "vgg19": 143_667_240,
    "resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032,
    "resnet101": 44_549_160, "resnet152": 60_192_808,
    "resnet20": 269_722, "resnet32": 464_154, "resnet44": 658_586, "resnet56": 853_018,
    "resnet110": 1_727_962,
}


def build(name, **options):
    with torch.device("meta"):  # shapes without numbers
        return getattr(twin.nets, name)(**options)


def parameters(net):
    return sum(p.numel() for p in net.parameters())


def randomise(net, seed=0):
    """Numbers as no fresh network has them, so that no parity can hold by accident."""
    generator = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.running_var):
                tensor.uniform_(0.5, 1.5, generator=generator)
            for tensor in (module.bias.data, module.running_mean):
                tensor.normal_(0, 0.5, generator=generator)
        elif isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            module.weight.data.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
            if module.bias is not None:
                module.bias.data.normal_(0, 0.5, generator=generator)
    return net.eval()


def assert_parity(net, forward, x, device, rtol=1e-9):
    state = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    with torch.no_grad():
        expected = net.to(device)(torch.tensor(x, device=device)).cpu().numpy()
    got = forward(x, state)
    assert got.shape == expected.shape and expected.std() > 0
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=rtol * np.abs(expected).max())


@pytest.mark.parametrize("name", PARAMETERS)
def test_as_many_parameters_as_published(name):
    assert parameters(build(name)) == PARAMETERS[name]


@pytest.mark.parametrize("name", [n for n in PARAMETERS if PARAMETERS[n] < 2e6])
def test_option_a_and_plain_nets_have_the_same_parameters_and_b_and_c_have_more(name):
    plain = build(name.replace("resnet", "plain"))
    residual = build(name)
    shapes = [[p.shape for p in net.parameters()] for net in (plain, residual)]
    assert shapes[0] == shapes[1]
    counts = [parameters(build(name, shortcut=s)) for s in "ABC"]
    assert counts == sorted(set(counts))
    layers = sum(isinstance(m, (nn.Conv2d, nn.Linear)) for m in residual.modules())
    assert layers == int(name.removeprefix("resnet"))  # the depth in its name


@pytest.mark.parametrize("name, size, maps", [
    ("alexnet", 224, (1, 256, 6, 6)), ("vgg19", 224, (1, 512, 7, 7)), ("resnet18", 224, (1, 512, 7, 7)),
    ("resnet50", 224, (1, 2048, 7, 7)), ("resnet20", 32, (1, 64, 8, 8)), ("plain56", 32, (1, 64, 8, 8)),
])
def test_feature_maps_have_the_size_of_the_paper(name, size, maps):
    net = build(name, classes=7)
    x = torch.empty(1, 3, size, size, device="meta")
    assert net.features(x).shape == maps and net(x).shape == (1, 7)


def test_alexnet_and_vgg_equal_their_reference(device):
    x = np.random.default_rng(0).standard_normal((1, 3, 224, 224), np.float32)
    alexnet, vgg = build("alexnet"), build("VGG", depths=(1, 1, 2, 1, 1))
    with torch.device("meta"):  # a hundred million numbers less
        alexnet.fc6, alexnet.fc7, alexnet.fc8 = nn.Linear(9216, 9), nn.Linear(9, 8), nn.Linear(8, 5)
        vgg.fcs = nn.ModuleList([nn.Linear(25088, 9), nn.Linear(9, 8), nn.Linear(8, 5)])
    assert_parity(randomise(alexnet.to_empty(device="cpu")), ref.nets.alexnet, x, device, 1e-4)
    assert_parity(randomise(vgg.to_empty(device="cpu")),
                  lambda *a: ref.nets.vgg(*a, depths=(1, 1, 2, 1, 1)), x, device, 1e-4)


@pytest.mark.parametrize("shortcut", ["A", "B", "C", None])
@pytest.mark.parametrize("width, bottleneck", [(64, False), (64, True), (16, False)])
def test_resnets_equal_their_reference(width, bottleneck, shortcut, device):
    depths = (1, 2, 2)
    net = twin.nets.ResNet(depths, width, 5, bottleneck, shortcut).double()
    x = np.random.default_rng(0).normal(size=(2, 3, 33, 32))
    assert_parity(randomise(net), lambda *a: ref.nets.resnet(*a, depths, shortcut), x, device)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_mlp_equals_its_reference(activation, device):
    net = randomise(twin.nets.MLP(12, 7, 5, 3, activation=getattr(twin, activation)).double())
    x = np.random.default_rng(0).normal(size=(4, 3, 4))
    assert_parity(net, lambda *a: ref.nets.mlp(*a, getattr(ref, activation)), x, device)


def test_dropout_is_for_training_only_and_repeats_with_its_seed():
    net, x = twin.nets.alexnet(classes=3), torch.ones(1, 3, 224, 224)
    with torch.no_grad():
        torch.manual_seed(0)
        a, b = net(x), net(x)
        torch.manual_seed(0)
        assert torch.equal(a, net(x)) and not torch.equal(a, b)
        net.eval()
        assert torch.equal(net(x), net(x))


def test_a_residual_network_learns(device):
    torch.manual_seed(0)
    net = twin.nets.ResNet((1, 1, 1), width=16, classes=2, shortcut="A").to(device)
    x, labels = torch.randn(8, 3, 8, 8).to(device), (torch.arange(8) % 2).to(device)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    losses = []
    for _ in range(12):
        loss = twin.cross_entropy(net(x), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


def test_an_unknown_shortcut_fails():
    with pytest.raises(ValueError, match="ResNet: got shortcut='D', expected 'A', 'B', 'C' or None"):
        twin.nets.resnet20(shortcut="D")
