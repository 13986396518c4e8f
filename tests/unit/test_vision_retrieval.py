"""Retrieval: colours counted by hand, textures told apart, neighbours in order, precision as a share."""

import numpy as np
import pytest

from dtwin.vision import retrieval

DESCRIPTIONS = [retrieval.colour_histogram, retrieval.binary_patterns, retrieval.gabor_energies]


@pytest.fixture
def pictures(rng):
    return rng.integers(0, 256, (3, 3, 20, 24), dtype=np.uint8)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def grey(values):
    return np.broadcast_to(values, (1, 3, *np.shape(values)))


def waves(across, down, length=4, side=32):
    y, x = np.mgrid[:side, :side]
    return grey(0.5 + 0.4 * np.sin(2 * np.pi * (across * x + down * y) / length))


def test_colours_are_counted_red_slowest_and_white_is_in_the_last_bin():
    picture = np.zeros((1, 3, 2, 2))
    picture[0, :, 0, 0] = 1  # white
    picture[0, 0, 0, 1] = 1  # red
    picture[0, 2, 1, 0] = 0.4  # a dark blue, in the first bin of two
    assert retrieval.colour_histogram(picture, bins=2).tolist() == [[0.5, 0, 0, 0, 0.25, 0, 0, 0.25]]


def test_colours_forget_the_place_and_not_the_light(rng, pictures):
    shuffled = pictures.reshape(3, 3, -1)[..., rng.permutation(480)].reshape(pictures.shape)
    same = retrieval.colour_histogram(pictures)
    assert np.array_equal(retrieval.colour_histogram(shuffled), same)
    assert not np.array_equal(retrieval.colour_histogram(pictures // 2), same)


@pytest.mark.parametrize("describe", DESCRIPTIONS)
def test_bytes_and_floats_of_one_picture_are_described_alike(describe, pictures):
    assert np.allclose(describe(pictures), describe(pictures / 255), atol=1e-6)


@pytest.mark.parametrize("describe", DESCRIPTIONS)
def test_a_picture_is_described_by_itself(describe, pictures):
    assert np.allclose(describe(pictures)[1:2], describe(pictures[1:2]), atol=1e-6)


@pytest.mark.parametrize("describe", DESCRIPTIONS[:2])
def test_histograms_are_shares(describe, pictures):
    found = describe(pictures)
    assert (found >= 0).all() and np.allclose(found.sum(1), 1)


def test_binary_patterns_of_an_even_picture_and_of_a_lit_pixel():
    # every neighbour is at least as bright: all pixels of an even picture have the pattern of eight, but the border's,
    # beyond which it is dark
    even = retrieval.binary_patterns(grey(np.full((12, 12), 0.5)))[0] * 144
    assert even[8] == 100 and even.sum() == pytest.approx(144)
    lit = np.full((12, 12), 0.5)
    lit[6, 6] = 1
    # the lit pixel has no neighbour as bright, and its eight neighbours stay as they were
    assert retrieval.binary_patterns(grey(lit))[0] * 144 == pytest.approx(even + np.eye(10)[0] - np.eye(10)[8])


def test_binary_patterns_stay_when_light_rises_and_colours_do_not(pictures):
    dark, bright = pictures // 4, pictures // 4 * 2
    grey_levels = np.broadcast_to(dark[:, :1], dark.shape), np.broadcast_to(bright[:, :1], bright.shape)
    assert np.array_equal(*map(retrieval.binary_patterns, grey_levels))
    assert not np.array_equal(*map(retrieval.colour_histogram, grey_levels))


@pytest.mark.parametrize("direction, across, down", [(0, 1, 0), (1, 0.71, 0.71), (2, 0, 1), (3, -0.71, 0.71)])
def test_gabor_energy_is_largest_along_the_wave(direction, across, down):
    means = retrieval.gabor_energies(waves(across, down))[0, ::2]
    assert means.argmax() == direction  # the first four are those of the shorter length


def test_gabor_energy_is_largest_at_the_length_of_the_wave():
    short, long = (retrieval.gabor_energies(waves(1, 0, length))[0, [0, 8]] for length in retrieval.WAVES)
    assert short[0] > 2 * short[1] and long[1] > 2 * long[0]


def test_gabor_energies_say_how_unevenly_a_wave_runs():
    everywhere, half = waves(1, 0), waves(1, 0).copy()
    half[..., :16, :] = 0.5
    (mean, spread), (half_mean, half_spread) = (retrieval.gabor_energies(p)[0, :2] for p in (everywhere, half))
    assert half_mean < 0.7 * mean and half_spread > 1.2 * spread


def test_gabor_energies_of_an_even_picture_are_zero():
    assert np.allclose(retrieval.gabor_energies(grey(np.full((16, 16), 0.7))), 0, atol=1e-6)


def test_the_nearest_come_first_and_of_equals_the_first():
    gallery = np.array([[5.0], [1.0], [4.0], [1.0]])
    assert retrieval.nearest([[0.0], [6.0]], gallery, 3).tolist() == [[1, 3, 2], [0, 2, 1]]


def test_a_query_from_the_gallery_does_not_find_itself():
    gallery = np.array([[0.0], [1.0], [3.0]])
    assert retrieval.nearest(gallery, gallery, 2).tolist() == [[1, 2], [0, 2], [1, 0]]
    assert retrieval.nearest(gallery.copy(), gallery, 1).tolist() == [[0], [1], [2]]


def test_the_metric_decides():
    gallery = np.array([[3.0, 0.0], [2.0, 2.0]])
    assert retrieval.nearest([[0.0, 0.0]], gallery, 1, "cityblock").item() == 0
    assert retrieval.nearest([[0.0, 0.0]], gallery, 1, "euclidean").item() == 1


def test_precision_is_the_share_of_the_query_s_own_kind():
    found = np.array([[0, 1, 2, 3], [3, 2, 1, 0]])
    assert retrieval.precision_at_k(found[:, :2], [7, 8], [7, 8, 7, 8]).tolist() == [0.5, 0.5]
    assert retrieval.precision_at_k(found, [7, 9], [7, 7, 7, 8]).tolist() == [0.75, 0]


@pytest.mark.parametrize("call, message", [
    *[(lambda describe=describe: describe(np.zeros((2, 1, 8, 8))),
       rf"{describe.__name__}: got shape \(2, 1, 8, 8\), expected \(N, 3, H, W\)") for describe in DESCRIPTIONS],
    (lambda: retrieval.colour_histogram(np.zeros((1, 3, 4, 4)), 0), r"colour_histogram: got bins=0, expected 1 to 256"),
    (lambda: retrieval.nearest(np.zeros((2, 3)), np.zeros((2, 4)), 1), r"nearest: got shapes \(2, 3\) and \(2, 4\)"),
    (lambda: retrieval.nearest(np.zeros(3), np.zeros(3), 1), r"nearest: got shapes \(3,\) and \(3,\), expected \(Q, D\)"),
    (lambda: retrieval.nearest(np.zeros((2, 3)), np.zeros((4, 3)), 5), r"nearest: got k=5, expected 1 to 4"),
    (lambda: retrieval.nearest(g := np.zeros((4, 3)), g, 4), r"nearest: got k=4, expected 1 to 3"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
