"""Every operator in NumPy, forward and backward, written to be read.

`f_backward(dy, *the arguments of f)` returns one gradient per differentiable array, in order.
Arrays keep their dtype, and no function changes what it is given.
"""

from .activations import relu, relu_backward, softmax, softmax_backward
from .conv import (
    col2im, col2im_backward, conv2d, conv2d_backward, conv2d_loops, conv2d_loops_backward,
    im2col, im2col_backward,
)
from .linear import linear, linear_backward
from .loss import cross_entropy, cross_entropy_backward
from .pool import max_pool2d, max_pool2d_backward
