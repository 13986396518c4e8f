"""Bags of features, the recipe of 2011: descriptors become visual words, and a picture the histogram of its words.

Descriptors (N, P, D) come from `dtwin.vision.descriptors`; a picture with fewer than P patches has a batch of its own.
"""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.cluster import MiniBatchKMeans
from sklearn.mixture import GaussianMixture

from .descriptors import dense_sift

CHUNK = 250  # pictures encoded at a time: it bounds the memory
POINTS = 20_000  # descriptors that a codebook learns from, drawn at random where there are more


def codebook(descriptors, k, seed=0):
    """The k visual words float32 (k, D): the centres that k-means finds among descriptors (..., D).

    Raises:
        ValueError: there are fewer descriptors than words.
    """
    points = _points("codebook", descriptors, k, seed)
    means = MiniBatchKMeans(k, batch_size=2048, n_init=3, random_state=seed, reassignment_ratio=0).fit(points)
    return means.cluster_centers_


def mixture(descriptors, k, seed=0):
    """The soft codebook of Fisher vectors: a scikit-learn mixture of k Gaussians with diagonal covariances.

    Raises:
        ValueError: there are fewer descriptors (..., D) than Gaussians.
    """
    points = _points("mixture", descriptors, k, seed)
    return GaussianMixture(k, covariance_type="diag", reg_covar=1e-4, tol=1e-2, random_state=seed).fit(points)


def hard(descriptors, words):
    """Assign each descriptor (N, P, D) to the nearest of the words (k, D): weights (N, P, k), one 1 in each row."""
    nearest = _distances(descriptors, words).argmin(-1)
    return (nearest[..., None] == np.arange(len(words))).astype(np.float32)


def soft(descriptors, words, sharpness=20.0):
    """Share each descriptor (N, P, D) among the words by exp(−sharpness · distance²): weights (N, P, k) that sum to 1.

    After van Gemert et al., *Kernel Codebooks for Scene Categorization*, ECCV 2008.
    """
    far = _distances(descriptors, words)
    weights = np.exp(-sharpness * (far - far.min(-1, keepdims=True)))
    return weights / weights.sum(-1, keepdims=True)


def pyramid(places, shape, levels=1):
    """Which places (P, 2) lie in which cell of a pyramid over a picture (height, width): bool (cells, P).

    Level l cuts the picture into 2^l × 2^l cells, the whole picture comes first: 1, 5 or 21 cells for 1, 2, 3 levels.

    Raises:
        ValueError: levels is not positive.
    """
    if levels < 1:
        raise ValueError(f"pyramid: got levels={levels}, expected at least 1")
    found = []
    for across in 2 ** np.arange(levels):
        row, column = np.minimum((np.asarray(places) + 0.5) * across // shape, across - 1).T
        found.append(row * across + column == np.arange(across**2)[:, None])
    return np.concatenate(found)


def level_weights(levels):
    """The weight of each cell of a pyramid (cells,): finer levels count more, because they match more strictly.

    Level 0 weighs 2^−L and level l weighs 2^(l−L−1), L being the finest; after Lazebnik, Schmid and Ponce, *Beyond
    Bags of Features*, CVPR 2006.
    """
    finest = levels - 1
    weights = [2.0 ** (max(level, 1) - finest - 1) for level in range(levels)]
    return np.repeat(weights, 4 ** np.arange(levels))


def histograms(weights, members):
    """The histogram of words of each cell, side by side: (N, cells · k) from weights (N, P, k), members (cells, P).

    They are shares of the picture's patches, so that the cells of one level sum to 1.
    """
    found = (members / members.shape[1]).astype(np.float32) @ weights
    return found.reshape(len(weights), -1)


def intersection(a, b):
    """The histogram-intersection kernel (n, m): Σ min(a, b) for each row of a (n, D) with each row of b (m, D)."""
    # min(p, q) = (p + q − |p − q|) / 2
    return (a.sum(1)[:, None] + b.sum(1) - cdist(a, b, "cityblock")) / 2


def fisher(descriptors, gmm):
    """The Fisher vector of each picture, power- and length-normalised: (N, 2 k D) from descriptors (N, P, D).

    How the picture's descriptors pull at the means and at the deviations of a `mixture`; after Perronnin, Sánchez and
    Mensink, *Improving the Fisher Kernel for Large-Scale Image Classification*, ECCV 2010. Unlike scikit-image's, it
    takes a batch and leaves out the weights of the Gaussians. Of no descriptors the vector is zero.
    """
    n, p, d = descriptors.shape
    if p == 0:
        return np.zeros((n, 2 * gmm.means_.size), np.float32)
    share = gmm.predict_proba(descriptors.reshape(-1, d)).reshape(n, p, -1).astype(np.float32)
    mass = share.sum(1)[..., None]
    first, second = share.transpose(0, 2, 1) @ descriptors, share.transpose(0, 2, 1) @ descriptors**2
    mean, deviation, scale = gmm.means_, np.sqrt(gmm.covariances_), np.sqrt(gmm.weights_)[:, None] * p
    by_mean = (first - mass * mean) / (deviation * scale)
    by_deviation = ((second - 2 * first * mean + mass * mean**2) / deviation**2 - mass) / (np.sqrt(2) * scale)
    vectors = np.concatenate([by_mean, by_deviation], 1).reshape(n, -1)
    vectors = np.sign(vectors) * np.sqrt(np.abs(vectors))
    return (vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def encode(images, words, levels=1, assign=hard, **grid):
    """Pictures (N, [C,] H, W) into histograms (N, cells · k), the whole way: descriptors, words, pyramid.

    `grid` holds `patch`, `step` and `cells` of `dense_sift`; it and the words must be those of the codebook.
    """
    return _in_chunks(images, grid, lambda found, members: histograms(assign(found, words), members), levels)


def encode_fisher(images, gmm, levels=1, **grid):
    """Pictures (N, [C,] H, W) into Fisher vectors, one for each cell side by side: (N, cells · 2 k D)."""
    def encoded(found, members):
        return np.concatenate([fisher(found[:, inside], gmm) for inside in members], 1)

    return _in_chunks(images, grid, encoded, levels)


def _in_chunks(images, grid, encoded, levels):
    images = np.asarray(images)
    parts = []
    for start in range(0, len(images), CHUNK):
        found, places = dense_sift(images[start:start + CHUNK], **grid)
        parts.append(encoded(found, pyramid(places, images.shape[-2:], levels)))
    return np.concatenate(parts)


def _distances(descriptors, words):
    # squared, (N, P, k); |d|² is the same for all words, but `soft` needs no more than differences
    return (words**2).sum(1) - 2 * (descriptors @ words.T)


def _points(function, descriptors, k, seed):
    points = np.asarray(descriptors).reshape(-1, np.shape(descriptors)[-1])
    if not 1 <= k <= len(points):
        raise ValueError(f"{function}: got k={k}, expected 1 to {len(points)}, the number of descriptors")
    if len(points) > POINTS:
        points = points[np.random.default_rng(seed).choice(len(points), POINTS, replace=False)]
    return points
