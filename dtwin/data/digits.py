"""Handwritten digits, 8 × 8 pixels, from scikit-learn's wheel."""

import numpy as np

from .images import ImageSet


def digits(split="train"):
    """Handwritten digits (N, 1, 8, 8), bright ink on 0: 1437 to train on or 360 to test, always the same ones.

    Every class has the same share in both parts.

    Raises:
        ValueError: another split is asked for.
    """
    if split not in ("train", "test"):
        raise ValueError(f"digits: got split {split!r}, expected 'train' or 'test'")
    # here, not above: it takes two seconds, and whoever imports dtwin.data would wait for it
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    # the set stores ink as 0 to 16
    images = np.round(images * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    train, test = train_test_split(np.arange(len(images)), test_size=360, random_state=0, stratify=labels)
    chosen = np.sort(train if split == "train" else test)
    return ImageSet(
        name="digits",
        split=split,
        images=images[chosen],
        labels=labels[chosen].astype(np.int64),
        classes=tuple("0123456789"),
        licence="CC BY 4.0",
        source="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        citation="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, "
                 "UCI Machine Learning Repository, 1998, doi:10.24432/C50P49",
    )
