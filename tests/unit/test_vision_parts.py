"""Parts and springs: the distance transform and the tree agree with trying everything."""

import numpy as np
import pytest

from dtwin.vision.parts import Tree, distance_transform, distance_transform_brute, energy, match, spread

STAR = Tree((0, 0, 0, 0), np.array([[0, 0], [1.5, -1], [-2, 0.3], [0, 2]]),
            np.array([[1, 1], [0.3, 0.5], [1, 0.2], [2, 2]]))
CHAIN = Tree((0, 0, 1, 2), STAR.offsets, STAR.stiffness)


def least_energy(costs, tree):
    """The least energy and its placement, over all placements of all parts."""
    parts, height, width = costs.shape
    at = np.stack(np.unravel_index(np.arange((height * width) ** parts), (height, width) * parts), -1)
    places = at.reshape(-1, parts, 2)[..., ::-1]
    energies = energy(costs, tree, places)
    return energies.min(), places[energies.argmin()]


@pytest.mark.parametrize("shift", [0, 0.5, -3, 7.25, -60])
@pytest.mark.parametrize("stiffness", [1e-3, 0.2, 50])
def test_the_envelope_is_the_least_of_all(stiffness, shift):
    cost = np.random.default_rng(1).normal(size=(3, 4, 37))
    fast, slow = (f(cost, stiffness, shift) for f in (distance_transform, distance_transform_brute))
    np.testing.assert_allclose(fast[0], slow[0], atol=1e-9, rtol=1e-12)
    q, p = fast[1], np.arange(37)
    np.testing.assert_allclose(np.take_along_axis(cost, q, -1) + stiffness * (q - p - shift) ** 2, slow[0], atol=1e-9)


def test_brute_force_is_the_definition():
    cost = np.random.default_rng(2).normal(size=11)
    by_hand = [min(cost[q] + 0.3 * (q - p - 1.5) ** 2 for q in range(11)) for p in range(11)]
    np.testing.assert_allclose(distance_transform_brute(cost, 0.3, 1.5)[0], by_hand, atol=1e-12)


def test_equal_costs_and_lone_places():
    flat, best = distance_transform(np.zeros((2, 6)), 1.0)
    assert (flat == 0).all() and (best == np.arange(6)).all()
    assert distance_transform(np.array([[3.0]]), 1.0, 2.0)[0].tolist() == [[7.0]]
    np.testing.assert_allclose(distance_transform(np.array([0, 9, 9, 9.0]), 1.0)[0], [0, 1, 4, 9])


@pytest.mark.parametrize("cost, stiffness", [([0, np.inf], 1.0), ([0, np.nan], 1.0), ([0, 1], 0.0), ([0, 1], -1.0)])
def test_the_transform_refuses_what_has_no_parabola(cost, stiffness):
    with pytest.raises(ValueError, match="distance_transform: got stiffness .* expected finite costs and a"):
        distance_transform(np.array(cost, float), stiffness)


def test_a_spring_pulls_in_two_directions():
    cost, offset, stiffness = np.random.default_rng(3).normal(size=(5, 6)), np.array([1.2, -0.7]), np.array([0.4, 0.9])
    d, x, y = spread(cost, offset, stiffness)
    for (py, px), value in np.ndenumerate(d):
        tries = [cost[qy, qx] + stiffness @ (np.array([qx - px, qy - py]) - offset) ** 2
                 for qy in range(5) for qx in range(6)]
        qx, qy = x[py, px], y[py, px]
        own = cost[qy, qx] + stiffness @ (np.array([qx - px, qy - py]) - offset) ** 2
        assert value == pytest.approx(min(tries), abs=1e-12) and own == pytest.approx(value, abs=1e-12)


BRANCH = Tree((0, 0, 0, 1), STAR.offsets, STAR.stiffness)


@pytest.mark.parametrize("tree", [STAR, CHAIN, BRANCH], ids=["star", "chain", "branch"])
def test_the_match_is_the_best_of_all_placements(tree):
    for seed in range(4):
        costs = np.random.default_rng(seed).normal(size=(4, 4, 3))
        places, found, _ = match(costs, tree)
        least, best = least_energy(costs, tree)
        assert found == pytest.approx(least, abs=1e-12) and places.tolist() == best.tolist()
        assert energy(costs, tree, places) == pytest.approx(found, abs=1e-12)


def test_many_images_at_once_are_as_each_alone():
    costs = np.random.default_rng(5).normal(size=(4, 3, 7, 6))
    places, energies, maps = match(costs, CHAIN)
    assert places.shape == (3, 4, 2) and energies.shape == (3,) and maps.shape == costs.shape
    for n in range(3):
        alone = match(costs[:, n], CHAIN)
        assert alone[0].tolist() == places[n].tolist() and alone[1] == energies[n]
        np.testing.assert_array_equal(alone[2], maps[:, n])
    np.testing.assert_allclose(energy(costs, CHAIN, places), energies, atol=1e-12)
    np.testing.assert_array_equal(maps[3], costs[3])  # nothing hangs on a leaf


def test_a_single_part_goes_where_it_is_cheapest():
    costs = np.random.default_rng(6).normal(size=(1, 5, 4))
    (place,), least, _ = match(costs, Tree((0,), np.zeros((1, 2)), np.zeros((1, 2))))
    assert costs[0, place[1], place[0]] == costs.min() == least


@pytest.mark.parametrize("parents, offsets, stiffness, message", [
    ((0, 0), np.zeros((2, 2)), np.ones((3, 2)),
     r"Tree: got offsets \(2, 2\) and stiffness \(3, 2\), expected \(2, 2\)"),
    ((0, 2, 0), np.zeros((3, 2)), np.ones((3, 2)), "Tree: got parent 2 of part 1, expected one before it, or 0 of part 0"),
    ((1, 0), np.zeros((2, 2)), np.ones((2, 2)), "Tree: got parent 1 of part 0"),
    ((0, 0), np.zeros((2, 2)), np.zeros((2, 2)), "Tree: got a spring of no stiffness"),
])
def test_a_tree_refuses_what_is_none(parents, offsets, stiffness, message):
    with pytest.raises(ValueError, match=message):
        Tree(parents, offsets, stiffness)


@pytest.mark.parametrize("shape", [(3, 5, 5), (4, 5)])
def test_a_match_needs_a_map_for_each_part(shape):
    with pytest.raises(ValueError, match=r"match: got costs of shape .* expected \(4, ..., H, W\)"):
        match(np.zeros(shape), STAR)
