"""Grad-CAM on the large pasture, where the truth is known: pointing, boxes, and the sanity check (Selvaraju et al. 2017)."""

import math
import statistics

import numpy as np
import torch
from scipy.stats import rankdata
from skimage.measure import label, regionprops
from torch.nn import functional as F

from .. import explain, train
from ..data import pasture
from ..twin import nets
from . import training
from .units import Run, Unit

LAYER = "blocks.3"
SHARES = tuple(round(0.05 * n, 2) for n in range(2, 19))  # of a map's maximum, at which it is cut into a box
ASIDE = dict(x=(-0.25, 0.25), y=(-0.15, 0.15))


def net():
    """A residual net of four stages that ends in the mean of its maps, which are an eighth of the picture's side."""
    return nets.cifar((1, 1, 1, 1))


def look(at, seed, doubles, epochs, batch):
    """Train on the pasture, and grade what Grad-CAM shows: doubles are pictures of two animals side by side."""
    images, test = at.pictures("pasture", "train"), at.pictures("pasture", "test", 12 if at.small else None)
    size = test.images.shape[-1]
    recipe = train.Recipe(epochs, 0.1, batch, schedule="one-cycle", pad=size // 16, seed=seed)
    trained = training.seeded(seed, net)
    history = train.fit(trained, images, recipe, test, at.checkpoint, at.device)
    mean, std = (part[:, None, None].to(at.device) for part in history.statistics[:2])

    def see(pixels):
        return (torch.as_tensor(np.asarray(pixels), device=at.device) / 255 - mean) / std

    x, y = see(test.images), torch.as_tensor(test.labels, device=at.device)
    truth = pasture.pictures(pasture.scenes(len(test), "test", size))
    masks = torch.as_tensor(np.array([one.mask for one in truth]), device=at.device)
    ruined = training.seeded(seed + 200, net).to(at.device).eval()
    return {"right": 100 * history.test_accuracy[-1], **point(trained, see, size, doubles, seed, at.device),
            "boxes": [100 * share for share in boxes(cam(trained, x, y), masks)], **compare(trained, x, y, ruined)}


def cam(trained, x, classes):
    return explain.resize(explain.grad_cam(trained, x, LAYER, classes), x.shape[2:])


def guided(trained, x, classes):
    return explain.guided_backprop(trained, x, classes).abs().amax(1)


def point(trained, see, size, doubles, seed, device):
    """How often, in percent, the map for one animal points at it, at the other, and what the middle and an untrained net do."""
    halves = [pasture.scenes(doubles, "test", size, seed + 2, species=list(names), **ASIDE)
              for names in (pasture.SPECIES[:5], pasture.SPECIES[5:])]
    kinds = [torch.tensor([pasture.SPECIES.index(scene.species) for scene in half], device=device) for half in halves]
    truth = [list(pasture.pictures(half)) for half in halves]
    both = see(np.concatenate([np.stack([one.image for one in half]) for half in truth], 3))
    left, right = (torch.as_tensor(np.array([one.mask for one in half]), device=device) for half in truth)
    sides = [F.pad(left, (0, size)), F.pad(right, (size, 0))]

    def hits(network, order):
        shares = [explain.pointing(cam(network, both, kind), side).float().mean() for kind, side in zip(kinds, order)]
        return 100 * statistics.fmean(share.item() for share in shares)

    middle = 50 * statistics.fmean((side[:, size // 2, size // 2] | side[:, size // 2, size * 3 // 2]).float().mean().item()
                                   for side in sides)
    untrained = training.seeded(seed + 100, net).to(device).eval()
    return {"pointing": hits(trained, sides), "pointing, other animal's map": hits(trained, sides[::-1]), "middle": middle,
            "pointing, untrained": hits(untrained, sides),
            "area": 100 * statistics.fmean(side.float().mean().item() for side in sides)}


def boxes(maps, masks):
    """For each share the part of the pictures in which the box of the map's largest piece overlaps the true box by a half."""
    true = [box(mask) for mask in masks.cpu().numpy()]
    return [statistics.fmean(overlap(box(one >= share * one.max()), whole) >= 0.5
                             for one, whole in zip(maps.cpu().numpy(), true)) for share in SHARES]


def box(mask):
    """The box (top, left, bottom, right) of the largest connected piece of a mask; of an empty one, an empty box."""
    pieces = regionprops(label(mask, connectivity=1))
    return max(pieces, key=lambda piece: piece.area).bbox if pieces else (0, 0, 0, 0)


def overlap(a, b):
    """Intersection over union of two boxes."""
    def area(top, left, bottom, right):
        return max(bottom - top, 0) * max(right - left, 0)

    shared = area(*np.maximum(a[:2], b[:2]), *np.minimum(a[2:], b[2:]))
    return shared / max(area(*a) + area(*b) - shared, 1)


def compare(trained, x, y, ruined):
    """Rank correlations of maps with occlusion, and with those of the same network with random weights."""
    x, y, size = x[:100], y[:100], x.shape[-1]
    hidden = explain.occlusion(trained, x, y, size=size // 4, stride=max(size // 16, 1), scores=True)
    maps = {"Grad-CAM": cam, "guided backpropagation": guided}
    found = {name: method(trained, x, y) for name, method in maps.items()}
    kept = {name: correlation(found[name], method(ruined, x, y)) for name, method in maps.items()}
    more = kept["guided backpropagation"] - kept["Grad-CAM"]
    return {**{f"{name} with occlusion": correlation(found[name], hidden).mean().item() for name in maps},
            **{f"{name} with random weights": kept[name].mean().item() for name in maps},
            "t of the sanity check": (more.mean() / (more.std() / math.sqrt(len(more))).clamp(min=1e-9)).item()}


def correlation(a, b):
    """Spearman's rank correlation of two maps, picture by picture; that of an even map is 0."""
    ranks = [torch.tensor(rankdata(maps.flatten(1).cpu().numpy(), axis=1)) for maps in (a, b)]
    a, b = (rank - rank.mean(1, keepdim=True) for rank in ranks)
    return torch.nan_to_num((a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1)))


def units(small):
    size = dict(doubles=6, epochs=2, batch=20) if small else dict(doubles=200, epochs=40, batch=64)
    return [Unit(look, dict(seed=seed, **size)) for seed in range(1 if small else 3)]


def summary(done):
    found = {name: [numbers[name] for _, numbers in done] for name in done[0][1] if name != "boxes"}
    curves = [numbers["boxes"] for _, numbers in done]
    values = {f"{name}{'' if ' with ' in name or name[0] == 't' else ', percent'}": value for name, value in found.items()}
    values |= {f"boxes that overlap by a half in percent, cut at {share:.0%}": [curve[n] for curve in curves]
               for n, share in enumerate(SHARES)}

    def less(a, b):
        return [x - y for x, y in zip(found[a], found[b])]

    return values, {
        "grad-cam-against-centre": less("pointing", "middle"),
        "grad-cam-against-wrong-class": less("pointing", "pointing, other animal's map"),
        "grad-cam-of-an-untrained-net": less("pointing, untrained", "area"),
        "weakly-supervised-localisation": [max(curve) for curve in curves],
        "grad-cam-follows-occlusion": less("Grad-CAM with occlusion", "guided backpropagation with occlusion"),
        "sanity-check-by-random-weights": min(found["t of the sanity check"])}


RUNS = {"localisation": Run(units, summary)}
