"""Rays against cones and polyhedra: analytic cases, and brute force."""

import numpy as np
import pytest

from dtwin.data.pasture.geometry import cone_normal, cross, dot, frames, hit_cone, hit_planes, sincos, turn, unit
from dtwin.data.pasture.trace import Cones, shadows

RNG = np.random.default_rng(0)


def rays(n, spread=1.0):
    o = RNG.normal(size=(3, n)) * 0.5 + np.array([[-4.0], [0.0], [0.0]])
    d = np.array([[1.0], [0.0], [0.0]]) + spread * 0.15 * RNG.normal(size=(3, n))
    return tuple(o), tuple(d)


def test_sincos_and_turn():
    degrees = np.concatenate([RNG.uniform(-720, 720, 5000), np.arange(-720.0, 721, 45)])
    sin, cos = sincos(degrees)
    np.testing.assert_allclose(sin, np.sin(np.deg2rad(degrees)), atol=5e-15)
    np.testing.assert_allclose(cos, np.cos(np.deg2rad(degrees)), atol=5e-15)
    turned = np.array([turn((1.0, 0.0), angle, (0, 1)) for angle in degrees.tolist()])
    np.testing.assert_array_equal(turned, np.stack([cos, sin], 1))


def test_a_ball_is_met_where_the_quadratic_says():
    o, d = rays(2000)
    t = hit_cone(o, d, np.zeros(2000), np.full(2000, 0.7), np.full(2000, 0.7))
    b, dd, c = dot(o, d), dot(d, d), dot(o, o) - 0.49
    disc = b * b - dd * c
    assert 100 < (disc > 0).sum() < 1900
    np.testing.assert_array_equal(np.isfinite(t), disc >= 0)
    hit = disc > 0
    np.testing.assert_allclose(t[hit], ((-b - np.sqrt(np.abs(disc))) / dd)[hit])


def test_a_capsule_is_a_cylinder_between_its_ends():
    y = np.linspace(-0.59, 0.59, 41)
    o, d = (np.full(41, 0.8), y, np.full(41, 5.0)), (np.zeros(41), np.zeros(41), -np.ones(41))
    t = hit_cone(o, d, np.full(41, 2.0), np.full(41, 0.6), np.full(41, 0.6))
    np.testing.assert_allclose(t, 5 - np.sqrt(0.36 - y * y))
    normal = unit(cone_normal((o[0], y, 5 - t), np.full(41, 2.0), np.full(41, 0.6), np.full(41, 0.6)))
    np.testing.assert_allclose(normal, (np.zeros(41), y / 0.6, np.sqrt(0.36 - y * y) / 0.6), atol=1e-12)


def test_a_round_cone_is_the_hull_of_the_balls_along_it():
    n = 400
    o, d = rays(n)
    for h, ra, rb in ((1.5, 0.6, 0.2), (0.7, 0.3, 0.8), (1.0, 0.4, 0.4), (0.3, 0.9, 0.5)):
        shift = (o[0] + h / 2, o[1], o[2])
        t = hit_cone(shift, d, np.full(n, h), np.full(n, ra), np.full(n, rb))
        ball = [hit_cone((shift[0] - h * s, *shift[1:]), d, np.zeros(n), np.full(n, r), np.full(n, r))
                for s, r in zip(np.linspace(0, 1, 400), np.linspace(ra, rb, 400))]
        brute = np.min(ball, 0)
        both = np.isfinite(t) & np.isfinite(brute)
        assert both.sum() > 50 and (np.isfinite(t) ^ np.isfinite(brute)).sum() <= 2
        np.testing.assert_allclose(t[both], brute[both], atol=2e-3)


def test_a_ray_that_starts_beyond_a_cone_misses_it():
    one = np.ones(1)
    assert hit_cone((3 * one, 0 * one, 0 * one), (one, 0 * one, 0 * one), one, 0.3 * one, 0.2 * one)[0] == np.inf


def test_frames_are_turned_and_stretched_axes():
    a, b, side = (np.zeros(1),) * 3, (np.ones(1), np.ones(1), np.zeros(1)), (np.zeros(1), np.ones(1), np.zeros(1))
    rows = np.array(frames(a, b, side, (1.0, 2.0, 4.0)))[:, :, 0]
    s = np.sqrt(0.5)
    np.testing.assert_allclose(rows, [[s, s, 0], [-s / 2, s / 2, 0], [0, 0, 0.25]], atol=1e-15)


def test_an_ellipsoids_shadow_is_where_it_stands_in_the_way():
    cones = Cones([np.array([[0, 0, 2, 0, 0, 2, 0.5, 0.5, 0, 1, 0, 2.0, 1.0, 0.4, 1, 0]])])
    sun = tuple(np.array([c]) for c in (0.0, 0.0, 1.0))
    x = np.linspace(-1.5, 1.49, 61)
    dark = shadows(cones, sun, np.zeros(61, int), (x, np.full(61, 0.3), np.zeros(61)))
    np.testing.assert_array_equal(dark, x * x / 1.0 + 0.09 / 0.25 < 1)


def test_a_cube_is_met_on_the_face_the_slabs_say():
    normals = np.concatenate([np.eye(3), -np.eye(3)])
    o, d = rays(3000, 2.0)
    t, face = hit_planes(o, d, normals, np.full(6, 0.5))
    lo, hi = np.sort(np.stack([(np.stack([-0.5 - c, 0.5 - c])) / e for c, e in zip(o, d)]), 1).transpose(1, 0, 2)
    expected = np.where(lo.max(0) <= hi.min(0), lo.max(0), np.inf)
    np.testing.assert_allclose(t, expected)
    hit = np.isfinite(t)
    assert 100 < hit.sum() < 2900
    p = np.stack(o) + np.where(hit, t, 0) * np.stack(d)
    np.testing.assert_allclose((normals[face].T * p).sum(0)[hit], 0.5)
    # a ray beside the cube that runs along two of its slabs
    z = np.zeros(1)
    assert hit_planes((z - 3, z + 0.7, z), (z + 1, z, z), normals, np.full(6, 0.5))[0][0] == np.inf


@pytest.mark.parametrize("k", range(3))
def test_cross_is_across(k):
    a, b = RNG.normal(size=(2, 3))
    np.testing.assert_allclose(np.array(cross(tuple(a), tuple(b)))[k], np.cross(a, b)[k])
