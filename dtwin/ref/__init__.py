"""Every operator in NumPy, forward and backward, written to be read.

`f_backward(dy, *the arguments of f)` returns one gradient per differentiable array, in order.
Arrays keep their dtype, no function changes what it is given, and wrong shapes raise a `ValueError`
that says what came and what was expected.
"""

from . import nets
from .activations import (
    relu, relu_backward, sigmoid, sigmoid_backward, softmax, softmax_backward, tanh, tanh_backward,
)
from .conv import (
    col2im, col2im_backward, conv2d, conv2d_backward, conv2d_loops, conv2d_loops_backward,
    im2col, im2col_backward,
)
from .dropout import dropout, dropout_backward
from .gradcam import grad_cam
from .linear import linear, linear_backward
from .loss import cross_entropy, cross_entropy_backward
from .norm import (
    batch_norm, batch_norm_backward, batch_norm_eval, batch_norm_eval_backward, batch_stats,
    fold_batch_norm, local_response_norm, local_response_norm_backward,
)
from .optim import sgd, sgd_momentum
from .pool import (
    avg_pool2d, avg_pool2d_backward, global_avg_pool, global_avg_pool_backward,
    max_pool2d, max_pool2d_backward,
)
