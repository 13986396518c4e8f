"""Content-based retrieval: pictures described by colour and texture, ranked by distance, scored by precision.

Images are uint8, or floats from 0 to 1.
"""

import numpy as np
from scipy.signal import fftconvolve
from scipy.spatial.distance import cdist
from skimage.color import rgb2gray
from skimage.feature import local_binary_pattern
from skimage.filters import gabor_kernel
from skimage.util import img_as_float, img_as_ubyte

WAVES = (4, 8)  # lengths of the Gabor waves, in pixels


def colour_histogram(images, bins=4):
    """The share of each colour in images (N, 3, H, W): (N, bins³), red slowest, each row a sum of 1.

    After M. J. Swain and D. H. Ballard, *Color Indexing*, IJCV 7, 1991.

    Raises:
        ValueError: the images have another shape, or bins is not from 1 to 256.
    """
    colours = _colours("colour_histogram", images)
    if not 1 <= bins <= 256:
        raise ValueError(f"colour_histogram: got bins={bins}, expected 1 to 256")
    bin_of = np.minimum((colours * bins).astype(int), bins - 1)  # white belongs to the last bin
    codes = np.einsum("nchw,c->nhw", bin_of, bins ** np.arange(2, -1, -1)).reshape(len(colours), -1)
    return np.stack([np.bincount(code, minlength=bins**3) for code in codes]) / codes.shape[1]


def binary_patterns(images):
    """The share of each local binary pattern in the grey of images (N, 3, H, W): (N, 10), each row a sum of 1.

    A pixel's pattern says which of its eight neighbours are at least as bright; the nine uniform ones, whose bright
    neighbours are all in one run, count by the length of the run, all others together. After T. Ojala, M. Pietikäinen
    and T. Mäenpää, *Multiresolution Gray-Scale and Rotation Invariant Texture Classification with Local Binary
    Patterns*, IEEE PAMI 24, 2002.

    Raises:
        ValueError: the images have another shape.
    """
    # bytes, because in floats an even area would owe its pattern to rounding
    greys = img_as_ubyte(_grey("binary_patterns", images))
    codes = [local_binary_pattern(grey, P=8, R=1, method="uniform").astype(int) for grey in greys]
    return np.stack([np.bincount(code.ravel(), minlength=10) for code in codes]) / greys[0].size


def gabor_energies(images, directions=4):
    """How strongly waves run through the grey of images (N, 3, H, W), and how unevenly: (N, 2 · lengths · directions).

    Mean and standard deviation of the strength of Gabor filters, wave by wave of WAVES and direction by direction from
    0, which is brighter and darker in turn along a row. After B. S. Manjunath and W. Y. Ma, *Texture Features for
    Browsing and Retrieval of Image Data*, IEEE PAMI 18, 1996.

    Raises:
        ValueError: the images have another shape.
    """
    greys = _grey("gabor_energies", images)
    greys = (greys - greys.mean((1, 2), keepdims=True)).astype(np.float32)
    found = []
    for length in WAVES:
        for angle in np.arange(directions) * np.pi / directions:
            kernel = gabor_kernel(1 / length, angle, dtype=np.complex64)
            strength = np.abs(fftconvolve(greys, kernel[None], "same", axes=(1, 2)))
            found += [strength.mean((1, 2)), strength.std((1, 2))]
    return np.stack(found, 1)


def nearest(queries, gallery, k, metric="euclidean"):
    """Indices (Q, k) of the k nearest of gallery (G, D) to each of queries (Q, D), nearest first.

    `metric` is one of SciPy's; of equals the first comes first. Queries that are the gallery itself, the same array,
    do not find themselves.

    Raises:
        ValueError: the descriptions differ in length, or the gallery has fewer than k others.
    """
    queries_d, gallery_d = np.shape(queries)[1:], np.shape(gallery)[1:]
    if len(queries_d) != 1 or queries_d != gallery_d:
        raise ValueError(f"nearest: got shapes {np.shape(queries)} and {np.shape(gallery)}, expected (Q, D) and (G, D)")
    others = len(gallery) - (queries is gallery)
    if not 1 <= k <= others:
        raise ValueError(f"nearest: got k={k}, expected 1 to {others}, as many as the gallery holds")
    far = cdist(queries, gallery, metric)
    if queries is gallery:
        np.fill_diagonal(far, np.inf)
    return np.argsort(far, axis=1, kind="stable")[:, :k]


def precision_at_k(found, labels, gallery_labels):
    """The share of what each query found (Q, k) that has the query's label: (Q,), labels (Q,) and (G,)."""
    return (np.asarray(gallery_labels)[found] == np.asarray(labels)[:, None]).mean(1)


def _colours(function, images):
    if np.ndim(images) != 4 or np.shape(images)[1] != 3:
        raise ValueError(f"{function}: got shape {np.shape(images)}, expected (N, 3, H, W)")
    return img_as_float(images)


def _grey(function, images):
    return rgb2gray(_colours(function, images), channel_axis=1)
