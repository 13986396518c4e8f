"""The pasture as an image set, and the cache it comes from."""

import numpy as np
import pytest

from dtwin.data.pasture import SPECIES, dataset, render, scenes
from dtwin.data.pasture import dataset as dataset_function


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def never():
    raise AssertionError("rendered again")


def test_a_set_is_what_its_scenes_say():
    data, behind = dataset(6, size=16), scenes(6, size=16)
    assert data.images.shape == (6, 3, 16, 16) and data.classes == SPECIES and (data.name, data.split) == ("pasture", "train")
    assert [SPECIES[label] for label in data.labels] == [scene.species for scene in behind]
    np.testing.assert_array_equal(data.images[4], render(behind[4]).image)


def test_a_set_comes_from_the_cache(monkeypatch):
    first = dataset(4, size=8, biased=True, species=["cow", "pig"])
    monkeypatch.setitem(dataset_function.__globals__, "images", lambda scenes: never())
    again = dataset(4, size=8, biased=True, species=["cow", "pig"])
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert again.name == "biased pasture"
    for change in ({"seed": 1}, {"split": "test"}, {"biased": False}, {"coat": "plain"}, {"n": 3}, {"size": 9}):
        with pytest.raises(AssertionError, match="rendered again"):
            dataset(**{"n": 4, "size": 8, "biased": True, "species": ["cow", "pig"], **change})


def test_splits_and_seeds_share_no_scene():
    sets = [scenes(20), scenes(20, "test"), scenes(20, seed=1)]
    assert len({scene for part in sets for scene in part}) == 60


@pytest.mark.parametrize("call, message", [
    (lambda: dataset(0), r"pasture.dataset: got n=0, expected a positive integer"),
    (lambda: dataset(3, "valid"), r"pasture.dataset: got split 'valid', expected 'train' or 'test'"),
    (lambda: scenes(3, "valid"), r"pasture.scenes: got split 'valid'"),
    (lambda: dataset(3, size=3), r"pasture.dataset: got size=3, expected an integer from 4"),
    (lambda: dataset(3, size=8, coat="tartan"), r"Scene: got coat='tartan'"),
])
def test_a_set_refuses(call, message, own_cache):
    with pytest.raises(ValueError, match=message):
        call()
    assert not list(own_cache.rglob("*.bin")) and not list(own_cache.rglob("*.lock"))


def test_a_set_is_drawn_again_when_the_code_that_draws_it_changes(monkeypatch, own_cache):
    dataset(2, size=8)
    monkeypatch.setitem(dataset_function.__globals__, "_code", lambda: b"other code")
    monkeypatch.setitem(dataset_function.__globals__, "images", lambda scenes: np.zeros((2, 3, 8, 8), np.uint8))
    assert not dataset(2, size=8).images.any()
    assert len(list(own_cache.rglob("*.bin"))) == 1
