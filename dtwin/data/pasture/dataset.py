"""The pasture as one of the course's image sets."""

import hashlib
from pathlib import Path

import numpy as np

from ..images import ImageSet
from ..store import cache_folder, cached_array
from .picture import images
from .scene import SPECIES, sample

SPLITS = ("train", "test")


def scenes(n, split="train", size=32, seed=0, biased=False, **causes):
    """The scenes behind `dataset`'s images, in their order: `render` gives the truth of each."""
    if split not in SPLITS:
        raise ValueError(f"pasture.scenes: got split {split!r}, expected 'train' or 'test'")
    return sample(n, (seed, SPLITS.index(split)), biased, **{"size": size, **causes})


def dataset(n=10_000, split="train", size=32, seed=0, biased=False, **causes):
    """An ImageSet of n animals (n, 3, size, size), labels indexing SPECIES; causes are those of `sample`.

    It is rendered once and then comes from the user's cache. Splits share no scene; a set's first m are the set of m.

    Raises:
        ValueError: n is not positive, the split is unknown, or `sample` refuses a cause.
    """
    if split not in SPLITS:
        raise ValueError(f"pasture.dataset: got split {split!r}, expected 'train' or 'test'")
    if not (isinstance(size, (int, np.integer)) and size >= 4):
        raise ValueError(f"pasture.dataset: got size={size!r}, expected an integer from 4")
    if not (isinstance(n, (int, np.integer)) and n > 0):
        raise ValueError(f"pasture.dataset: got n={n!r}, expected a positive integer")
    # the pictures follow from these arguments and from the code that draws them, and from nothing else
    asked = repr((n, split, size, seed, biased, sorted(causes.items()))).encode()
    rows = cached_array(
        cache_folder() / "pasture" / f"{split}-{n}-{size}-{hashlib.sha256(asked).hexdigest()[:16]}.bin",
        hashlib.sha256(_code() + asked).digest(),
        lambda: _rows(scenes(n, split, size, seed, biased, **causes)),
    ).reshape(n, -1)
    return ImageSet(
        name="biased pasture" if biased else "pasture", split=split,
        images=rows[:, 1:].reshape(n, 3, size, size), labels=rows[:, 0].astype(np.int64), classes=SPECIES,
        licence="MIT", source="rendered by dtwin.data.pasture",
        citation="animals of generalised cones, after D. Marr and H. K. Nishihara, Representation and recognition of the "
                 "spatial organization of three-dimensional shapes, Proc. R. Soc. Lond. B 200, 1978")


def _rows(drawn):
    # label and pixels of each picture side by side, as CIFAR-10 keeps them, so that one checksum covers both
    labels = np.array([SPECIES.index(scene.species) for scene in drawn], np.uint8)
    return np.concatenate([labels[:, None], images(drawn).reshape(len(drawn), -1)], 1)[:, None, None]


def _code():
    return b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
