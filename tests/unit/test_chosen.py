"""One variable says which pictures the chapters on networks run on, and all of them come in one form."""

import numpy as np
import pytest
from PIL import Image

from dtwin import claims, data
from dtwin.data import DataError, ImageSet, chosen


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TQDM_DISABLE", "1")
    monkeypatch.delenv("DTWIN_DATA", raising=False)
    monkeypatch.delenv("DTWIN_DATASET", raising=False)


@pytest.fixture
def cows(tmp_path):
    """Own pictures of two classes, of many sizes and modes: cows are bright, the others dark."""
    sizes = [(50, 40), (30, 64), (32, 32), (7, 9)]
    for split, count in ("train", 12), ("test", 4):
        for n in range(count):
            for name, value in ("cow", 200), ("no_cow", 20):
                path = tmp_path / "cows" / split / name / f"{n:02}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("RGB" if n % 2 else "L", sizes[n % 4], (value + n,) * 3 if n % 2 else value + n).save(path)
    return tmp_path / "cows"


@pytest.mark.parametrize("value", [None, "", "pasture"])
def test_it_is_the_pasture_unless_another_is_named(value, monkeypatch):
    monkeypatch.setattr(chosen, "PASTURE", {"train": 6, "test": 3})
    if value is not None:
        monkeypatch.setenv("DTWIN_DATASET", value)
    train, test = data.dataset(), data.dataset("test", size=16)
    assert train.images.shape == (6, 3, 32, 32) and test.images.shape == (3, 3, 16, 16)
    np.testing.assert_array_equal(train.images, data.pasture.dataset(6, "train").images)
    np.testing.assert_array_equal(test.labels, data.pasture.dataset(3, "test", 16).labels)


def test_the_chapters_share_one_rendered_pasture():
    assert chosen.PASTURE == {"train": 4000, "test": 1000}


def test_own_pictures_are_coloured_squares_with_all_classes_first(cows, monkeypatch):
    monkeypatch.setenv("DTWIN_DATASET", str(cows))
    train, test = data.dataset(size=24), data.dataset("test", size=24)
    assert train.images.shape == (24, 3, 24, 24) and test.images.shape == (8, 3, 24, 24)
    assert train.classes == test.classes == ("cow", "no_cow") and train.name == "cows" and test.split == "test"
    for part in train, test:
        bright = part.images.mean((1, 2, 3)) > 100
        np.testing.assert_array_equal(part.labels, np.where(bright, 0, 1))
    assert set(train[:6].labels) == set(test[:4].labels) == {0, 1}
    np.testing.assert_array_equal(data.dataset(size=24).images, train.images)
    folder = data.image_folder(cows, size=24, channels=3)
    assert sorted(image.tobytes() for image in train.images) == sorted(image.tobytes() for image in folder.images)


def test_own_pictures_may_be_packed_and_lie_where_dtwin_data_says(cows, monkeypatch):
    monkeypatch.setenv("DTWIN_DATA", str(cows.parent))
    monkeypatch.setenv("DTWIN_DATASET", "cows")
    assert len(data.dataset("test", 8)) == 8


def test_grey_pictures_become_coloured_and_small_ones_larger(monkeypatch):
    monkeypatch.setenv("DTWIN_DATASET", "digits")
    test, plain = data.dataset("test"), data.digits("test")
    assert test.images.shape == (360, 3, 32, 32) and test.name == "digits"
    np.testing.assert_array_equal(test.labels, plain.labels)
    assert (test.images == test.images[:, :1]).all()
    cells = test.images[:, 0].reshape(360, 8, 4, 8, 4).mean((2, 4))
    assert np.abs(cells - plain.images[:, 0]).mean() < 15
    assert (data.dataset("test", 8).images == plain.images).all()


@pytest.mark.parametrize("name", ["cifar10", "fashion_mnist"])
def test_fetched_sets_go_by_their_names(name, monkeypatch):
    def stand_in(split):
        return ImageSet(name, split, pixels, np.array([0, 1]), ("a", "b"), "", "", "")

    assert chosen.SETS[name] is getattr(data, name)
    monkeypatch.setitem(chosen.SETS, name, stand_in)
    monkeypatch.setenv("DTWIN_DATASET", name)
    pixels = np.arange(2 * 3 * 32 * 32).reshape(2, 3, 32, 32).astype(np.uint8)
    assert data.dataset("test").images is pixels  # nothing to be done, nothing copied
    assert data.dataset("test").split == "test"
    pixels = np.stack([np.full((3, 28, 28), value, np.uint8) for value in (10, 250)])
    pixels[:, 1] //= 2
    found = data.dataset("train", 32).images
    assert (found == np.array([[10, 5, 10], [250, 125, 250]])[:, :, None, None]).all() and found.shape == (2, 3, 32, 32)


@pytest.mark.parametrize("value", ["cifra10", "pastures/none"])
def test_a_name_that_is_none_is_refused(value, monkeypatch):
    monkeypatch.setenv("DTWIN_DATASET", value)
    with pytest.raises(DataError, match=rf"^dataset: DTWIN_DATASET is '{value}', none of pasture, digits, cifar10, "
                                        rf"fashion_mnist, so a folder of pictures is expected; image_folder: there is "
                                        rf"no folder or .tar.gz /.*/{value}"):
        data.dataset()


def test_a_wrong_picture_and_a_missing_split_are_named(cows, monkeypatch):
    monkeypatch.setenv("DTWIN_DATASET", str(cows))
    (cows / "train/cow/03.png").write_bytes(b"moo")
    with pytest.raises(DataError, match=r"^dataset: DTWIN_DATASET is .*cows/train/cow/03.png cannot be read"):
        data.dataset()
    (cows / "test").rename(cows / "val")
    with pytest.raises(DataError, match=r"has the folders \['train', 'val'\] .*, expected test/<class>/<picture>"):
        data.dataset("test")


@pytest.mark.parametrize("arguments, message", [
    (("valid",), "dataset: got split 'valid', expected 'train' or 'test'"),
    (("train", 3), "dataset: got size=3, expected an integer from 4"),
    (("train", 32.0), "dataset: got size=32.0, expected an integer from 4"),
])
def test_wrong_arguments_are_refused(arguments, message, monkeypatch):
    monkeypatch.setenv("DTWIN_DATASET", "digits")
    with pytest.raises(ValueError, match=message):
        data.dataset(*arguments)


def test_no_claim_is_judged_on_other_pictures(monkeypatch):
    claim = next(c for c in claims.registry().values() if c.band == (0, 0) and not c.missed)
    assert claims.measure(claim.id, 0).verdict == "reproduced"
    with pytest.raises(claims.OutOfBand):
        claims.measure(claim.id, 1)
    monkeypatch.setenv("DTWIN_DATASET", "digits")
    assert {claims.measure(claim.id, value).verdict for value in (0, 1)} == {"not judged"}
    assert "not judged" in str(claims.measure(claim.id, 1))
    monkeypatch.setenv("DTWIN_DATASET", "pasture")
    with pytest.raises(claims.OutOfBand):
        claims.measure(claim.id, 1)
