"""CIFAR-10, 60,000 photographs of 32 × 32 pixels, from its binary release (https://www.cs.toronto.edu/~kriz/cifar.html)."""

from pathlib import PurePosixPath

import numpy as np

from .archives import members
from .fetch import fetch
from .images import ImageSet
from .sources import FILES
from .store import DataError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BATCHES = {"train": [f"data_batch_{n}.bin" for n in range(1, 6)], "test": ["test_batch.bin"]}
RECORD = 1 + 3 * 32 * 32  # a label, then the red, green and blue planes, row by row
UNPACKED = 200_000_000  # bytes; the release has 184 million


def cifar10(split="train"):
    """CIFAR-10 (N, 3, 32, 32): 50,000 photographs to train on or 10,000 to test, fetched once (170 MB).

    Raises:
        ValueError: another split is asked for.
        DataError: the archive holds something else.
        FetchError: it is not here and cannot be fetched.
    """
    if split not in BATCHES:
        raise ValueError(f"cifar10: got split {split!r}, expected 'train' or 'test'")
    path = fetch(FILES["cifar10"][0])
    parts = {}
    for name, raw in members(path, UNPACKED):
        batch = PurePosixPath(name).name
        if batch in BATCHES[split]:
            parts[batch] = read_cifar(raw, f"{path}: {batch}")
    missing = [batch for batch in BATCHES[split] if batch not in parts]
    if missing:
        raise DataError(f"cifar10: {path} lacks {missing}")
    images, labels = (np.concatenate(arrays) for arrays in zip(*(parts[batch] for batch in BATCHES[split])))
    return ImageSet(
        name="cifar10", split=split, images=images, labels=labels, classes=CLASSES,
        licence="none stated; free to use in research and teaching that cites the report",
        source="https://www.cs.toronto.edu/~kriz/cifar.html",
        citation="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, University of Toronto, 2009",
    )


def read_cifar(raw, name="the bytes"):
    """Images (N, 3, 32, 32) uint8 and labels (N,) int64 from the bytes of CIFAR-10's binary format.

    Raises:
        DataError: the bytes are no whole number of records, or a label is not in 0…9.
    """
    if not raw or len(raw) % RECORD:
        raise DataError(f"read_cifar: {name} has {len(raw)} bytes, expected a positive multiple of {RECORD}")
    records = np.frombuffer(raw, np.uint8).reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() > 9:
        raise DataError(f"read_cifar: {name} has the label {labels.max()}, expected 0…9")
    return records[:, 1:].reshape(-1, 3, 32, 32).copy(), labels
