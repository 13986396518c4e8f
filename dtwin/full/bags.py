"""Bags of features, Fisher vectors and a network on the same photographs, the way of 2011 against that of 2012."""

import numpy as np
from sklearn.svm import LinearSVC

from .. import train, twin
from ..vision import bags
from ..vision.descriptors import dense_sift
from . import training
from .units import Run, Unit

GRID = dict(patch=12, step=4, cells=3)


def by_hand(at, kind, words, seed, train_on, test_on, penalties):
    """Descriptors, a codebook, one code for a picture and a linear SVM: the test error in percent, at the best penalty.

    The penalty is chosen on the last fifth of the training pictures.
    """
    sets = [at.pictures("cifar10", split, first) for split, first in (("train", train_on), ("test", test_on))]
    sample = np.concatenate([dense_sift(part, **GRID)[0] for part in np.array_split(sets[0].images[:1000], 4)])
    if kind == "Fisher vectors":
        book = bags.mixture(sample, words, seed)
        codes = [bags.encode_fisher(images.images, book, **GRID) for images in sets]
    else:
        book = bags.codebook(sample, words, seed)
        codes = [np.sqrt(bags.encode(images.images, book, levels=3 if kind == "pyramid of bags" else 1, **GRID)) for images in sets]
    kept = len(sets[0]) * 4 // 5

    def right(penalty, features, labels, others, answers):
        return LinearSVC(C=penalty, random_state=seed, tol=1e-3, max_iter=2000).fit(features, labels).score(others, answers)

    labels = sets[0].labels
    best = max(penalties, key=lambda c: right(c, codes[0][:kept], labels[:kept], codes[0][kept:], labels[kept:]))
    return {"test": 100 * (1 - right(best, codes[0], labels, codes[1], sets[1].labels))}


def learned(at, seed, train_on, test_on, epochs, batch):
    """A small AlexNet from the same pictures, with crops and mirror images: its test error in percent."""
    build = twin.nets.SmallAlexNet
    size = dict(stages=((4,), (8,)), hidden=16) if at.small else dict(stages=((64,), (64,), (128, 128)), hidden=256)
    net = training.seeded(seed, lambda: build(batch_norm=True, **size))
    recipe = train.Recipe(epochs, 0.05, batch, schedule="one-cycle", pad=4, flip=True, seed=seed)
    history = train.fit(net, at.pictures("cifar10", "train", train_on), recipe, at.pictures("cifar10", "test", test_on),
                        at.checkpoint, at.device)
    return {"test": 100 * (1 - history.test_accuracy[-1])}


def units(small):
    size = dict(train_on=60, test_on=30) if small else dict(train_on=10_000, test_on=2_000)
    by = dict(words=4, penalties=[1.0]) if small else dict(words=64, penalties=[0.1, 1.0, 10.0])
    found = []
    for seed in range(1 if small else 3):
        found += [Unit(by_hand, dict(kind=kind, seed=seed, **by, **size)) for kind in ("bag", "pyramid of bags", "Fisher vectors")]
        found.append(Unit(learned, dict(seed=seed, epochs=2 if small else 40, batch=32 if small else 128, **size)))
    return found


def summary(done):
    found = {}
    for setting, numbers in done:
        found.setdefault(setting.get("kind", "network"), []).append(numbers["test"])
    bag, fisher, network = (found[name] for name in ("bag", "Fisher vectors", "network"))
    return {f"test error in percent, {name}": errors for name, errors in found.items()}, {
        "learned-features-beat-bag": [a / max(b, 1e-9) for a, b in zip(network, bag)],
        "fisher-vector-beats-bag": [a - b for a, b in zip(bag, fisher)],
        "network-beats-fisher-vectors": [a - b for a, b in zip(fisher, network)]}


RUNS = {"bags": Run(units, summary)}
