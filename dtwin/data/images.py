"""The one shape of all image sets."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class ImageSet:
    """Images uint8 (N, C, H, W), labels int64 (N,) that index `classes`, and where they come from.

    Raises:
        ValueError: the arrays are of another kind.
    """

    name: str
    split: str
    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    licence: str
    source: str
    citation: str

    def __post_init__(self):
        images, labels = self.images, self.labels
        right = images.dtype == np.uint8 and images.ndim == 4 and labels.dtype == np.int64
        right = right and labels.shape == images.shape[:1] and set(labels) <= set(range(len(self.classes)))
        if not right:
            raise ValueError(
                f"ImageSet {self.name!r}: got images {images.dtype} {images.shape}, labels {labels.dtype} {labels.shape}, "
                f"expected images uint8 (N, C, H, W), labels int64 (N,) in 0…{len(self.classes) - 1}"
            )

    def __len__(self):
        return len(self.images)

    def __getitem__(self, chosen):
        """The set of some of the images: those of a slice, or of an array of indices or truth values."""
        return replace(self, images=self.images[chosen], labels=self.labels[chosen])

    def __repr__(self):
        n, c, h, w = self.images.shape
        return f"<{self.name}, {self.split}: {n} of {c} x {h} x {w}, {len(self.classes)} classes>"
