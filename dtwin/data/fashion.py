"""Fashion-MNIST, 70,000 pictures of clothes, 28 × 28 pixels, in MNIST's own format, IDX."""

import math
import struct

import numpy as np

from .archives import gunzip
from .fetch import fetch
from .images import ImageSet
from .sources import FILES
from .store import DataError

CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
UNPACKED = 60_000_000  # bytes; the largest file has 47 million


def fashion_mnist(split="train"):
    """Fashion-MNIST (N, 1, 28, 28), bright on 0: 60,000 to train on or 10,000 to test, fetched once (31 MB).

    Raises:
        ValueError: another split is asked for.
        DataError: a file holds something else.
        FetchError: a file is not here and cannot be fetched.
    """
    if split not in ("train", "test"):
        raise ValueError(f"fashion_mnist: got split {split!r}, expected 'train' or 'test'")
    remotes = FILES["fashion_mnist"][:2] if split == "train" else FILES["fashion_mnist"][2:]
    paths = [fetch(remote) for remote in remotes]
    images, labels = (read_idx(gunzip(path, UNPACKED), path) for path in paths)
    if images.ndim != 3 or labels.shape != images.shape[:1] or labels.max(initial=0) > 9:
        raise DataError(f"fashion_mnist: {paths[0]} has the shape {images.shape} and {paths[1]} {labels.shape} "
                        f"with labels up to {labels.max(initial=0)}, expected (N, H, W) and (N,) up to 9")
    return ImageSet(
        name="fashion_mnist", split=split, images=images[:, None].copy(), labels=labels.astype(np.int64),
        classes=CLASSES, licence="MIT", source="https://github.com/zalandoresearch/fashion-mnist",
        citation="H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine "
                 "Learning Algorithms, arXiv:1708.07747, 2017",
    )


def read_idx(raw, name="the bytes"):
    """The uint8 array in the bytes of an IDX file (http://yann.lecun.com/exdb/mnist/).

    Raises:
        DataError: the header is another one, or more or fewer bytes follow than it says.
    """
    # two zeros, the type (8: unsigned bytes), the number of axes, then each axis in four bytes, high byte first
    if len(raw) < 4 or raw[:3] != b"\0\0\x08" or not 1 <= raw[3] <= 4 or len(raw) < 4 + 4 * raw[3]:
        raise DataError(f"read_idx: {name} begins {raw[:4]!r}, expected an IDX header of bytes with 1 to 4 axes")
    start = 4 + 4 * raw[3]
    shape = struct.unpack(f">{raw[3]}I", raw[4:start])
    if math.prod(shape) != len(raw) - start:
        raise DataError(f"read_idx: {name} has {len(raw) - start} bytes of values, expected {shape} by its header")
    return np.frombuffer(raw, np.uint8, offset=start).reshape(shape)
