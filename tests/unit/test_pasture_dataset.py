"""The pasture as an image set, and the cache it comes from."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from dtwin.data.pasture import SPECIES, dataset, render, scenes
from dtwin.data.pasture import cache as cache_module
from dtwin.data.pasture import dataset as dataset_function
from dtwin.data.pasture.cache import cached, folder

SHAPE = (3, 5)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def content():
    return np.arange(15, dtype=np.uint8).reshape(SHAPE)


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


@pytest.mark.parametrize("damage", [
    lambda raw: raw[:-1], lambda raw: b"", lambda raw: raw + b"x", lambda raw: bytes([raw[0] ^ 1]) + raw[1:],
    lambda raw: raw[:-1] + bytes([raw[-1] ^ 128]),
], ids=["cut short", "empty", "too long", "a bit of a pixel", "a bit of the checksum"])
def test_a_damaged_file_is_made_again_and_named(damage):
    cached("set", SHAPE, content)
    path = folder() / "set.bin"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(UserWarning, match=r"set.bin is damaged .* it is rendered again"):
        np.testing.assert_array_equal(cached("set", SHAPE, content), content())
    np.testing.assert_array_equal(cached("set", SHAPE, never), content())


def test_a_failure_leaves_nothing_behind():
    with pytest.raises(AssertionError):
        cached("set", SHAPE, never)
    assert list(folder().iterdir()) == []


def test_a_disk_that_fills_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(cache_module.os, "fsync", lambda file: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.warns(UserWarning, match=r"cannot keep .*set.bin .*No space left"):
        np.testing.assert_array_equal(cached("set", SHAPE, content), content())
    assert list(folder().iterdir()) == []


def test_where_nothing_can_be_written_it_is_made_each_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    made = []
    for _ in range(2):
        with pytest.warns(UserWarning, match="cannot keep"):
            cached("set", SHAPE, lambda: made.append(1) or content())
    assert len(made) == 2


def test_of_two_that_ask_at_once_one_makes_it():
    made, found = [], []

    def slow():
        made.append(1)
        time.sleep(0.3)
        return content()

    threads = [threading.Thread(target=lambda: found.append(cached("set", SHAPE, slow))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and len(found) == 3
    assert [path.name for path in folder().iterdir()] == ["set.bin"]


def test_of_two_processes_that_ask_at_once_one_makes_it(tmp_path):
    code = ("import sys, time, os, numpy as np; from dtwin.data.pasture.cache import cached; "
            "make = lambda: (open(sys.argv[1], 'a').write('x'), time.sleep(0.5), np.zeros(4, np.uint8))[2]; "
            "cached('shared', (4,), make)")
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "made")], env=os.environ) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert (tmp_path / "made").read_text() == "x"


def test_a_lock_whose_maker_died_is_taken_over():
    folder().mkdir(parents=True)
    lock = folder() / "set.lock"
    lock.write_text("")
    os.utime(lock, (time.time() - 2 * cache_module.STALE,) * 2)
    np.testing.assert_array_equal(cached("set", SHAPE, content), content())
    assert not lock.exists()


def test_the_caches_place(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(cache_module.sys, "platform", "darwin")
    assert folder().parts[-4:] == ("Library", "Caches", "dtwin", "pasture")
    monkeypatch.setattr(cache_module.sys, "platform", "linux")
    assert folder().parts[-3:] == (".cache", "dtwin", "pasture")
