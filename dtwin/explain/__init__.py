"""After learning: what a network looks at, for any module of PyTorch and any of its layers by name."""

from .cam import cam, grad_cam, guided_grad_cam, resize
from .capture import capture
from .gradients import RULES, gradient, guided_backprop, relu_rule
from .deconvnet import deconvnet
from .occlusion import occlusion
from .scores import deletion, energy, insertion, pointing
from .units import Top, feature_maps, top_activations, windows
