"""Class activation maps: where the last feature maps speak for a class."""

import torch
from torch.nn import functional as F

from ..twin.gradcam import grad_cam as weighed
from .capture import classes_of, evaluating, expect, expect_images, find, maps_of
from .gradients import guided_backprop


def cam(net, x, layer, head="fc", classes=None, batch=256):
    """The maps of a layer, weighted by what a linear `head` on their means says of a class: maps (N, h, w).

    Signed: negative is evidence against the class. `classes` as in `gradient`. Zhou and others, *Learning Deep Features
    for Discriminative Localization*, 2016.

    Raises:
        ValueError: the network's scores are not the head applied to the means of the layer's maps, x is no batch of
            pictures, or the classes do not fit.
    """
    expect_images("cam", x)
    linear = find("cam", net, head)
    expect(isinstance(linear, torch.nn.Linear), "cam", f"head={head!r}, a {type(linear).__name__}", "a Linear layer")
    classes = classes_of("cam", net, x, classes, batch)
    parts = []
    with evaluating(net), torch.no_grad():
        for part, wanted in zip(x.split(batch), classes.split(batch)):
            scores, maps = maps_of("cam", net, part, layer)
            means = maps.mean((2, 3))
            same = means.shape[1] == linear.in_features and torch.allclose(linear(means), scores, 1e-3, 1e-3)
            expect(same, "cam", f"layer={layer!r} and head={head!r} that do not make the scores",
                   "a network that ends in global average pooling and one linear layer")
            parts.append(torch.einsum("nc,nchw->nhw", linear.weight[wanted], maps))
    return torch.cat(parts)


def grad_cam(net, x, layer, classes=None, batch=256):
    """The maps of a layer, each weighted by the mean of its gradient, negative evidence cut off: maps (N, h, w).

    `classes` as in `gradient`. Selvaraju and others, *Grad-CAM*, 2017, equations 1 and 2.

    Raises:
        ValueError: x is no batch of pictures, the layer is unknown or gives no maps, or the classes do not fit.
    """
    expect_images("grad_cam", x)
    classes = classes_of("grad_cam", net, x, classes, batch)
    parts = []
    with evaluating(net), torch.enable_grad():
        for part, wanted in zip(x.split(batch), classes.split(batch)):
            scores, maps = maps_of("grad_cam", net, part.detach().requires_grad_(), layer)
            (gradients,) = torch.autograd.grad(scores.gather(1, wanted[:, None]).sum(), maps)
            parts.append(weighed(maps.detach(), gradients))
    return torch.cat(parts)


def guided_grad_cam(net, x, layer, classes=None, batch=256):
    """Guided backpropagation times Grad-CAM, enlarged to the picture: (N, C, H, W), as x.

    Fine as the one and about the class as the other. `classes` as in `gradient`. Selvaraju and others, 2017, section 3.

    Raises:
        ValueError: as `guided_backprop` and `grad_cam`.
    """
    expect_images("guided_grad_cam", x)
    classes = classes_of("guided_grad_cam", net, x, classes, batch)
    where = resize(grad_cam(net, x, layer, classes, batch), x.shape[2:])
    return guided_backprop(net, x, classes, batch) * where[:, None]


def resize(maps, size):
    """Maps (N, h, w) enlarged to `size` (H, W), bilinearly.

    Raises:
        ValueError: maps are not (N, h, w).
    """
    expect(maps.ndim == 3, "resize", f"shape {tuple(maps.shape)}", "maps (N, h, w)")
    return F.interpolate(maps[:, None], tuple(size), mode="bilinear", align_corners=False)[:, 0]
