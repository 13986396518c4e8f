"""What is read from files: the right arrays from good ones, and only the documented error from bad ones."""

import ast
import gzip
import hashlib
import io
import struct
import subprocess
import sys
import tarfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dtwin import data
from dtwin.data import DataError, archives, store
from dtwin.data.archives import gunzip, members
from dtwin.data.cifar import BATCHES, RECORD, read_cifar
from dtwin.data.fashion import read_idx
from dtwin.data.sources import FILES, Remote
from dtwin.data.store import cached_array, lock

CAP = 100_000


def tar(*entries, form=tarfile.PAX_FORMAT):
    """A .tar.gz of (name, bytes) pairs and TarInfo objects."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=form, compresslevel=1) as file:
        for entry in entries:
            info, content = (entry, b"") if isinstance(entry, tarfile.TarInfo) else (tarfile.TarInfo(entry[0]), entry[1])
            info.size = info.size or len(content)
            file.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def entry(name="odd", **fields):
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("readers") / "file.gz"


def walk(path, raw, cap=CAP):
    path.write_bytes(raw)
    return list(members(path, cap))


# the walk through an archive

@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_the_files_of_an_archive_come_in_order(scratch, form):
    long = "a/" * 40 + "ü" * 20 if form != tarfile.USTAR_FORMAT else "a/b"
    raw = tar(("x/1", b"one"), entry("x", type=tarfile.DIRTYPE), (long, b"two"), ("./0", b""), form=form)
    assert walk(scratch, raw) == [("x/1", b"one"), (long, b"two"), ("./0", b"")]


@pytest.mark.parametrize("bad, message", [
    (("../out", b""), r"the path '../out' leads out"),
    (("a/../../out", b""), r"leads out"),
    (("/etc/passwd", b""), r"the path '/etc/passwd' leads out"),
    (("..\\out", b""), r"leads out"),
    (entry(type=tarfile.SYMTYPE, linkname="/etc/passwd"), r"'odd' is a link, a device or the like"),
    (entry(type=tarfile.LNKTYPE, linkname="good"), r"'odd' is a link"),
    (entry(type=tarfile.CHRTYPE), r"'odd' is a link, a device"),
    (entry(type=tarfile.BLKTYPE), r"'odd' is a link, a device"),
    (entry(type=tarfile.FIFOTYPE), r"'odd' is a link, a device"),
    (entry(type=tarfile.GNUTYPE_SPARSE), r"'odd' is a link, a device or the like"),
    (("large", bytes(CAP + 1)), rf"'large' unpacks to {CAP + 1} bytes, expected at most {CAP}"),
])
def test_an_archive_with_anything_odd_is_refused(scratch, bad, message):
    with pytest.raises(DataError, match=rf"file.gz: .*{message}"):
        walk(scratch, tar(("good", b"1"), bad))


def test_bombs_are_refused_before_they_go_off(scratch, monkeypatch):
    # a name of 8 GB, by the header of a long name
    header = entry("././@LongLink", type=tarfile.GNUTYPE_LONGNAME, size=8**11 - 1).tobuf(tarfile.GNU_FORMAT)
    bombs = [tar(*[(f"{n}", bytes(CAP // 2)) for n in range(400)]), gzip.compress(header + bytes(10**8), 1)]
    packed = gzip.compress(bytes(10**8), 1)
    tracemalloc.start()
    for bomb in bombs:
        with pytest.raises(DataError, match=f"unpacks to more than {CAP} bytes"):
            walk(scratch, bomb)
    scratch.write_bytes(packed)
    with pytest.raises(DataError, match=f"unpacks to more than {CAP} bytes"):
        gunzip(scratch, CAP)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 20 * CAP
    monkeypatch.setattr(archives, "MEMBERS", 10)
    with pytest.raises(DataError, match="has more than 10 entries"):
        walk(scratch, tar(*[(f"{n}", b"") for n in range(11)]))


def test_names_without_end_are_refused(scratch):
    # each long name's header is read by a call within the call for the one before
    header = entry("././@LongLink", type=tarfile.GNUTYPE_LONGNAME, size=1).tobuf(tarfile.GNU_FORMAT)
    with pytest.raises(DataError):
        walk(scratch, gzip.compress((header + b"x".ljust(512, b"\0")) * 3000, 1), cap=10**8)


@pytest.mark.parametrize("keep", [0, 1, 10, 0.5, 0.95])
def test_an_archive_cut_short_is_refused(scratch, keep):
    raw = tar(("a", np.random.default_rng(0).bytes(9000)), ("b", b"2"))
    raw = raw[:keep if isinstance(keep, int) else int(keep * len(raw))]
    with pytest.raises(DataError, match="file.gz: cannot be read as a .tar.gz"):
        walk(scratch, raw)
    if keep:  # gzip takes an empty file for the packed form of nothing
        with pytest.raises(DataError, match="file.gz: cannot be read as gzip"):
            gunzip(scratch, CAP)


def test_a_byte_that_changed_is_noticed_at_the_end(scratch):
    raw = bytearray(tar(("a", np.random.default_rng(0).bytes(9000))))
    raw[5000] ^= 1  # among bytes that cannot be packed and lie there as they are
    with pytest.raises(DataError, match="CRC check failed"):
        walk(scratch, bytes(raw))


GOOD = tar(("a/b", bytes(range(256)) * 3), entry("d", type=tarfile.DIRTYPE), ("é" * 120, b"x"))
PLAIN = gzip.decompress(GOOD)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.integers(0, 255)), max_size=8), st.integers(0, len(PLAIN)))
def test_the_walk_raises_nothing_but_data_errors(scratch, changes, end):
    raw = bytearray(PLAIN)
    for place, value in changes:
        raw[place] = value
    with_sum = bytearray(raw)
    for start in range(0, len(raw) - 511, 512):  # headers with a right checksum get further
        block = raw[start:start + 512]
        block[148:156] = b" " * 8
        with_sum[start + 148:start + 156] = b"%06o\0 " % sum(block)
    for one in (raw[:end], with_sum):
        try:
            found = walk(scratch, gzip.compress(bytes(one), 1))
        except DataError as error:
            assert "file.gz" in str(error)
        else:
            assert sum(len(content) for _, content in found) <= CAP


@settings(deadline=None, derandomize=True)
@given(st.binary(max_size=2000) | st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)).map(
    lambda change: GOOD[:change[0]] + bytes([change[1]]) + GOOD[change[0] + 1:]))
def test_bytes_that_are_no_archive_raise_nothing_but_data_errors(scratch, raw):
    scratch.write_bytes(raw)
    for read in (lambda: list(members(scratch, CAP)), lambda: gunzip(scratch, CAP)):
        try:
            read()
        except DataError as error:
            assert "file.gz" in str(error)


# the two binary formats

@settings(deadline=None, derandomize=True)
@given(st.binary(max_size=2 * RECORD) | st.integers(0, 3).flatmap(
    lambda n: st.binary(min_size=n * RECORD, max_size=n * RECORD)))
def test_cifar_is_read_or_refused(raw):
    try:
        images, labels = read_cifar(raw)
    except DataError:
        assert not raw or len(raw) % RECORD or max(raw[::RECORD]) > 9
        return
    assert images.shape == (len(raw) // RECORD, 3, 32, 32) and labels.tolist() == list(raw[::RECORD])
    assert images[-1].tobytes() == raw[1 - RECORD:]


def test_cifar_has_its_planes_and_rows_where_they_belong():
    record = bytes([7]) + bytes([1]) * 1024 + bytes([2]) * 1024 + bytes(range(32)) + bytes([3]) * 992
    images, labels = read_cifar(record)
    assert labels.tolist() == [7] and images.dtype == np.uint8 and labels.dtype == np.int64
    assert (images[0, 0] == 1).all() and (images[0, 1] == 2).all() and (images[0, 2, 1:] == 3).all()
    assert images[0, 2, 0].tolist() == list(range(32))
    with pytest.raises(DataError, match="x.bin has the label 10, expected 0…9"):
        read_cifar(bytes([10]) + record[1:], "x.bin")
    with pytest.raises(DataError, match="x.bin has 3072 bytes, expected a positive multiple of 3073"):
        read_cifar(record[1:], "x.bin")


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@settings(deadline=None, derandomize=True)
@given(st.binary(max_size=64) | st.tuples(st.integers(0, 5), st.binary(max_size=40)).map(
    lambda parts: bytes([0, 0, 8, parts[0]]) + parts[1]) | st.lists(st.integers(0, 4), min_size=1, max_size=4).map(
    lambda shape: idx(np.zeros(shape, np.uint8))))
def test_idx_is_read_or_refused(raw):
    try:
        array = read_idx(raw)
    except DataError:
        return
    assert idx(array) == raw


@settings(deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.data())
def test_idx_comes_back_and_a_byte_more_or_less_is_refused(shape, choose):
    array = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    assert (read_idx(idx(array)) == array).all()
    with pytest.raises(DataError, match="expected"):
        read_idx(idx(array) + b"0")
    with pytest.raises(DataError, match="expected"):
        read_idx(idx(array)[:choose.draw(st.integers(0, len(idx(array)) - 1))])


def test_an_idx_header_of_4_billion_cubed_costs_nothing():
    with pytest.raises(DataError, match="0 bytes of values, expected .4294967295, 4294967295, 4294967295. by its header"):
        read_idx(b"\0\0\x08\x03" + b"\xff" * 12)


# the sets made of them

@pytest.fixture
def own(tmp_path, monkeypatch):
    """Puts a file into the folder of DTWIN_DATA as the one a set expects."""
    monkeypatch.setenv("DTWIN_DATA", str(tmp_path))
    known = {name: list(FILES[name]) for name in FILES}

    def put(name, place, raw):
        path = tmp_path / known[name][place].file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(raw)
        known[name][place] = Remote(known[name][place].file, len(raw), hashlib.sha256(raw).hexdigest(), ())
        monkeypatch.setitem(FILES, name, tuple(known[name]))

    return put


def batches(names):
    return [(f"cifar-10-batches-bin/{name}", bytes([n]) + bytes([n + 100]) * 3072) for n, name in enumerate(names)]


def test_cifar10_is_made_of_its_batches(own):
    own("cifar10", 0, tar(("readme.html", b"..."), *reversed(batches(BATCHES["train"] + BATCHES["test"]))))
    train, test = data.cifar10("train"), data.cifar10("test")
    assert train.labels.tolist() == [0, 1, 2, 3, 4] and test.labels.tolist() == [5]
    assert train.images[:, 0, 0, 0].tolist() == [100, 101, 102, 103, 104] and train.images.shape == (5, 3, 32, 32)
    assert train.classes[3] == "cat" and train.split == "train" and train.licence and "Krizhevsky" in train.citation
    with pytest.raises(ValueError, match="cifar10: got split 'validation', expected 'train' or 'test'"):
        data.cifar10("validation")


def test_cifar10_lacking_a_batch_is_refused(own):
    own("cifar10", 0, tar(*batches(BATCHES["train"][1:])))
    with pytest.raises(DataError, match=r"cifar10: .*cifar-10-binary.tar.gz lacks \['data_batch_1.bin'\]"):
        data.cifar10("train")


def test_fashion_mnist_is_made_of_its_files(own):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 28, 28), np.uint8)
    for place, raw in enumerate([idx(pixels), idx(np.arange(6, dtype=np.uint8)), idx(pixels[:2]), idx(pixels[0, 0, :2] % 10)]):
        own("fashion_mnist", place, gzip.compress(raw))
    train, test = data.fashion_mnist(), data.fashion_mnist("test")
    assert train.images.shape == (6, 1, 28, 28) and (train.images[:, 0] == pixels).all()
    assert train.labels.tolist() == [0, 1, 2, 3, 4, 5] and len(test) == 2 and train.classes[9] == "Ankle boot"
    own("fashion_mnist", 1, gzip.compress(idx(np.arange(5, dtype=np.uint8))))
    with pytest.raises(DataError, match=r"fashion_mnist: .*\(6, 28, 28\) and .*\(5,\)"):
        data.fashion_mnist()
    own("fashion_mnist", 1, gzip.compress(idx(np.full(6, 10, np.uint8))))
    with pytest.raises(DataError, match="labels up to 10"):
        data.fashion_mnist()
    with pytest.raises(ValueError, match="fashion_mnist: got split 'all'"):
        data.fashion_mnist("all")


def test_faces_are_faces():
    faces = data.faces()
    assert faces.images.shape == (200, 1, 25, 25) and faces.images.max() == 255 and faces.images.min() == 0
    assert faces.labels.tolist() == [1] * 100 + [0] * 100 and faces.classes == ("background", "face")
    # the mean face has two dark eyes and a bright nose
    mean = faces.images[:100, 0].mean(0)
    assert max(mean[7:11, 4:9].mean(), mean[7:11, 16:21].mean()) < mean[12:15, 10:15].mean() - 10


def test_the_disparity_leads_from_left_to_right():
    images, disparity = data.stereo()
    left, right = images.images.astype(float)
    assert images.images.shape == (2, 3, 500, 741) and disparity.shape == (500, 741)
    y, x = np.nonzero(~np.isnan(disparity))
    x_right = np.round(x - disparity[y, x]).astype(int)
    seen = x_right >= 0
    y, x, x_right = y[seen], x[seen], x_right[seen]
    assert np.abs(left[:, y, x] - right[:, y, x_right]).mean() < np.abs(left[:, y, x] - right[:, y, x]).mean() / 4


def test_no_pickle_is_ever_loaded():
    for path in Path(data.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {"pickle", "joblib", "shelve", "marshal"} & {name.split(".")[0] for name in names}, path
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "np.load":
                assert "allow_pickle=False" in ast.unparse(node), path


# arrays kept in the cache

KEY = bytes(32)
ARRAY = np.arange(24, dtype=np.uint8).reshape(1, 2, 3, 4)


def test_an_array_is_made_once_for_a_key(tmp_path):
    made = []
    for key in (KEY, KEY, b"1" * 32, b"1" * 32):
        got = cached_array(tmp_path / "a" / "x.bin", key, lambda: made.append(1) or ARRAY)
        assert (got == ARRAY).all() and got.dtype == np.uint8
    assert len(made) == 2 and [path.name for path in (tmp_path / "a").iterdir()] == ["x.bin"]
    got[:] = 0  # what is done to the array is not done to the file
    assert (cached_array(tmp_path / "a" / "x.bin", b"1" * 32, None) == ARRAY).all()


@pytest.mark.parametrize("damage", [
    lambda raw: b"", lambda raw: raw[:50], lambda raw: raw[:-1], lambda raw: raw + b"0",
    lambda raw: raw[:-1] + b"x", lambda raw: raw[:40] + b"x" + raw[41:],
    lambda raw: hashlib.sha256(b"").digest(),
    lambda raw: hashlib.sha256(KEY + np.array([-1, 1, 1, -24]).tobytes() + raw[96:]).digest()
    + KEY + np.array([-1, 1, 1, -24]).tobytes() + raw[96:],
], ids=["empty", "head only", "a byte less", "a byte more", "pixel", "key", "no head", "negative shape"])
def test_a_damaged_cache_file_is_made_again(tmp_path, damage):
    path = tmp_path / "x.bin"
    cached_array(path, KEY, lambda: ARRAY)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(UserWarning, match="x.bin is damaged .*made again"):
        assert (cached_array(path, KEY, lambda: ARRAY) == ARRAY).all()
    assert (cached_array(path, KEY, None) == ARRAY).all()


def test_where_nothing_can_be_kept_the_array_is_made_each_time(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.warns(UserWarning, match="cannot keep .*x.bin"):
        assert (cached_array(tmp_path / "file" / "x.bin", KEY, lambda: ARRAY) == ARRAY).all()


def test_a_disk_that_fills_leaves_nothing(tmp_path, monkeypatch):
    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.warns(UserWarning, match=r"cannot keep .*x.bin .*No space left"):
        assert (cached_array(tmp_path / "x.bin", KEY, lambda: ARRAY) == ARRAY).all()
    assert list(tmp_path.iterdir()) == []


def test_of_two_processes_that_ask_at_once_one_makes_the_array(tmp_path):
    code = ("import sys, time, pathlib, numpy as np; from dtwin.data.store import cached_array; folder = pathlib.Path(sys.argv[1]); "
            "make = lambda: (open(folder / 'made', 'a').write('x'), time.sleep(0.5), np.zeros((1, 1, 1, 4), np.uint8))[2]; "
            "cached_array(folder / 'x.bin', bytes(32), make)")
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert (tmp_path / "made").read_text() == "x"


@pytest.mark.parametrize("platform, place", [("darwin", "Library/Caches/dtwin"), ("linux", ".cache/dtwin")])
def test_the_place_of_the_cache(monkeypatch, platform, place):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(store.sys, "platform", platform)
    assert store.cache_folder() == Path.home() / place


def test_an_array_that_cannot_be_made_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError):
        cached_array(tmp_path / "x.bin", KEY, lambda: 1 / 0)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_lets_one_in_at_a_time(tmp_path):
    import threading

    inside, most = [], []

    def work():
        for _ in range(20):
            with lock(tmp_path / "x.lock"):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.0005)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(most) == 80 and max(most) == 1 and list(tmp_path.iterdir()) == []
