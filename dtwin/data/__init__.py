"""Pictures to work on, all in one shape: rendered, out of the libraries' wheels, fetched once, or anyone's own."""

from .images import ImageSet
from .store import DataError
from .fetch import FetchError
from . import pasture
from .digits import digits
from .photographs import photographs
from .faces import faces
from .stereo import stereo
from .cifar import cifar10
from .fashion import fashion_mnist
from .folders import image_folder
from .chosen import dataset
