"""The course's own small AlexNet: its sizes, and equal in `ref` and `twin` with every option."""

import numpy as np
import pytest
import torch
from torch import nn

from dtwin import ref, twin

ALL = dict(stages=((4,), (6, 8)), hidden=7, classes=5, channels=2, size=12)


def net_of(**options):
    """A net in double precision whose every number is random, its batch statistics too."""
    generator = torch.Generator().manual_seed(0)
    net = twin.nets.SmallAlexNet(**options).double().eval()
    for name, tensor in net.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5, generator=generator)
        elif tensor.is_floating_point():
            tensor.normal_(0, 0.3, generator=generator)
    return net


@pytest.mark.parametrize("options", [
    {}, {"pool": 2}, {"groups": 2}, {"lrn": 0.5}, {"batch_norm": True}, {"activation": "tanh"},
    {"pool": 2, "groups": 2, "lrn": 0.5, "batch_norm": True, "activation": "sigmoid"},
])
def test_it_equals_its_reference(options, device):
    net = net_of(**ALL, **{name: getattr(twin, value) if name == "activation" else value
                           for name, value in options.items()})
    x = np.random.default_rng(0).normal(size=(3, 2, 12, 12))
    state = {name: tensor.numpy() for name, tensor in net.state_dict().items()}
    options = {name: getattr(ref, value) if name == "activation" else value for name, value in options.items()}
    options.pop("batch_norm", None)  # which the state tells
    got = ref.nets.small_alexnet(x, state, (1, 2), **options)
    expected = net.to(device)(torch.tensor(x, device=device)).detach().cpu().numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)
    assert got.shape == (3, 5) and got.std() > 0


def test_each_stage_halves_the_side_with_either_pooling():
    x = torch.zeros(2, 3, 32, 32)
    for pool in (2, 3):
        assert twin.nets.SmallAlexNet(pool=pool).features(x).shape == (2, 48, 4, 4)
    assert twin.nets.SmallAlexNet(hidden=9).embed(x).shape == (2, 9)
    assert twin.nets.SmallAlexNet(size=16, classes=7)(x[:, :, :16, :16]).shape == (2, 7)


@pytest.mark.parametrize("size", [8, 20, 28, 30])
@pytest.mark.parametrize("pool", [2, 3])
def test_a_side_that_is_no_power_of_two_is_halved_as_its_pooling_does(size, pool):
    net = twin.nets.SmallAlexNet(channels=1, size=size, pool=pool)
    assert net(torch.zeros(2, 1, size, size)).shape == (2, 10)


def test_two_groups_halve_the_weights_of_all_convolutions_but_the_first():
    one, two = ([conv.weight.numel() for conv in twin.nets.SmallAlexNet(groups=g).convs] for g in (1, 2))
    assert one[0] == two[0] and [n // 2 for n in one[1:]] == two[1:]


def test_dropout_acts_in_training_only():
    net, x = twin.nets.SmallAlexNet(dropout=0.5), torch.ones(1, 3, 32, 32)
    assert not net(x).equal(net(x)) and net.eval()(x).equal(net(x))
    assert any(isinstance(module, nn.BatchNorm2d) for module in twin.nets.SmallAlexNet(batch_norm=True).modules())
