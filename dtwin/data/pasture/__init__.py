"""The pasture: rendered animals, and the truth behind every picture."""

from .animals import KEYPOINTS, PARTS, ROW
from .scene import CHOICES, RANGES, SPECIES, Scene, sample
from .picture import Picture, images, pictures, render
from .dataset import dataset, scenes
from .blocks import Block, BlockPicture, render_block, sample_blocks
from .checker import Checker, checker_shadow
from .gallery import gallery
