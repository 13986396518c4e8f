"""Bags of features: descriptors against loops and closed forms, encodings against their definitions and scikit-image."""

import numpy as np
import pytest
from skimage.feature import fisher_vector

from dtwin.vision import bags
from dtwin.vision.descriptors import FAINT, dense_sift, gradient_directions, keypoint_sift

RNG = np.random.default_rng(0)
PICTURES = RNG.random((7, 16, 20)).astype(np.float32)


@pytest.mark.parametrize("right, down, direction", [(1, 0, 0), (1, 1, 1), (0, 1, 2), (-1, 0, 4), (1, -1, 7)])
def test_a_ramp_has_one_direction(right, down, direction):
    row, column = np.mgrid[:9, :9]
    maps = gradient_directions((down * row + right * column)[None] * 0.01)[0]
    expected = np.zeros((8, 9, 9))
    expected[direction] = 0.01 * np.hypot(right, down)
    np.testing.assert_allclose(maps, expected, atol=1e-6)


def test_a_gradient_between_two_directions_is_shared_and_none_is_lost():
    row, column = np.mgrid[:5, :5]
    maps = gradient_directions((np.sin(np.pi / 16) * row + np.cos(np.pi / 16) * column)[None])[0, :, 2, 2]
    np.testing.assert_allclose(maps, [0.75, 0.25, 0, 0, 0, 0, 0, 0], atol=1e-5)
    dy, dx = np.gradient(PICTURES, axis=(1, 2))
    np.testing.assert_allclose(gradient_directions(PICTURES).sum(1), np.hypot(dx, dy), rtol=1e-4, atol=1e-6)


def one_descriptor(picture, top, left, patch, cells):
    """A descriptor by its definition, pixel by pixel."""
    maps, side = gradient_directions(picture[None])[0], patch / cells
    found = np.zeros((cells, cells, 8))
    for i, j, y, x in np.ndindex(cells, cells, *picture.shape):
        away = [abs(p - start - side * (c + 0.5) + 0.5) / side for p, start, c in ((y, top, i), (x, left, j))]
        found[i, j] += max(0, 1 - away[0]) * max(0, 1 - away[1]) * maps[:, y, x]
    strength = np.linalg.norm(found)
    found = np.minimum(found / strength, 0.8 / cells)
    return min(1, strength / (FAINT * side**2)) * found.ravel() / np.linalg.norm(found)


@pytest.mark.parametrize("patch, step, cells", [(8, 2, 2), (12, 3, 4), (5, 5, 1)])
def test_dense_descriptors_are_those_of_the_definition(patch, step, cells):
    found, places = dense_sift(PICTURES, patch, step, cells)
    corners = [(i, j) for i in range(0, 16 - patch + 1, step) for j in range(0, 20 - patch + 1, step)]
    assert found.shape == (7, len(corners), cells**2 * 8) and found.dtype == np.float32
    np.testing.assert_allclose(places, np.add(corners, (patch - 1) / 2))
    for n in (0, len(corners) // 2, len(corners) - 1):
        expected = one_descriptor(PICTURES[3], *corners[n], patch, cells)
        np.testing.assert_allclose(found[3, n], expected, atol=1e-5)


def test_light_and_contrast_change_no_descriptor_and_a_flat_patch_has_none():
    before = dense_sift(PICTURES)[0]
    np.testing.assert_allclose(dense_sift(PICTURES / 2 + 0.3)[0], before, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(before, axis=-1), 1, atol=1e-5)
    assert not dense_sift(np.full((1, 9, 9), 0.4))[0].any()


def test_a_faint_patch_stays_faint():
    strong, faint = dense_sift(PICTURES)[0], dense_sift(PICTURES * 1e-3)[0]
    length = np.linalg.norm(faint, axis=-1, keepdims=True)
    assert 0 < length.min() and length.max() < 0.2
    np.testing.assert_allclose(faint / length, strong, atol=1e-4)


def test_bytes_and_numbers_grey_and_colour_are_the_same_picture():
    grey = (PICTURES * 255).astype(np.uint8)
    expected = dense_sift(grey / 255)[0]
    for same in (grey, grey[:, None], np.repeat(grey[:, None], 3, 1)):
        np.testing.assert_allclose(dense_sift(same)[0], expected, atol=1e-4)


def test_a_blob_is_a_key_point_of_its_size():
    row, column = np.mgrid[:64, :64]
    blob = np.exp(-((row - 30) ** 2 + (column - 25) ** 2) / (2 * 5**2))
    descriptors, places, scales, directions = keypoint_sift(blob)
    assert descriptors.shape[1] == 128 and len(descriptors) == len(places) == len(scales) == len(directions) >= 1
    nearest = np.abs(places - [30, 25]).sum(1).argmin()
    np.testing.assert_allclose(places[nearest], [30, 25], atol=0.5)
    assert 3 < scales[nearest] < 7
    np.testing.assert_allclose(np.linalg.norm(descriptors, axis=1), 1, atol=1e-5)


def test_a_flat_picture_has_no_key_points():
    assert [a.shape for a in keypoint_sift(np.full((3, 40, 40), 0.5))] == [(0, 128), (0, 2), (0,), (0,)]


def test_k_means_finds_what_is_there_and_the_same_twice():
    centres = np.array([[0, 0], [10, 0], [0, 10]])
    points = np.concatenate([c + RNG.normal(0, 0.1, (200, 2)) for c in centres]).reshape(6, 100, 2)
    words = bags.codebook(points, 3, seed=1)
    found = words[np.argsort(words @ [1, 2])]
    np.testing.assert_allclose(found, centres, atol=0.1)
    assert np.array_equal(words, bags.codebook(points, 3, seed=1))


def test_a_codebook_draws_its_points_from_all(monkeypatch):
    monkeypatch.setattr(bags, "POINTS", 50)
    points = np.repeat([[0.0], [5.0]], 500, axis=0)
    assert np.allclose(np.sort(bags.codebook(points, 2).ravel()), [0, 5])


def test_hard_takes_the_nearest_and_soft_shares():
    words, descriptors = np.array([[0.0, 0], [1, 0]]), np.array([[[0.25, 0], [1, 0.5]]])
    assert bags.hard(descriptors, words).tolist() == [[[1, 0], [0, 1]]]
    shares = np.exp(-20 * np.array([[0.25**2, 0.75**2], [1.25, 0.25]]))
    np.testing.assert_allclose(bags.soft(descriptors, words)[0], shares / shares.sum(1, keepdims=True))
    np.testing.assert_allclose(bags.soft(descriptors, words, 1e4), bags.hard(descriptors, words), atol=1e-9)


def test_a_pyramid_has_each_place_once_a_level():
    places = dense_sift(PICTURES)[1]
    members = bags.pyramid(places, (16, 20), levels=3)
    assert members.shape == (21, len(places))
    assert all((level.sum(0) == 1).all() for level in np.split(members, [1, 5]))
    corner = bags.pyramid([[0, 19]], (16, 20), levels=3)[:, 0]
    assert np.flatnonzero(corner).tolist() == [0, 1 + 1, 5 + 3]


def test_pictures_that_agree_match_as_much_whatever_the_levels():
    assert bags.level_weights(1).tolist() == [1]
    weights = bags.level_weights(3)
    assert [weights[0], *set(weights[1:5]), *set(weights[5:])] == [0.25, 0.25, 0.5]


def test_histograms_count_words_in_cells():
    weights = np.eye(3, dtype=np.float32)[[[0, 0, 1, 2]]]
    members = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 1, 1]], bool)
    expected = [[0.5, 0.25, 0.25, 0.5, 0, 0, 0, 0.25, 0.25]]
    np.testing.assert_allclose(bags.histograms(weights, members), expected)


def test_the_intersection_kernel_is_the_sum_of_the_lesser():
    a, b = RNG.random((4, 9)), RNG.random((5, 9))
    np.testing.assert_allclose(bags.intersection(a, b), np.minimum(a[:, None], b).sum(2), rtol=1e-12)


def test_fisher_vectors_are_those_of_scikit_image():
    descriptors = RNG.normal(size=(6, 30, 5)).astype(np.float32) + RNG.integers(0, 3, (6, 30, 1))
    mixture = bags.mixture(descriptors, 4)
    for mine, one in zip(bags.fisher(descriptors, mixture), descriptors):
        theirs = fisher_vector(one.astype(float), mixture, improved=True)[4:]  # without the weights of the Gaussians
        theirs[20:] *= -1  # they descend where we ascend
        np.testing.assert_allclose(mine, theirs / np.linalg.norm(theirs), atol=1e-4)


def test_a_cell_without_descriptors_adds_nothing():
    mixture = bags.mixture(dense_sift(PICTURES, step=4)[0], 3)
    vectors = bags.encode_fisher(PICTURES, mixture, levels=3, step=4).reshape(len(PICTURES), 21, -1)
    empty = ~bags.pyramid(dense_sift(PICTURES, step=4)[1], (16, 20), 3).any(1)
    assert empty.any() and not vectors[:, empty].any() and vectors[:, ~empty].any(2).all()


@pytest.mark.parametrize("levels", [1, 2])
def test_encoding_goes_the_whole_way_in_chunks(monkeypatch, levels):
    found, places = dense_sift(PICTURES, step=4)
    members = bags.pyramid(places, (16, 20), levels)
    words, mixture = bags.codebook(found, 5), bags.mixture(found, 3)
    monkeypatch.setattr(bags, "CHUNK", 3)
    expected = bags.histograms(bags.soft(found, words), members)
    np.testing.assert_allclose(bags.encode(PICTURES, words, levels, bags.soft, step=4), expected, atol=1e-6)
    vectors = np.concatenate([bags.fisher(found[:, inside], mixture) for inside in members], 1)
    np.testing.assert_allclose(bags.encode_fisher(PICTURES, mixture, levels, step=4), vectors, atol=1e-5)


@pytest.mark.parametrize("call, message", [
    (lambda: gradient_directions(np.zeros((4, 4))), r"gradient_directions: got shape \(4, 4\), expected \(N, H, W\)"),
    (lambda: dense_sift(np.zeros((1, 2, 9, 9))), r"gradient_directions: got shape \(1, 2, 9, 9\)"),
    (lambda: keypoint_sift(np.zeros(9)), r"keypoint_sift: got shape \(1, 9\)"),
    (lambda: dense_sift(PICTURES, patch=17), r"dense_sift: got patch=17 and step=2 for 16 x 20 pixels"),
    (lambda: dense_sift(PICTURES, patch=3, cells=4), r"expected a patch that fits, of at least 4 pixels"),
    (lambda: dense_sift(PICTURES, step=0), r"dense_sift: got patch=8 and step=0"),
    (lambda: bags.codebook(np.zeros((2, 3)), 4), r"codebook: got k=4, expected 1 to 2, the number of descriptors"),
    (lambda: bags.mixture(np.zeros((2, 3)), 0), r"mixture: got k=0, expected 1 to 2"),
    (lambda: bags.pyramid([[0, 0]], (4, 4), 0), r"pyramid: got levels=0, expected at least 1"),
])
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
