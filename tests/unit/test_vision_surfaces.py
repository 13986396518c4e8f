"""Normals, depth and disparity against surfaces and shifts that are known."""

import numpy as np
import pytest

from dtwin.vision import stereo, surfaces

RNG = np.random.default_rng(0)
LIGHTS = np.array([[0.5, 0.4, 1], [-0.5, 0.4, 1], [0.5, -0.4, 1], [-0.4, -0.5, 1]])
LIGHTS /= np.linalg.norm(LIGHTS, axis=1, keepdims=True)


def sphere(size=48, radius=0.8):
    y, x = np.mgrid[1:-1:size * 1j, -1:1:size * 1j]
    mask = x**2 + y**2 < radius**2
    return np.stack([x, y, np.sqrt(np.maximum(radius**2 - x**2 - y**2, 0))]) / radius * mask, mask


def shaded(normals, albedo=1.0):
    return albedo * np.maximum(np.tensordot(LIGHTS, normals, 1), 0)


def bump(size=64):
    # a hill away from the middle, in pixels, with its slopes
    y, x = np.mgrid[size / 2:-size / 2:size * 1j, -size / 2:size / 2:size * 1j]
    step = size / (size - 1)
    z = 12 * np.exp(-((x - 6) ** 2 + (y - 4) ** 2) / 120)
    return z, -(x - 6) / 60 * z * step, -(y - 4) / 60 * z * step


def test_the_angle_between_normals():
    a = np.array([[1.0, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 1]]).T[:, None]
    b = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1], [0, np.sin(1e-6), np.cos(1e-6)]]).T[:, None]
    np.testing.assert_allclose(surfaces.angular_error(a, b)[0], [90, 180, 0, np.degrees(1e-6)], rtol=1e-9)


def test_photometric_stereo_gives_normals_and_albedo_exactly_where_three_lights_reach():
    normals, mask = sphere()
    albedo = RNG.uniform(0.2, 0.9, mask.shape)
    images = shaded(normals, albedo)
    found, painted = surfaces.photometric_stereo(images, LIGHTS)
    lit = (images > 0).sum(0) >= 3
    assert (lit & mask).sum() > 0.9 * mask.sum() and (mask & ~lit).any()
    np.testing.assert_allclose(found[:, lit], normals[:, lit], atol=1e-12)
    np.testing.assert_allclose(painted[lit], albedo[lit])
    assert np.isnan(found[:, ~lit]).all() and np.isnan(painted[~lit]).all()
    dim, _ = surfaces.photometric_stereo(images / 20, LIGHTS / 20)
    np.testing.assert_allclose(dim[:, lit], normals[:, lit], atol=1e-12)


def test_a_shadow_in_one_picture_does_no_harm_where_it_is_known_as_one():
    normals, mask = sphere()
    images = shaded(normals)
    middle = (images > 0.05).all(0)
    images[0][middle] = 0.01
    found, _ = surfaces.photometric_stereo(images, LIGHTS, dark=0.02)
    np.testing.assert_allclose(found[:, middle], normals[:, middle], atol=1e-12)
    fooled, _ = surfaces.photometric_stereo(images, LIGHTS)
    assert np.median(surfaces.angular_error(fooled, normals)[middle]) > 20


def test_rims_face_outwards():
    normals, mask = sphere()
    rim = surfaces.outline_normals(mask)
    on = (rim != 0).any(0)
    assert on.sum() > 80 and not (on & ~mask).any()
    assert (surfaces.angular_error(rim, normals / np.maximum(np.hypot(*normals[:2]), 1e-9) * [[[1]], [[1]], [[0]]])[on] < 12).all()


@pytest.mark.parametrize("light", [(0.0, 0.0, 1.0), tuple(LIGHTS[0])])
def test_shape_from_shading_beats_facing_the_viewer_and_the_outline_alone(light):
    normals, mask = sphere(size=65)
    image = np.maximum(np.tensordot(light, normals, 1), 0)
    errors = [np.median(surfaces.angular_error(guess, normals)[mask]) for guess in (
        surfaces.shape_from_shading(image, light, mask),
        surfaces.shape_from_shading(image, light, mask, smooth=1e9),
        np.array([0.0, 0, 1])[:, None, None])]
    assert errors[0] < 0.5 * errors[1] and errors[0] < 0.25 * errors[2]


def test_slopes_integrate_to_the_surface_up_to_a_constant():
    z, p, q = bump()
    found = surfaces.frankot_chellappa(p, q)
    assert np.sqrt(np.mean((found - (z - z.mean())) ** 2)) < 0.005 * z.std()
    assert abs(found.mean()) < 1e-12
    normals = np.stack([-p, -q, np.ones_like(p)]) / np.sqrt(1 + p**2 + q**2)
    np.testing.assert_allclose(surfaces.slopes(normals), [p, q])


def test_within_a_mask_the_same_and_every_piece_by_itself():
    z, p, q = bump()
    whole = surfaces.integrate(p, q, np.ones(z.shape, bool))
    np.testing.assert_allclose(whole, surfaces.frankot_chellappa(p, q), atol=1e-3)
    mask = np.zeros(z.shape, bool)
    mask[10:30, 5:50], mask[40:60, 20:60] = True, True
    found = surfaces.integrate(p, q, mask)
    assert np.isnan(found[~mask]).all()
    for piece in (np.s_[10:30, 5:50], np.s_[40:60, 20:60]):
        np.testing.assert_allclose(found[piece], z[piece] - z[piece].mean(), atol=0.05)


def scene(height=30, width=60, near=9, far=4):
    """A near square before a far ground, of random dots, and the disparity of the left picture."""
    truth = np.full((height, width), far)
    truth[8:22, 25:45] = near
    wall, square = RNG.random((height, width + 20)), RNG.random((height, width + 20))
    left = np.where(truth == near, square[:, :width], wall[:, :width])
    right = wall[:, far:far + width].copy()
    right[8:22, 25 - near:45 - near] = square[8:22, 25:45]
    return left, right, truth


def test_census_sees_order_and_not_light():
    image = RNG.random((20, 20))
    assert np.array_equal(stereo.census(image), stereo.census(0.3 * image**2 + 0.1))
    code = stereo.census(np.array([[1.0, 0, 0], [0, 0.5, 1], [0, 1, 1]]), radius=1)[1, 1]
    assert int(code) == 0b01110100  # row by row without the middle: which are darker


def test_the_cost_is_nought_where_the_pictures_agree():
    left, right, truth = scene()
    cost = stereo.matching_cost(left, right, 12)
    assert cost.shape == (30, 60, 12) and cost.dtype == np.float32
    assert (cost[:, :3, 5] == 24).all()
    assert (cost[11:19, 28:42, 9] == 0).all() and np.median(cost[11:19, 28:42, 3]) > 8


@pytest.mark.parametrize("smooth", [lambda cost: stereo.block_matching(cost, 5), stereo.semi_global])
def test_both_methods_see_the_square_before_the_ground(smooth):
    left, right, truth = scene()
    cost = smooth(stereo.matching_cost(left, right, 12))
    found, sure = stereo.disparity(cost), stereo.consistent(cost)
    assert (np.abs(found - truth)[:, 12:] < 1).mean() > 0.93
    # the strip that the square hides from the right eye has no partner there
    hidden = np.s_[10:20, 20:25]
    assert sure[hidden].mean() < 0.5 * sure[10:20, :20].mean() and sure[11:19, 28:42].mean() > 0.95
    assert (np.abs(found - truth) < 1)[sure].mean() > (np.abs(found - truth) < 1).mean()


def test_semi_global_sums_the_cheapest_paths_of_four_sides():
    cost = RNG.integers(0, 20, (4, 5, 6)).astype(np.float32)
    small, large = 2.0, 5.0

    def path(lines):
        # the recurrence of the paper, written out
        out = [lines[0]]
        for line in lines[1:]:
            before = out[-1]
            out.append(np.array([line[d] + min(
                [before[d], before.min() + large] + [before[e] + small for e in (d - 1, d + 1) if 0 <= e < len(before)],
            ) - before.min() for d in range(len(line))]))
        return np.array(out)

    wanted = np.zeros_like(cost)
    for i in range(4):
        wanted[i] += path(cost[i]) + path(cost[i, ::-1])[::-1]
    for j in range(5):
        wanted[:, j] += path(cost[:, j]) + path(cost[::-1, j])[::-1]
    np.testing.assert_allclose(stereo.semi_global(cost, small, large), wanted)


def test_the_parabola_finds_a_minimum_between_pixels_and_stays_off_the_ends():
    d = np.arange(8.0)
    cost = np.stack([(d - 3.3) ** 2, (d - 0.1) ** 2, (d - 7) ** 2, np.full(8, 2.0)])[None]
    np.testing.assert_allclose(stereo.disparity(cost)[0], [3.3, 0, 7, 0])


def test_partners_choose_each_other_and_lie_in_the_picture():
    cost = np.full((1, 6, 4), 9.0)
    # 5 and 4 both choose pixel 3 of the right picture, which prefers 5; 1 chooses a pixel left of the picture
    cost[0, 5, 2], cost[0, 4, 1], cost[0, 1, 3] = 1, 2, 1
    assert stereo.consistent(cost, tolerance=0)[0, [5, 4, 1]].tolist() == [True, False, False]
    assert stereo.consistent(cost, tolerance=1)[0, [5, 4, 1]].tolist() == [True, True, False]


@pytest.mark.parametrize("call, message", [
    (lambda: surfaces.photometric_stereo(np.zeros((2, 4, 4)), LIGHTS[:2]), r"photometric_stereo: got images \(2, 4, 4\)"),
    (lambda: surfaces.photometric_stereo(np.zeros((3, 4, 4)), LIGHTS), r"lights \(4, 3\)"),
    (lambda: surfaces.photometric_stereo(np.zeros((3, 4, 4)), np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]])), "in one plane"),
    (lambda: surfaces.shape_from_shading(np.zeros((4, 4)), LIGHTS[0], np.ones((4, 5), bool)), r"mask \(4, 5\)"),
    (lambda: surfaces.shape_from_shading(np.zeros((4, 4)), LIGHTS[0], np.ones((4, 4), bool), smooth=0), "smooth=0"),
    (lambda: surfaces.frankot_chellappa(np.zeros((4, 4)), np.zeros((4, 5))), r"frankot_chellappa: got slopes \(4, 4\)"),
    (lambda: surfaces.integrate(np.zeros((4, 4)), np.zeros((4, 4)), np.zeros((4, 4), bool)), "integrate: .* of 0 pixels"),
    (lambda: stereo.census(np.zeros((4, 4)), 4), "census: got shape .* and radius 4"),
    (lambda: stereo.matching_cost(np.zeros((4, 9)), np.zeros((4, 8)), 3), "matching_cost: got pictures"),
    (lambda: stereo.matching_cost(np.zeros((4, 9)), np.zeros((4, 9)), 10), "and 10 disparities"),
    (lambda: stereo.matching_cost(np.zeros((4, 9)), np.zeros((4, 9)), 2), "and 2 disparities, .* from 3 to W"),
])
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
