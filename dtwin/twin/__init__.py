"""Every operator of `dtwin.ref` in PyTorch: the same names and signatures, gradients from autograd.

Each function runs where its tensors live.
"""

from . import nets
from .activations import relu, sigmoid, softmax, tanh
from .conv import col2im, conv2d, conv2d_im2col, conv2d_loops, im2col
from .dropout import dropout
from .gradcam import grad_cam
from .linear import linear
from .loss import cross_entropy
from .norm import batch_norm, batch_norm_eval, batch_stats, fold_batch_norm, local_response_norm
from .optim import sgd, sgd_momentum
from .pool import avg_pool2d, global_avg_pool, max_pool2d
