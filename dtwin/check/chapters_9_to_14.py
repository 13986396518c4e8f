"""The exercises of chapters 9 to 14, from residual networks to the laboratory: definition, calls, typical slips."""

import numpy as np
from scipy.special import gammaln

from .. import ref
from .exercises import exercise, light, real, rng

# chapter 9: residual networks

@exercise(
    dict(x=real(2, 4, 6, 6), channels=4, stride=1), dict(x=real(2, 4, 6, 6), channels=8, stride=2),
    dict(x=real(1, 4, 5, 8), channels=8, stride=2),
    slips={
        "All new channels stand behind; half of them belong before.":
            lambda x, channels, stride: np.roll(shortcut(x, channels, stride), -(channels - x.shape[1]) // 2, axis=1),
        "The new channels must hold zeros, not copies.":
            lambda x, channels, stride: np.concatenate([x[:, :, ::stride, ::stride]] * 2, 1)[:, :channels],
        "Keep every second pixel as it is; you average.":
            lambda x, channels, stride: shortcut(ref.avg_pool2d(x, stride), channels, 1),
    })
def shortcut(x, channels, stride):
    """Every stride-th pixel, and zeros for the missing channels, half of them before: x (N, C, H, W)."""
    x = x[:, :, ::stride, ::stride]
    before = (channels - x.shape[1]) // 2
    return np.pad(x, ((0, 0), (before, channels - x.shape[1] - before), (0, 0), (0, 0)))


@exercise(
    dict(dy=real(5, 4), x=real(5, 4), w1=real(4, 4), w2=real(4, 4)),
    dict(dy=real(3, 4), x=real(3, 4), w1=real(6, 4), w2=real(4, 6)),
    results=("dx", "dw1", "dw2"),
    slips={
        "dx misses the shortcut: what arrives at a sum goes back along both ways.":
            lambda dy, x, w1, w2: (_branch(dy, x, w1, w2)[0], *_branch(dy, x, w1, w2)[1:]),
        "dx is the shortcut's alone; the branch leads to x too.":
            lambda dy, x, w1, w2: (dy, *_branch(dy, x, w1, w2)[1:]),
        "The ReLU must stop the gradient where its input was negative.":
            lambda dy, x, w1, w2: (dy + dy @ w2 @ w1, (dy @ w2).T @ x, dy.T @ ref.relu(x @ w1.T)),
    })
def residual_backward(dy, x, w1, w2):
    """Gradients of y = x + relu(x w1ᵀ) w2ᵀ, x (N, d): dx, dw1, dw2."""
    dx, dw1, dw2 = _branch(dy, x, w1, w2)
    return dy + dx, dw1, dw2


def _branch(dy, x, w1, w2):
    a = ref.linear(x, w1)
    dh, dw2, _ = ref.linear_backward(dy, ref.relu(a), w2)
    dx, dw1, _ = ref.linear_backward(ref.relu_backward(dh, a), x, w1)
    return dx, dw1, dw2


@exercise(
    *[dict(channels=channels, size=size) for channels, size in ((1, 3), (1, 5), (3, 3), (4, 5))],
    slips={
        "Each kernel sees all maps, so its output is their sum; it must read only the map of its own number.":
            lambda channels, size: identity_kernel(channels, size)[:1].max(1, keepdims=True).repeat(channels, 0)
            .repeat(channels, 1),
        "The whole window is added up; only the pixel in its middle must pass.":
            lambda channels, size: np.broadcast_to(np.eye(channels)[..., None, None], (channels, channels, size, size)),
        "The 1 stands in the corner of the window, which moves the picture; put it in the middle.":
            lambda channels, size: np.roll(identity_kernel(channels, size), [-(size // 2)] * 2, (2, 3)),
        "The diagonal of the window is 1; only its middle must be, where the two numbers of the maps are the same.":
            lambda channels, size: np.broadcast_to(np.eye(size), (channels, channels, size, size)),
    })
def identity_kernel(channels, size):
    """The weights (channels, channels, size, size) of a convolution that changes nothing."""
    weight = np.zeros((channels, channels, size, size))
    weight[range(channels), range(channels), size // 2, size // 2] = 1
    return weight


# chapter 10: batch normalisation

@exercise(
    dict(maps=real(2, 3, 4, 4)), dict(maps=real(1, 2, 4, 6)),
    results=("maximum", "mean"),
    slips={
        "The pixels of a window are four in a row; they must be two by two.":
            lambda maps: tuple(how(maps.reshape(*maps.shape[:2], maps.shape[2] // 2, -1, 4), -1)
                               for how in (np.max, np.mean)),
        "Your windows overlap; they must lie side by side.":
            lambda maps: (ref.max_pool2d(maps, 2, 1), ref.avg_pool2d(maps, 2, 1)),
        "You return the means first; the maxima come first.": lambda maps: pooled(maps)[::-1],
        "The sum of a window stands where its mean belongs.": lambda maps: (pooled(maps)[0], 4 * pooled(maps)[1]),
    })
def pooled(maps):
    """The maximum and the mean of each window of 2 × 2, side by side: twice (N, C, H, W) → (N, C, H/2, W/2)."""
    return ref.max_pool2d(maps, 2), ref.avg_pool2d(maps, 2)


# chapter 11: dropout

@exercise(
    *[dict(x=real(n, n), chance=rng.permutation(n) / n, p=p) for n, p in ((5, 0.5), (6, 0.2), (8, 0.8))],
    slips={
        "What is kept must be scaled by 1 / (1 − p).":
            lambda x, chance, p=0.5: x * (chance >= p),
        "p is the share that is dropped; you keep it.": lambda x, chance, p=0.5: x * (chance < p) / p,
        "You drop what should be kept, and keep the rest.": lambda x, chance, p=0.5: x * (chance < p) / (1 - p),
        "The scale is 1 / (1 − p), not 1 / p.": lambda x, chance, p=0.5: x * (chance >= p) / p,
        "`chance` belongs to the units, which are columns; you drop whole examples, which are rows.":
            lambda x, chance, p=0.5: shared_dropout(x.T, chance, p).T,
    })
def shared_dropout(x, chance, p=0.5):
    """Dropout with one mask for all examples: x (N, units), kept where `chance` (units,) is not below p."""
    return x * (chance >= p) / (1 - p)


# chapter 13: the discussion

@exercise(
    dict(counts=np.array([3, 3]), about="a short list"), dict(counts=np.array([5, 2, 1]), about="a short list"),
    dict(counts=np.array([7]), about="a short list"), dict(counts=np.full(1000, 1281), about="a million names"),
    slips={
        "These are natural logarithms: divide by the logarithm of 2.": lambda counts: shuffle_bits(counts) * np.log(2),
        "These are all orders of n things; which of the cows comes first cannot be seen: subtract log n_c!.":
            lambda counts: gammaln(counts.sum() + 1) / np.log(2),
        "That is n times the entropy, as if each name were drawn for itself; here the counts are known.":
            lambda counts: -(counts * np.log2(counts / counts.sum())).sum(),
        "`lgamma(n)` is the logarithm of (n − 1)!: use `lgamma(n + 1)`.":
            lambda counts: (gammaln(counts.sum()) - gammaln(counts).sum()) / np.log(2),
    })
def shuffle_bits(counts):
    """Bits of a shuffled list in which name c stands counts[c] times: the logarithm of n! / ∏ n_c!."""
    return (gammaln(counts.sum() + 1) - gammaln(counts + 1).sum()) / np.log(2)


# chapter 14: the laboratory

CAMERA = np.array([20.0, 90, 160, 230, 300, 340])
ASIDE = np.array([95.0, -60, 30, -120, 100, 70])  # how far right of it the sun stands; the last two pass a full turn


@exercise(
    dict(sun=(CAMERA + ASIDE)[:4], camera=CAMERA[:4], about="a sun within the same turn"),
    dict(sun=(CAMERA + ASIDE) % 360, camera=CAMERA, about="a sun beyond a full turn"),
    slips={
        "An angle of 370° is one of 10°: take the difference modulo 360.": lambda sun, camera: sun > camera,
        "That is the sun on the left.": lambda sun, camera: ~sun_on_the_right(sun, camera),
        "That asks whether the sun stands on the camera's side of the animal, not to its right.":
            lambda sun, camera: np.cos(np.radians(sun - camera)) > 0,
        "The camera is not asked; what is right and left depends on where it stands.":
            lambda sun, camera: sun % 360 < 180,
    })
def sun_on_the_right(sun, camera):
    """Where the sun stands to the right of the camera: two azimuths in degrees (n,) → truth values (n,)."""
    return (sun - camera) % 360 < 180


@exercise(
    dict(maps=real(4, 5, 5), masks=rng.random((4, 5, 5)) < 0.4, about="maps with light"),
    dict(maps=real(3, 4, 6), masks=rng.random((3, 4, 6)) < 0.4, about="maps with light"),
    dict(maps=np.stack([real(4, 6), np.zeros((4, 6)), -light(4, 6)]), masks=rng.random((3, 4, 6)) < 0.4,
         about="maps without light"),
    slips={
        "What is negative counts too; take only the positive part of a map.":
            lambda maps, masks: (maps * masks).sum((1, 2)) / maps.sum((1, 2)),
        "What is negative counts as light; it must count as 0.": lambda maps, masks: energy(np.abs(maps), masks),
        "You divide by the pixels of the mask; divide by all the light of the map.":
            lambda maps, masks: (np.maximum(maps, 0) * masks).sum((1, 2)) / masks.sum((1, 2)),
        "That is one share for all maps together; each map has its own.":
            lambda maps, masks: (np.maximum(maps, 0) * masks).sum() / np.maximum(maps, 0).sum(),
        "That is the share that lies outside.": lambda maps, masks: energy(maps, ~masks),
        "A map without light counts as an even one, not as 0: then the mask's share of the picture is right.":
            lambda maps, masks: energy(maps, masks) * (maps > 0).any((1, 2)),
    })
def energy(maps, masks):
    """Share of each map's positive part in its mask, (N, H, W) both; a map nowhere positive counts as an even one."""
    positive = np.maximum(maps, 0)
    positive[~positive.any((1, 2))] = 1
    return (positive * masks).sum((1, 2)) / positive.sum((1, 2))
