"""Cones fitted to what one view shows of solids that are known, and descriptions that must not depend on the view."""

from dataclasses import replace

import numpy as np
import pytest

from dtwin.vision import cones
from dtwin.vision.cones import Cone

NAMES, BODY, LEGS = ("body", "neck", "leg"), "body", ("leg",)
ANIMAL = {"body": Cone(np.array([-1.0, 0, 0]), np.array([1.0, 0, 0]), 0.4, 1.0),
          "neck": Cone(np.array([1.9, 0.9, 0]), np.array([1.0, 0.3, 0]), 0.2, 1.0),
          "leg": Cone(np.array([-0.8, -0.2, 0.1]), np.array([-0.9, -1.2, 0.1]), 0.1, 1.0)}


def rotation(seed):
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    q *= np.sign(np.diag(r))
    return q * np.linalg.det(q)


def visible(start, end, r0, r1, n=4000, seed=0):
    """Points and normals on the side of a straight cone that face the origin."""
    rng = np.random.default_rng(seed)
    axis = end - start
    length = np.linalg.norm(axis)
    axis = axis / length
    e1 = np.linalg.svd(axis[None])[2][1]
    e2 = np.cross(axis, e1)
    t, angle = rng.random((n, 1)), rng.random((n, 1)) * 2 * np.pi
    out = np.cos(angle) * e1 + np.sin(angle) * e2
    points = start + t * length * axis + (r0 + (r1 - r0) * t) * out
    normals = out + (r0 - r1) / length * axis
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    seen = (points * normals).sum(1) < 0
    return points[seen], normals[seen]


def turned(animal, matrix, scale=1.0, shift=0.0):
    move = lambda p: scale * matrix @ p + shift
    return {name: replace(c, start=move(c.start), end=move(c.end), radius=scale * c.radius) for name, c in animal.items()}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("r0, r1", [(0.2, 0.2), (0.25, 0.1)])
def test_a_cone_is_found_from_its_visible_side(seed, r0, r1):
    middle, half = np.array([0.3, -0.2, -5.0]), rotation(seed)[0] * 0.6
    cone = cones.fit_cone(*visible(middle - half, middle + half, r0, r1))
    ends = sorted((cone.start, cone.end), key=lambda p: np.linalg.norm(p - (middle - half)))
    np.testing.assert_allclose(ends, [middle - half, middle + half], atol=0.06)
    assert cone.radius == pytest.approx((r0 + r1) / 2, abs=0.02)
    sight = middle / np.linalg.norm(middle)
    assert cone.seen == pytest.approx(np.linalg.norm(np.cross(sight, half / 0.6)), abs=0.03)


def test_a_point_projected_back_is_where_the_camera_saw_it():
    depth = np.full((5, 7), 2.0)
    points = cones.back_project(depth, focal=10.0, centre=(3, 2))
    np.testing.assert_allclose(points[2, 3], [0, 0, -2])
    np.testing.assert_allclose(points[1, 6], [0.6, 0.2, -2])


def test_the_description_says_lengths_radii_and_joints():
    table = cones.describe(ANIMAL, NAMES, BODY, LEGS)
    np.testing.assert_allclose(table[0], [np.log(2), np.log(0.4), np.nan])
    np.testing.assert_allclose(table[1], [np.log(np.hypot(0.9, 0.6)), np.log(0.2), 0.3 / 0.4])
    np.testing.assert_allclose(table[2, 2], -0.2 / 0.4)


@pytest.mark.parametrize("seed", range(5))
def test_the_description_does_not_change_with_the_view_and_the_mismatch_not_with_the_size(seed):
    table = cones.describe(ANIMAL, NAMES, BODY, LEGS)
    moved = turned(ANIMAL, rotation(seed), shift=np.array([0.1, 0.2, -7]))
    np.testing.assert_allclose(cones.describe(moved, NAMES, BODY, LEGS), table, atol=1e-9)
    # nor with which end of a cone is called its start
    moved = {name: replace(c, start=c.end, end=c.start) for name, c in moved.items()}
    np.testing.assert_allclose(cones.describe(moved, NAMES, BODY, LEGS), table, atol=1e-9)
    large = cones.describe(turned(ANIMAL, rotation(seed), scale=3), NAMES, BODY, LEGS)
    book = cones.catalogue([table, table + 0.1 * np.eye(3)], ["cow", "cow"])
    np.testing.assert_allclose(cones.mismatch([large], book), cones.mismatch([table], book))


def test_what_is_not_seen_is_not_described():
    hidden = cones.describe({"neck": ANIMAL["neck"]}, NAMES, BODY, LEGS)
    assert np.isfinite(hidden[1, :2]).all() and np.isnan(hidden[1, 2]) and np.isnan(hidden[[0, 2]]).all()
    end_on = cones.describe({**ANIMAL, "neck": replace(ANIMAL["neck"], seen=0.1)}, NAMES, BODY, LEGS)
    assert np.isnan(end_on[1, 0]) and np.isfinite(end_on[1, 1:]).all()


def test_the_catalogue_is_mean_and_spread_and_blind_to_what_was_not_seen():
    rows = np.array([[[0.0, 1, np.nan]], [[1.0, 3, np.nan]], [[5.0, 7, 2.0]]])
    book = cones.catalogue(rows, ["b", "b", "a"])
    assert book.kinds == ("a", "b")
    np.testing.assert_allclose(book.mean, [[[5, 7, 2]], [[0.5, 2, np.nan]]])
    np.testing.assert_allclose(book.spread[1, 0, :2], [0.5, 1])
    np.testing.assert_allclose(book.spread[0, 0], cones.LEAST)


def test_each_kind_is_known_by_its_proportions_and_an_unknown_part_speaks_against():
    rng = np.random.default_rng(0)
    centres = {"long": np.array([[1.0, 0, 0], [0.0, -1, 0]]), "short": np.array([[0.0, 0, 0], [0.0, -1, 0]])}
    labels = np.repeat(list(centres), 20)
    book = cones.catalogue([centres[name] + rng.normal(0, 0.05, (2, 3)) for name in labels], labels)
    scores = cones.mismatch([centres["long"] + 0.02, centres["short"] - 0.02], book)
    assert (scores.argmin(1) == [0, 1]).all()
    # nothing of the second part was ever seen on "bare"
    bare = np.full((2, 3), np.nan)
    bare[0] = centres["long"][0]
    book = cones.catalogue([bare, centres["long"]], ["bare", "whole"])
    scores = cones.mismatch([centres["long"], bare], book)
    assert scores[0].argmin() == 1 and scores[0, 0] - scores[0, 1] == pytest.approx(3 * cones.SURPRISE)
    assert scores[1, 0] == pytest.approx(scores[1, 1])


@pytest.mark.parametrize("call, message", [
    (lambda: cones.fit_cone(np.zeros((7, 3)), np.zeros((7, 3))), r"fit_cone: got points \(7, 3\) .* N from 8"),
    (lambda: cones.fit_cone(np.zeros((9, 2)), np.zeros((9, 2))), r"fit_cone: got points \(9, 2\)"),
    (lambda: cones.describe({"wing": ANIMAL["leg"]}, NAMES, BODY, LEGS), "describe: got wing, expected names among body, neck"),
    (lambda: cones.catalogue(np.zeros((2, 3)), ["a", "b"]), r"catalogue: got descriptions \(2, 3\) and 2 labels"),
    (lambda: cones.catalogue(np.zeros((2, 1, 3)), ["a"]), "catalogue: got descriptions .* and 1 labels"),
])
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
