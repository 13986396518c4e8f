"""Pictures to work on, all in one shape; these need no network, for they come inside the libraries."""

from .images import ImageSet
from . import pasture
from .digits import digits
from .photographs import photographs
