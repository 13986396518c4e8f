"""Files in the user's cache: where they lie, one writer at a time, written whole or not at all, checked when read."""

import contextlib
import hashlib
import os
import sys
import warnings
from pathlib import Path

import numpy as np

try:
    import fcntl
except ImportError:  # Windows: the course is run under WSL there; without it two processes may do the same work twice
    fcntl = None


class DataError(ValueError):
    """A file holds something else than it should; the message names it."""


def cache_folder():
    """The course's cache directory: under XDG_CACHE_HOME where that is set, else where the system keeps caches."""
    usual = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or usual) / "dtwin"


def data_folder():
    """The folder that DTWIN_DATA names, or None: data sets are looked for there before anywhere else."""
    named = os.environ.get("DTWIN_DATA")
    return Path(named).expanduser() if named else None


@contextlib.contextmanager
def lock(path, waiting=None):
    """Of all processes and threads that ask for a path, one at a time is let in.

    The system lets go of it when its holder dies. Who has to wait says `waiting` on the standard error stream.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = open(path, "ab")
        _hold(file, waiting)
        # the one before may have removed the file between our opening and holding it: then we hold nothing
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                break
        file.close()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        file.close()


def _hold(file, waiting):
    if fcntl is None:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if waiting:
            print(waiting, file=sys.stderr, flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)


@contextlib.contextmanager
def replacing(path):
    """A binary file to write, which takes the place of `path` when all went well and else vanishes; hold its lock."""
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def sha256(path):
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cached_array(path, key, make):
    """The uint8 array of four axes kept in a file, or made by `make()` where it is missing, damaged or of another key.

    The key is 32 bytes that stand for all the array depends on. A damaged file gives a warning that names it, and so
    does a place where nothing can be kept. Of several processes that ask at once, one makes the array.
    """
    array = _read(path, key)
    if array is not None:
        return array
    making = False
    try:
        with lock(path.with_suffix(".lock")):
            array = _read(path, key, quiet=True)
            if array is None:
                making = True
                array = make()
                making = False
                _write(path, key, array)
    except OSError as error:
        if making:
            raise
        warnings.warn(f"cannot keep {path} ({error}): it is made again each time", stacklevel=3)
    return make() if array is None else array


def _read(path, key, quiet=False):
    # a file is the SHA-256 of all that follows, the key (32 bytes), the shape (four int64) and the array
    if not path.exists():
        return None
    # mapped, not read: half the time and no second copy in memory; what is changed in the array stays in the array
    raw = np.asarray(np.memmap(path, np.uint8, "c")) if path.stat().st_size else np.empty(0, np.uint8)
    digest, found, shape, array = raw[:32].tobytes(), raw[32:64].tobytes(), raw[64:96], raw[96:]
    whole = len(raw) >= 96 and hashlib.sha256(raw[32:].data).digest() == digest
    shape = tuple(int(n) for n in shape.view("<i8")) if whole else ()
    if whole and min(shape) >= 0 and np.prod(shape, dtype=object) == array.size:
        return array.reshape(shape) if found == key else None
    if not quiet:
        warnings.warn(f"{path} is damaged ({len(raw)} bytes, or another checksum): it is made again", stacklevel=4)
    return None


def _write(path, key, array):
    array = np.ascontiguousarray(array)
    rest = key + np.array(array.shape, "<i8").tobytes()
    digest = hashlib.sha256(rest)
    digest.update(array.data)
    with replacing(path) as file:
        file.write(digest.digest() + rest)
        file.write(array.data)
