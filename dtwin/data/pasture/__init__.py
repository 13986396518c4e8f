"""The pasture: rendered animals, and the truth behind every picture."""

from .animals import KEYPOINTS, PARTS, ROW
from .scene import CHOICES, RANGES, SPECIES, Scene, sample
from .render import Picture, images, pictures, render
