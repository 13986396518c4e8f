"""Every operator of `dtwin.ref` in PyTorch: the same names and signatures, gradients from autograd.

Each function runs where its tensors live.
"""

from .activations import relu, softmax
from .conv import col2im, conv2d, conv2d_im2col, conv2d_loops, im2col
from .linear import linear
from .loss import cross_entropy
from .pool import max_pool2d
