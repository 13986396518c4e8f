"""A motorcycle seen by two cameras, with the true disparity, from scikit-image's wheel."""

from pathlib import Path

import numpy as np
import skimage
from PIL import Image

from .images import ImageSet

FOCAL_LENGTH = 994.978  # pixels
BASELINE = 193.001  # millimetres between the cameras
OFFSET = 31.086  # pixels between the cameras' principal points, along x


def stereo():
    """The left and right picture (2, 3, 500, 741) and the true disparity (500, 741) in pixels, NaN where unknown.

    What the left picture shows at column x, the right shows at x - disparity; its depth in millimetres is
    BASELINE * FOCAL_LENGTH / (disparity + OFFSET) (https://vision.middlebury.edu/stereo/data/scenes2014/).
    """
    # the files themselves, because skimage.data may look for other copies first, or download them
    folder = Path(skimage.__file__).parent / "data"
    pair = np.stack([np.array(Image.open(folder / f"motorcycle_{side}.png")) for side in ("left", "right")])
    with np.load(folder / "motorcycle_disp.npz", allow_pickle=False) as file:
        disparity = file["arr_0"]
    images = ImageSet(
        name="stereo", split="all", images=pair.transpose(0, 3, 1, 2).copy(), labels=np.arange(2),
        classes=("left", "right"), licence="none stated; free to use in research that cites the paper",
        source="https://vision.middlebury.edu/stereo/data/scenes2014/",
        citation="D. Scharstein et al., High-Resolution Stereo Datasets with Subpixel-Accurate Ground Truth, GCPR 2014; "
                 "made smaller by the authors of scikit-image",
    )
    return images, np.where(np.isfinite(disparity), disparity, np.nan)
