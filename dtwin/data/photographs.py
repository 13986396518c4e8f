"""Photographs from scikit-image's wheel."""

from pathlib import Path

import numpy as np
import skimage
from PIL import Image

from .images import ImageSet

# name: file, licence, source, citation
PHOTOGRAPHS = {
    "astronaut": ("astronaut.png", "public domain", "https://flic.kr/p/r9qvLn", "Eileen Collins, NASA"),
    "brick": ("brick.png", "CC0", "https://cc0textures.com/view.php?tex=Bricks25", "Bricks, CC0 Textures"),
    "camera": ("camera.png", "CC0", "https://github.com/scikit-image/scikit-image/issues/3927", "Lav Varshney"),
    "chelsea": ("chelsea.png", "CC0", "https://scikit-image.org", "Chelsea the cat, Stefan van der Walt"),
    "coffee": ("coffee.png", "CC0", "https://scikit-image.org", "A cup of coffee, Rachel Michetti"),
    "coins": ("coins.png", "no known copyright restrictions",
              "https://www.brooklynmuseum.org/opencollection/archives/image/51611",
              "Greek coins from Pompeii, Brooklyn Museum"),
    "grass": ("grass.png", "CC0", "https://www.deviantart.com/linolafett/art/Grass-01-434853879", "Grass, linolafett"),
    "gravel": ("gravel.png", "CC0", "https://cc0textures.com/view.php?tex=Gravel04", "Gravel, CC0 Textures"),
    "rocket": ("rocket.jpg", "public domain", "https://www.flickr.com/photos/spacexphotos/16511594820",
               "Launch of DSCOVR, SpaceX"),
}


def photographs():
    """Photographs by name, each a set of one image (1, C, H, W) with C = 1 or 3, for they differ in size."""
    folder = Path(skimage.__file__).parent / "data"
    sets = {}
    for name, (file, licence, source, citation) in PHOTOGRAPHS.items():
        # the file itself, because skimage.data may look for another copy first, or download one
        pixels = np.array(Image.open(folder / file))
        images = np.atleast_3d(pixels).transpose(2, 0, 1)[None].copy()
        sets[name] = ImageSet(name, "all", images, np.zeros(1, np.int64), (name,), licence, source, citation)
    return sets
