"""Arrays kept in the user's cache directory: written whole or not at all, and checked when they are read."""

import contextlib
import hashlib
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np

STALE = 900  # seconds after which a lock whose maker died is taken over


def folder():
    """The course's cache directory: under XDG_CACHE_HOME where that is set, else where the system keeps caches."""
    usual = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or usual) / "dtwin" / "pasture"


def cached(name, shape, make):
    """The uint8 array of that shape under a name, made by `make()` if it is not there or is damaged.

    A damaged file gives a warning that names it. Of several processes that ask at once one makes the array and the
    others wait for it; where nothing can be written, the array is made each time.
    """
    path = folder() / f"{name}.bin"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        found = _read(path, shape)
        if found is not None:
            return found
        with _lock(path.with_suffix(".lock")):
            found = _read(path, shape, quiet=True)
            if found is None:
                found = make()
                _write(path, found)
            return found
    except OSError as error:
        warnings.warn(f"pasture: cannot keep {path} ({error}); the pictures are rendered again each time", stacklevel=3)
        return make()


def _digest(array):
    return hashlib.sha256(array.data).digest()


def _read(path, shape, quiet=False):
    # the file is the bytes of the array, then their SHA-256
    if not path.exists():
        return None
    raw = np.fromfile(path, np.uint8)
    size = int(np.prod(shape))
    if len(raw) == size + 32 and _digest(raw[:size]) == raw[size:].tobytes():
        return raw[:size].reshape(shape)
    if not quiet:
        warnings.warn(f"pasture: {path} is damaged ({len(raw)} bytes, expected {size + 32}, or another checksum); "
                      "it is rendered again", stacklevel=4)
    return None


def _write(path, array):
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            file.write(np.ascontiguousarray(array).data)
            file.write(_digest(np.ascontiguousarray(array)))
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _lock(path):
    # a file made exclusively works on every system and file system, unlike locks of the kernel
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > STALE:
                    path.unlink()
            time.sleep(0.05)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
