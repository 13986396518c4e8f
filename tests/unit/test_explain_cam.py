"""CAM by hand, Grad-CAM against `ref`, and the two against each other."""

import numpy as np
import pytest
import torch
from torch import nn

from dtwin import explain, ref, twin


def resnet():
    torch.manual_seed(0)
    net = twin.nets.ResNet((1, 1, 1), width=4, classes=6, shortcut="A").double().eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.normal_(module.running_mean)
    return net


def pictures(n=5, size=16):
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(1), dtype=torch.double)


def test_cam_by_hand():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.fc = nn.Identity(), nn.Linear(2, 2)
            self.fc.weight.data = torch.tensor([[1.0, -2.0], [3.0, 0.5]])

        def forward(self, x):
            return self.fc(self.last(x).mean((2, 3)))

    x = torch.tensor([[[[1.0, 2.0]], [[4.0, 0.0]]]])
    assert explain.cam(Net(), x, "last", classes=0)[0].tolist() == [[1 - 8, 2]]
    assert explain.cam(Net(), x, "last", classes=1)[0].tolist() == [[3 + 2, 6]]
    assert explain.grad_cam(Net(), x, "last", classes=0)[0].tolist() == [[0, 1]]  # half: two places


def test_where_a_network_ends_in_the_mean_grad_cam_is_cam_divided_by_the_places():
    net, x = resnet(), pictures()
    for classes in (None, 3, [0, 1, 2, 3, 4]):
        cam, got = explain.cam(net, x, "blocks.2", classes=classes), explain.grad_cam(net, x, "blocks.2", classes)
        assert cam.shape == (5, 4, 4)
        torch.testing.assert_close(got, cam.relu() / 16, rtol=1e-12, atol=1e-15)
    assert cam.min() < 0 < cam.max()


@pytest.mark.parametrize("layer, side", [("stem", 16), ("blocks.0", 16), ("blocks.1", 8)])
def test_grad_cam_is_that_of_ref_at_any_layer(layer, side, device):
    net, x = resnet().to(device), pictures().to(device)
    with explain.capture(net, layer) as outputs:
        scores = net(x)
        (gradients,) = torch.autograd.grad(scores.diagonal().sum(), outputs[-1])
        expected = ref.grad_cam(outputs[-1].detach().cpu().numpy(), gradients.cpu().numpy())
    got = explain.grad_cam(net, x, layer, [0, 1, 2, 3, 4], batch=2).cpu().numpy()
    assert got.shape == (5, side, side) and got.max() > 0
    np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-14)


def test_guided_grad_cam_is_the_product():
    net, x = resnet(), pictures()
    got = explain.guided_grad_cam(net, x, "blocks.1", 2)
    where = nn.Upsample((16, 16), mode="bilinear")(explain.grad_cam(net, x, "blocks.1", 2)[:, None])
    torch.testing.assert_close(got, where * explain.guided_backprop(net, x, 2))
    assert got.shape == x.shape and got.abs().max() > 0
    own = net(x).argmax(1)
    assert explain.guided_grad_cam(net, x, "blocks.1").equal(explain.guided_grad_cam(net, x, "blocks.1", own))


def test_resize_by_hand():
    assert explain.resize(torch.tensor([[[0.0, 4.0]]]), (1, 4))[0].tolist() == [[0, 1, 3, 4]]
    with pytest.raises(ValueError, match=r"explain.resize: got shape \(1, 1, 2, 2\), expected maps \(N, h, w\)"):
        explain.resize(torch.zeros(1, 1, 2, 2), (4, 4))


def test_cam_refuses_a_network_that_does_not_end_in_the_mean():
    net, x = twin.nets.SmallAlexNet(hidden=48).double(), pictures(size=32)
    for layer, head in (("convs.3", "fc2"), ("convs.3", "fc1"), ("convs.0", "fc2")):
        with pytest.raises(ValueError, match=f"cam: got layer='{layer}' and head='{head}' that do not make the scores, "
                                             "expected a network that ends in global average pooling"):
            explain.cam(net, x, layer, head)
    with pytest.raises(ValueError, match="cam: got layer='blocks.0' and head='fc' that do not"):
        explain.cam(resnet(), pictures(), "blocks.0")
    with pytest.raises(ValueError, match="cam: got head='stem', a Sequential, expected a Linear layer"):
        explain.cam(resnet(), pictures(), "blocks.2", "stem")
    with pytest.raises(ValueError, match="cam: got layer='head', expected a layer of ResNet"):
        explain.cam(resnet(), pictures(), "blocks.2", "head")
