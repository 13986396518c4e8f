"""The pictures of the full-scale runs, and what stands for them in a record: their names and their SHA-256."""

import functools
import hashlib
from dataclasses import replace

import numpy as np

from .. import data
from ..data.chosen import PASTURE
from ..data.fetch import find
from ..data.sources import FILES

SMALL = {"train": 64, "test": 32}  # pictures, where a run is only tried
LARGE = {"train": 4000, "test": 400, "size": 128}


@functools.cache
def load(name, split, small=False):
    """The ImageSet of a name in Plan.data: `cifar10`, `fashion_mnist`, or `pasture`, which is the large one, 128 × 128.

    Tried small, a few pictures of the pasture and digits stand for them.

    CIFAR-10 is the official one where it is here or can be fetched; before it is fetched, a folder or archive named
    `cifar10-jpeg` in DTWIN_DATA is taken, the same photographs through lossy compression, and so called.
    """
    if small:
        return _small(name, split)
    if name == "pasture":
        return data.pasture.dataset(LARGE[split], split, LARGE["size"])
    if name == "cifar10" and not all(find(remote) for remote in FILES["cifar10"]):
        for copy in ("cifar10-jpeg", "cifar10-jpeg.tar.gz"):
            if data.store.data_folder() and (data.store.data_folder() / copy).exists():
                images = data.image_folder(copy, split)
                return images[np.random.default_rng(0).permutation(len(images))]  # a folder comes class by class
    return {"cifar10": data.cifar10, "fashion_mnist": data.fashion_mnist}[name](split)


def _small(name, split):
    if name != "fashion_mnist":
        return data.pasture.dataset(PASTURE[split], split)[:SMALL[split]]  # rendered for the chapters already
    digits = data.digits(split)[:SMALL[split]]
    return replace(digits, images=np.pad(digits.images, ((0, 0), (0, 0), (10, 10), (10, 10))))


@functools.cache
def identity(name, small=False):
    """What a record says of a set: its name, how many pictures there are, and the SHA-256 of all of them and their labels."""
    sets = [load(name, split, small) for split in ("train", "test")]
    digest = hashlib.sha256()
    for images in sets:
        digest.update(np.ascontiguousarray(images.images))
        digest.update(images.labels)
    return {"name": sets[0].name, "train": len(sets[0]), "test": len(sets[1]), "sha256": digest.hexdigest()}
