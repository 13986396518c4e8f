"""The picture sets that need no network: their form, their split, and that they stay the same."""

import hashlib
import re
import socket
from pathlib import Path

import numpy as np
import pytest

from dtwin import data
from dtwin.data import ImageSet

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a data set asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_digits_have_the_one_shape():
    train, test = data.digits("train"), data.digits("test")
    assert (train.images.shape, test.images.shape) == ((1437, 1, 8, 8), (360, 1, 8, 8))
    assert train.images.dtype == np.uint8 and train.labels.dtype == np.int64
    assert (train.images.min(), train.images.max()) == (0, 255)
    assert train.split == "train" and test.split == "test" and train.classes == tuple("0123456789")
    assert len(test) == 360


def test_digits_parts_share_no_image_and_hold_all():
    def rows(part):
        return [(image.tobytes(), label) for image, label in zip(part.images, part.labels)]

    train, test = rows(data.digits("train")), rows(data.digits("test"))
    assert len(set(train + test)) == 1797
    assert not set(train) & set(test)


def test_digits_classes_keep_their_share():
    train, test = (np.bincount(data.digits(split).labels) for split in ("train", "test"))
    assert np.abs(test / (train + test) - 360 / 1797).max() < 0.005


def test_digits_are_the_same_on_every_machine():
    part = data.digits("test")
    digest = hashlib.sha256(part.images.tobytes() + part.labels.tobytes()).hexdigest()
    assert digest == "99ac20baf448e93ec299f54c03a2c33ee412f212ef1a8cfed87dcecc7d550da9"


def test_digits_are_digits():
    train, test = data.digits("train"), data.digits("test")
    distance = ((test.images.reshape(360, 1, 64).astype(int) - train.images.reshape(1, -1, 64)) ** 2).sum(-1)
    assert (train.labels[distance.argmin(1)] == test.labels).mean() > 0.97


@pytest.mark.parametrize("split", ["Train", "validation", None, 0])
def test_digits_refuse_another_split(split):
    with pytest.raises(ValueError, match=r"digits: got split .*, expected 'train' or 'test'"):
        data.digits(split)


def test_photographs_have_the_one_shape():
    sets = data.photographs()
    assert len(sets) == 9
    assert sets["chelsea"].images.shape == (1, 3, 300, 451)
    assert sets["camera"].images.shape == (1, 1, 512, 512)
    for name, part in sets.items():
        assert part.images.dtype == np.uint8 and part.images.flags.c_contiguous
        assert part.classes == (name,) and part.labels.tolist() == [0]
        assert np.ptp(part.images) > 100, name


def test_photographs_keep_their_channels_in_order():
    sets = data.photographs()
    red, green, blue = sets["chelsea"].images[0].mean(axis=(1, 2))
    assert red > green > blue, "the cat is ginger"


def test_every_set_names_its_licence_source_and_citation():
    for part in [data.digits(), *data.photographs().values()]:
        assert part.licence and part.citation and part.source.startswith("https://")
        assert part.name in repr(part)


def test_some_of_a_set_are_a_set():
    digits = data.digits("test")
    for chosen in (slice(5), np.array([3, 1, 1]), digits.labels == 7):
        some = digits[chosen]
        assert (some.images == digits.images[chosen]).all() and (some.labels == digits.labels[chosen]).all()
        assert (some.name, some.split, some.classes) == ("digits", "test", digits.classes)
    with pytest.raises(ValueError, match=r"ImageSet 'digits': got images uint8 \(1, 8, 8\)"):
        digits[0]


@pytest.mark.parametrize("change", [
    dict(images=np.zeros((2, 1, 4, 4))),
    dict(images=np.zeros((2, 4, 4), np.uint8)),
    dict(labels=np.zeros(2)),
    dict(labels=np.zeros(3, np.int64)),
    dict(labels=np.array([0, 2])),
    dict(labels=np.array([-1, 0])),
])
def test_a_set_refuses_arrays_of_another_kind(change):
    good = dict(name="two", split="all", images=np.zeros((2, 1, 4, 4), np.uint8), labels=np.array([0, 1]),
                classes=("a", "b"), licence="CC0", source="https://example.org", citation="nobody")
    ImageSet(**good)
    with pytest.raises(ValueError, match=r"ImageSet 'two': got images .* expected images uint8 \(N, C, H, W\)"):
        ImageSet(**{**good, **change})


# the page about the sets

def test_the_figures_of_the_page_are_those_of_the_chapter_that_draws_them():
    chapter = (ROOT / "chapters/00_pasture.py").read_text("utf-8")
    drawn = dict(enumerate(re.findall(r'^# %% alt="(.*)"$', chapter, re.MULTILINE), 1))
    shown = re.findall(r"!\[(.*)\]\(chapters/00_pasture/figure-(\d+)-(\w+)\.\w+#only-(\w+)\)",
                       (ROOT / "docs/data.md").read_text("utf-8"))
    assert [(alt, theme) for alt, _, _, theme in shown] == [
        (drawn[int(number)], theme) for _, number, theme, _ in shown]
    assert len(shown) == 12 and {theme for *_, theme in shown} == {"light", "dark"}
