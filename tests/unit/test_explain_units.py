"""The strongest activations of each unit and what they can see, against loops and arithmetic."""

import pytest
import torch
from torch import nn

from dtwin import explain, twin


def pictures(n=11, size=12):
    return torch.randn(n, 2, size, size, generator=torch.Generator().manual_seed(2))


@pytest.fixture
def net():
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 3, padding=1), nn.Flatten())


def test_the_strongest_are_those_a_loop_finds(net):
    x = pictures()
    maps = explain.feature_maps(net, x, "3")
    top = explain.top_activations(net, x, "3", k=3, batch=4)
    assert maps.shape == (11, 5, 5, 5) and top.values.shape == top.pictures.shape == (5, 3)
    for unit in range(5):
        best = sorted(((maps[n, unit].max().item(), n) for n in range(11)), reverse=True)[:3]
        assert [n for _, n in best] == top.pictures[unit].tolist()
        for (value, n), place in zip(best, top.places[unit].tolist()):
            assert maps[n, unit][tuple(place)].item() == value


@pytest.mark.parametrize("k", [0, 12])
def test_k_must_be_possible(net, k):
    with pytest.raises(ValueError, match=f"top_activations: got k={k}, expected 1 to 11, the number of pictures"):
        explain.top_activations(net, pictures(), "3", k=k)


@pytest.mark.parametrize("layer, place, window", [
    ("0", (0, 0), (0, 0, 3, 3)), ("0", (9, 2), (9, 2, 12, 5)), ("2", (1, 0), (2, 0, 6, 4)),
    ("3", (2, 2), (2, 2, 10, 10)), ("3", (0, 4), (0, 6, 6, 12)),
])
def test_a_window_is_what_arithmetic_says(net, layer, place, window):
    # a 3 × 3 convolution, a pooling by 2, another 3 × 3: 3, 4 and 8 pixels wide in steps of 1, 2 and 2
    got = explain.windows(net, pictures(2), layer, [place, (1, 1)])
    assert got[0].tolist() == [*window]


def test_a_window_is_all_that_a_place_can_see_and_no_more(net):
    x = pictures(1)
    top, left, bottom, right = explain.windows(net, x, "3", [(1, 3)])[0].tolist()
    before = explain.feature_maps(net, x, "3")[0, :, 1, 3]
    outside = torch.full_like(x, 9.0)
    outside[:, :, top:bottom, left:right] = x[:, :, top:bottom, left:right]
    assert explain.feature_maps(net, outside, "3")[0, :, 1, 3].equal(before)
    for edge in ((top, slice(left, right)), (bottom - 1, slice(left, right)),
                 (slice(top, bottom), left), (slice(top, bottom), right - 1)):
        changed = x.clone()
        changed[:, :, *edge] += 50
        assert not explain.feature_maps(net, changed, "3")[0, :, 1, 3].equal(before)


def test_windows_of_a_network_with_overlapping_pooling_and_batch_norm():
    net = twin.nets.SmallAlexNet(batch_norm=True)
    got = explain.windows(net, torch.zeros(2, 3, 32, 32), "norms.1", [(8, 8), (7, 5)])
    assert got.tolist() == [[11, 11, 22, 22], [9, 5, 20, 16]]  # 11 pixels in steps of 2


@pytest.mark.parametrize("places, came", [
    ([(0, 0)], r"places \(1, 2\) of torch.int64, expected integers \(2, 2\)"),
    ([(0.0, 0.5), (0, 0)], r"places \(2, 2\) of torch.float32, expected integers"),
    ([(0, 5), (0, 0)], r"places from \[0, 0\] to \[0, 5\], expected .* \(5, 5\)"),
    ([(0, -1), (0, 0)], r"places from \[0, -1\] to \[0, 0\]"),
])
def test_wrong_places_are_named(net, places, came):
    with pytest.raises(ValueError, match=f"windows: got {came}"):
        explain.windows(net, pictures(2), "3", places)


def test_a_place_that_sees_nothing_but_padding_has_an_empty_window():
    got = explain.windows(nn.Conv2d(1, 1, 1, padding=1), torch.zeros(2, 1, 6, 6), "", [(0, 0), (1, 2)])
    assert got.tolist() == [[0, 0, 0, 0], [0, 1, 1, 2]]


def test_windows_of_dilated_poolings_are_refused():
    net = nn.Sequential(nn.Conv2d(1, 1, 3), nn.MaxPool2d(2, 1, dilation=3))
    with pytest.raises(ValueError, match="windows: got a pooling with dilation 3, expected poolings without"):
        explain.windows(net, torch.zeros(1, 1, 9, 9), "1", [(0, 0)])
