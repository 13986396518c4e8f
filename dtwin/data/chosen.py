"""The pictures that the chapters on networks are run with: the pasture, or those that DTWIN_DATASET names."""

import os
from dataclasses import replace

import numpy as np
from PIL import Image

from . import pasture
from .cifar import cifar10
from .digits import digits
from .fashion import fashion_mnist
from .folders import image_folder
from .store import DataError

PASTURE = {"train": 4000, "test": 1000}  # pictures, rendered once for all chapters
SETS = {"digits": digits, "cifar10": cifar10, "fashion_mnist": fashion_mnist}


def dataset(split="train", size=32):
    """The ImageSet (N, 3, size, size) of the set that the environment variable DTWIN_DATASET names.

    That is `pasture` where it is not set (4000 animals to train on, 1000 to test), or else `digits`, `cifar10`,
    `fashion_mnist`, or the path of one's own pictures as `image_folder` reads them. Whatever the set, its pictures are
    made coloured squares of the size asked for, and the first of them are of all its classes.

    Raises:
        ValueError: another split is asked for, or size is not an integer from 4.
        DataError: the variable names neither a set nor a folder, or a picture there is wrong; it names the file.
        FetchError: the set is not here and cannot be fetched.
    """
    if split not in PASTURE:
        raise ValueError(f"dataset: got split {split!r}, expected 'train' or 'test'")
    if not (isinstance(size, (int, np.integer)) and size >= 4):
        raise ValueError(f"dataset: got size={size!r}, expected an integer from 4")
    name = os.environ.get("DTWIN_DATASET") or "pasture"
    if name == "pasture":
        return pasture.dataset(PASTURE[split], split, size)
    if name in SETS:
        return _coloured_squares(SETS[name](split), size)
    try:
        own = image_folder(name, split, int(size), channels=3)
    except DataError as error:
        raise DataError(f"dataset: DTWIN_DATASET is {name!r}, none of pasture, {', '.join(SETS)}, "
                        f"so a folder of pictures is expected; {error}") from error
    return own[np.random.default_rng(0).permutation(len(own))]  # a folder comes class by class


def _coloured_squares(images, size):
    pixels = images.images
    if pixels.shape[2:] != (size, size):
        pixels = np.stack([[np.asarray(Image.fromarray(channel).resize((size, size), Image.Resampling.LANCZOS))
                            for channel in image] for image in pixels])
    if pixels.shape[1] == 1:
        pixels = np.repeat(pixels, 3, axis=1)
    return replace(images, images=pixels)
