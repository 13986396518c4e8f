"""Packed files, read in memory and never unpacked onto the disk."""

import gzip
import tarfile
import zlib
from pathlib import PurePosixPath

from .store import DataError

# what gzip and tarfile raise for bytes that are no archive
BROKEN = (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError, RecursionError)
MEMBERS = 200_000  # more entries than any data set here has


class _Capped:
    """A file that refuses to be read beyond a number of bytes."""

    def __init__(self, file, cap, path):
        self.file, self.cap, self.left, self.path = file, cap, cap, path

    def read(self, n):
        data = self.file.read(min(n, self.left + 1))
        self.left -= len(data)
        if self.left < 0:
            raise DataError(f"{self.path}: unpacks to more than {self.cap} bytes")
        return data


def gunzip(path, cap):
    """The bytes of a .gz file.

    Raises:
        DataError: the file is no gzip file, is cut short, or unpacks to more than `cap` bytes.
    """
    try:
        with gzip.open(path) as file:
            return _Capped(file, cap, path).read(cap + 1)
    except DataError:
        raise
    except BROKEN as error:
        raise DataError(f"{path}: cannot be read as gzip ({error})") from error


def members(path, cap):
    """Name and bytes of each file in a .tar.gz, in its order.

    Raises:
        DataError: the archive is broken or cut short, a path in it leads out of it, it holds anything but files and
            folders, or it unpacks to more than `cap` bytes.
    """
    try:
        with gzip.open(path) as file, tarfile.open(fileobj=(raw := _Capped(file, cap, path)), mode="r|") as tar:
            for count, member in enumerate(tar):
                tar.members.clear()  # tarfile keeps them all, which many empty ones turn into much memory
                if count >= MEMBERS:
                    raise DataError(f"{path}: has more than {MEMBERS} entries")
                _refuse(path, member, cap)
                if member.isfile():
                    yield member.name, tar.extractfile(member).read()
            while raw.read(1 << 16):
                pass  # gzip checks its sum at the end, which lies behind the end of the archive
    except DataError:
        raise
    except BROKEN as error:
        raise DataError(f"{path}: cannot be read as a .tar.gz archive ({error})") from error


def _refuse(path, member, cap):
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise DataError(f"{path}: the path {member.name!r} leads out of the archive")
    if not (member.isdir() or member.isfile()) or member.issparse():
        raise DataError(f"{path}: {member.name!r} is a link, a device or the like, expected files and folders only")
    if not 0 <= member.size <= cap:
        raise DataError(f"{path}: {member.name!r} unpacks to {member.size} bytes, expected at most {cap}")
