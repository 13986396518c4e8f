"""The scores of maps, on maps made by hand."""

import pytest
import torch
from torch import nn

from dtwin import explain

MASK = torch.tensor([[[True, True, False], [False, False, False]]])


def one(*rows):
    return torch.tensor([rows], dtype=torch.float)


def test_pointing_asks_where_the_largest_number_lies():
    maps = torch.cat([one([1, 5, 2], [3, 4, 0]), one([1, 2, 5], [3, 4, 0]), one([-1, -2, -3], [-4, -5, -6])])
    assert explain.pointing(maps, MASK.expand(3, -1, -1)).tolist() == [True, False, True]


def test_energy_is_the_positive_share_inside():
    maps = torch.cat([one([1, 2, 3], [0, 0, 0]), one([1, -2, 3], [0, -9, 0]), one([0, 0, 0], [0, -1, 0])])
    torch.testing.assert_close(explain.energy(maps, MASK.expand(3, -1, -1)), torch.tensor([1 / 2, 1 / 4, 1 / 3]))


@pytest.mark.parametrize("score", ["pointing", "energy"])
@pytest.mark.parametrize("maps, masks, came", [
    (torch.zeros(1, 2, 2), MASK, r"maps \(1, 2, 2\), masks \(1, 2, 3\) of torch.bool"),
    (torch.zeros(1, 2, 3), MASK.float(), r"maps \(1, 2, 3\), masks \(1, 2, 3\) of torch.float32"),
    (torch.zeros(2, 3), MASK[0], r"maps \(2, 3\)"),
])
def test_maps_and_masks_that_do_not_fit_are_named(score, maps, masks, came):
    with pytest.raises(ValueError, match=rf"{score}: got {came}.*expected both \(N, H, W\), the masks of truth"):
        getattr(explain, score)(maps, masks)


class Sum(nn.Module):
    """Class 1 scores the sum of the pixels, class 0 nothing."""

    def forward(self, x):
        total = x.sum((1, 2, 3))
        return torch.stack([0 * total, total], 1)


X = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
ORDER = one([1, 9], [3, 3])  # the 2 first, then the 3 before the 4, which is as important, and the 1


def sigmoid(*numbers):
    return torch.tensor(numbers).sigmoid()


def test_deletion_takes_the_most_important_first():
    got = explain.deletion(Sum(), X, ORDER, 1, steps=4)
    torch.testing.assert_close(got[0], sigmoid(10.0, 8.0, 5.0, 1.0, 0.0))
    got = explain.deletion(Sum(), X, ORDER, 1, steps=2, base=-1.0)
    torch.testing.assert_close(got[0], sigmoid(10.0, 3.0, -4.0))


def test_insertion_brings_the_most_important_first():
    got = explain.insertion(Sum(), X, ORDER, 1, steps=4)
    torch.testing.assert_close(got[0], sigmoid(0.0, 2.0, 5.0, 9.0, 10.0))
    got = explain.insertion(Sum(), X, ORDER, 0, steps=1, base=torch.full_like(X, 0.5))
    torch.testing.assert_close(got[0], sigmoid(-2.0, -10.0))


def test_of_many_that_are_as_important_the_first_goes_first():
    x = torch.linspace(-1, 1, 256).reshape(1, 1, 16, 16)
    got = explain.deletion(Sum(), x, torch.zeros(1, 16, 16), 1, steps=2)
    torch.testing.assert_close(got[0, 1], x[:, :, 8:].sum().sigmoid())


def test_a_map_of_its_own_for_each_picture():
    x, maps = torch.cat([X, X.flip(3)]), torch.cat([ORDER, ORDER.flip(2)])
    got = explain.deletion(Sum(), x, maps, steps=3)
    torch.testing.assert_close(got[0], got[1])


@pytest.mark.parametrize("curve", ["deletion", "insertion"])
def test_curves_name_what_does_not_fit(curve):
    function = getattr(explain, curve)
    with pytest.raises(ValueError, match=rf"{curve}: got maps \(1, 3, 3\), expected one for each picture, \(1, 2, 2\)"):
        function(Sum(), X, torch.zeros(1, 3, 3))
    with pytest.raises(ValueError, match=f"explain.{curve}: got steps=0, expected at least 1"):
        function(Sum(), X, ORDER, steps=0)
    with pytest.raises(ValueError, match=rf"explain.{curve}: got base \(3,\), expected a number, or pictures \(1, 1, 2, 2\)"):
        function(Sum(), X, ORDER, base=torch.zeros(3))
