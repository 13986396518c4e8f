"""The primal sketch against closed forms, and its tokens on a card whose tokens are known."""

import numpy as np
import pytest

from dtwin.vision import primal

SIGMAS = (0.5, 1.0, 2.0, 4.0)


def card():
    # grey 0.5: a bright square, a dark bar, a bright bar, two spots, and an edge that fades away
    card = np.full((120, 160), 0.5)
    rows, columns = np.indices(card.shape)
    card[20:70, 15:60] = 0.8
    card[20:90, 85:89] = 0.2
    card[20:90, 110:114] = 0.8
    card[(rows - 95) ** 2 + (columns - 20) ** 2 <= 9] = 0.2
    card[(rows - 95) ** 2 + (columns - 40) ** 2 <= 9] = 0.8
    fade = 0.3 * np.clip((150 - columns) / 20, 0, 1)
    return np.where((columns >= 125) & (rows >= 60), 0.5 + fade, card)


@pytest.fixture(scope="module")
def tokens():
    return primal.raw_primal_sketch(card(), sigma=1.2, contrast=0.1)


@pytest.mark.parametrize("sigma", SIGMAS)
def test_the_laplacian_of_a_blurred_spot_is_known(sigma):
    rows, columns = np.indices((81, 81)) - 40.0
    square, wide = rows**2 + columns**2, 9 + sigma**2
    response = primal.laplacian_of_gaussian(np.exp(-square / 18), sigma)
    wanted = 9 / wide * (square / wide - 2) / wide * np.exp(-square / (2 * wide))
    # differences between pixels stand for derivatives, so narrow hills are only roughly as curved
    np.testing.assert_allclose(response, wanted, atol=0.08 * np.abs(wanted).max())
    assert np.abs(primal.laplacian_of_gaussian(np.full((30, 30), 0.7), sigma)).max() < 1e-12


@pytest.mark.parametrize("sigma", SIGMAS)
def test_a_step_is_crossed_at_its_place_and_tells_its_height(sigma):
    image = np.zeros((40, 80))
    image[:, 40:] = 0.37
    found = primal.zero_crossings(image, sigma, contrast=0.01)
    assert found.any(1).all() and set(np.nonzero(found)[1]) <= {39, 40}
    height = primal.step_height(primal.laplacian_of_gaussian(image, sigma), sigma)
    np.testing.assert_allclose(height[found], 0.37)
    assert not primal.zero_crossings(image, sigma, contrast=0.38).any()
    assert set(np.nonzero(primal.zero_crossings(image, sigma))[1]) <= {39, 40}  # where nothing is, nothing changes sign


def test_a_step_through_the_middle_of_a_pixel_is_crossed_there():
    image = np.zeros((40, 81))
    image[:, 40:] += 0.5
    image[:, 41:] += 0.5
    assert set(np.nonzero(primal.zero_crossings(image, 2))[1]) == {40}


def test_a_ramp_has_no_crossing_and_noise_has_more_on_finer_scales():
    ramp = np.tile(np.arange(50.0), (50, 1))
    assert not primal.zero_crossings(ramp, 2, contrast=1e-3)[:, 15:-15].any()
    noise = np.random.default_rng(0).normal(size=(100, 100))
    counts = [primal.zero_crossings(noise, sigma).sum() for sigma in SIGMAS]
    assert counts == sorted(counts, reverse=True) and counts[0] > 4 * counts[-1] > 0


def test_the_sides_of_a_square_are_edges_with_their_brighter_side_on_the_left(tokens):
    sides = tokens.edges[(tokens.edges[:, 3] > 40) & (tokens.edges[:, 0] < 65)]
    assert len(sides) == 4
    for x, y, angle, length, contrast, _ in sides:
        way = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        left = np.array([x, y]) + 3 * np.array([way[1], -way[0]])
        assert card()[int(round(left[1])), int(round(left[0]))] == 0.8
        assert contrast == pytest.approx(0.3, abs=0.03)
    assert sorted(np.round(np.abs(sides[:, 2]) / 90)) == [0, 1, 1, 2]


def test_two_bars_are_found_where_they_are_and_as_wide_as_they_are(tokens):
    assert len(tokens.bars) == 2
    for (x, y, angle, length, width), column in zip(tokens.bars[tokens.bars[:, 0].argsort()], (86.5, 111.5)):
        assert (x, y) == (pytest.approx(column, abs=0.5), pytest.approx(54.5, abs=2))
        assert angle == pytest.approx(90, abs=3) and length == pytest.approx(68, abs=3)
        assert width == pytest.approx(4, abs=0.7)


def test_spots_are_blobs_with_their_size_and_sign(tokens):
    assert len(tokens.blobs) == 2
    for (x, y, diameter, sign), (column, wanted) in zip(tokens.blobs[tokens.blobs[:, 0].argsort()], ((20, -1), (40, 1))):
        assert (x, y, sign) == (pytest.approx(column, abs=0.3), pytest.approx(95, abs=0.3), wanted)
        assert diameter == pytest.approx(7, abs=0.7)


def test_the_fading_edge_ends_and_nothing_else_does(tokens):
    assert len(tokens.ends) == 1
    x, y = tokens.ends[0]
    # from contrast 0.3 at column 130 down to the 0.1 asked for
    assert 136 < x < 150 and y == pytest.approx(59.5, abs=0.6)


def test_an_empty_picture_has_an_empty_sketch():
    sketch = primal.raw_primal_sketch(np.full((30, 30), 0.5), 2, 0.1)
    assert not sketch.chains
    assert [a.shape for a in (sketch.edges, sketch.bars, sketch.blobs, sketch.ends)] == [(0, 6), (0, 5), (0, 4), (0, 2)]


@pytest.mark.parametrize("image, sigma, message", [
    (np.zeros((3, 9, 9)), 1, r"laplacian_of_gaussian: got shape \(3, 9, 9\), expected a grey image"),
    (np.zeros((9, 9)), 0, "laplacian_of_gaussian: got sigma=0, expected a positive number"),
])
def test_what_is_no_grey_image_or_scale_is_refused(image, sigma, message):
    for f in (primal.laplacian_of_gaussian, primal.zero_crossings, lambda i, s: primal.raw_primal_sketch(i, s, 0.1)):
        with pytest.raises(ValueError, match=message):
            f(image, sigma)
