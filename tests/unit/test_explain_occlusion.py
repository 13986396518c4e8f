"""Occlusion against a loop over pixels."""

import pytest
import torch
from torch import nn

from dtwin import explain


def net_and_pictures():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 5 * 7, 3)).double().eval()
    return net, torch.randn(4, 3, 7, 9, dtype=torch.double)


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("size, stride, fill", [(3, 2, 0.0), (4, 4, -1.5), (1, 1, 0.0), (8, 3, 2.0)])
def test_it_equals_a_loop(size, stride, fill, scores):
    net, x = net_and_pictures()
    classes = [2, 0, 1, 1]
    got = explain.occlusion(net, x, classes, size, stride, fill, scores, batch=3)

    def value(pictures, n):
        out = net(pictures)
        return (out if scores else out.softmax(1))[0, classes[n]].item()

    for n in range(4):
        seen = [[[] for _ in range(9)] for _ in range(7)]
        for top in range(-(size // 2), 7, stride):
            for left in range(-(size // 2), 9, stride):
                covered, under = x[n:n + 1].clone(), []
                for i in range(max(0, top), min(7, top + size)):
                    for j in range(max(0, left), min(9, left + size)):
                        covered[0, :, i, j] = fill
                        under.append((i, j))
                drop = value(x[n:n + 1], n) - value(covered, n)
                for i, j in under:
                    seen[i][j].append(drop)
        means = [[sum(drops) / len(drops) for drops in row] for row in seen]
        expected = torch.tensor(means, dtype=torch.double)
        torch.testing.assert_close(got[n], expected, rtol=1e-9, atol=1e-12)
    assert got.std() > 0.001


def test_the_pictures_stay_as_they_are():
    net, x = net_and_pictures()
    before = x.clone()
    explain.occlusion(net, x, size=4, stride=4)
    assert x.equal(before)


def test_only_what_the_network_looks_at_matters():
    class Corner(nn.Module):
        def forward(self, x):
            return torch.stack([x[:, 0, 0, 0], 0 * x[:, 0, 0, 0]], 1)

    x = torch.ones(1, 1, 8, 8)
    drops = explain.occlusion(Corner(), x, 0, size=2, stride=1, scores=True)[0]
    # begin at −1: each pixel lies under four squares, of which four, two and one hide the corner too
    assert drops[0, 0] == 1 and drops[0, 1] == 0.5 and drops[1, 1] == 0.25 and drops[2:].abs().max() == 0


@pytest.mark.parametrize("size, stride", [(3, 4), (3, 0), (0, 0)])
def test_pixels_must_not_stay_uncovered(size, stride):
    net, x = net_and_pictures()
    with pytest.raises(ValueError, match=f"occlusion: got size={size}, stride={stride}, expected 1 ≤ stride ≤ size"):
        explain.occlusion(net, x, size=size, stride=stride)
