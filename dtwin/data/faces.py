"""Faces and pieces of background, 25 × 25 pixels, from scikit-image's wheel."""

from pathlib import Path

import numpy as np
import skimage

from .images import ImageSet


def faces():
    """100 faces (label 1) and 100 pieces of background (label 0), grey (200, 1, 25, 25), the faces first."""
    # the file itself, because skimage.data may look for another copy first, or download one
    pixels = np.load(Path(skimage.__file__).parent / "data" / "lfw_subset.npy", allow_pickle=False)
    return ImageSet(
        name="faces", split="all",
        images=np.round(pixels * 255).astype(np.uint8)[:, None],
        labels=np.repeat(np.array([1, 0]), 100),
        classes=("background", "face"),
        licence="none stated; news photographs, free to use in research",
        source="https://vis-www.cs.umass.edu/lfw/",
        citation="G. B. Huang, M. Mattar, H. Lee and E. Learned-Miller, Learning to Align from Scratch, NIPS 2012; "
                 "chosen and cut out by the authors of scikit-image",
    )
