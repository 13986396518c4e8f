"""Anyone's own pictures, in the layout split/class/file."""

import hashlib
import io
import json
import os
from pathlib import Path, PurePosixPath

import numpy as np
from tqdm import tqdm

from .archives import members
from .decode import decode, decode_files
from .images import ImageSet
from .store import DataError, cache_folder, cached_array, data_folder

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
UNPACKED = 4_000_000_000  # bytes a whole archive may have


def image_folder(path, split="train", size=None, channels=None):
    """An ImageSet of the pictures in path/split/class/, a folder for each class; the path may be a .tar.gz of such.

    A path that does not exist is looked for in the folder DTWIN_DATA names. Classes are the folders of all splits, by
    name, so that a label means the same in each. All pictures must have one size and be grey or coloured; `size`
    makes squares of that many pixels out of them, `channels` makes them grey (1) or coloured (3). Hidden files are
    passed over. The pictures are decoded once and then come from a cache, until a file's name, size or date changes.

    Raises:
        ValueError: size is not a positive integer, or channels neither 1 nor 3.
        DataError: there is no such folder, class or picture, a file is no picture, or two differ; it names the file.
    """
    if channels not in (None, 1, 3) or not (size is None or isinstance(size, int) and size > 0):
        raise ValueError(f"image_folder: got size={size!r}, channels={channels!r}, expected a positive size, 1 or 3")
    root = _find(path)
    classes, files, stamp = (_in_archive if root.is_file() else _in_folder)(root, split)
    if not files:
        raise DataError(f"image_folder: {root} has no picture in {split}/<class>/")
    images = cached_array(
        _cache(root, split, size, channels), _key(classes, files, stamp),
        lambda: np.stack(_alike(root, split, files, (_unpack if root.is_file() else _read)(root, split, files, size, channels))))
    place = {label: n for n, label in enumerate(classes)}
    return ImageSet(
        name=root.name.removesuffix(".tar.gz"), split=split, images=images,
        labels=np.array([place[file.partition("/")[0]] for file in files], np.int64), classes=tuple(classes),
        licence="not stated", source=str(path), citation=f"pictures in {root.name}",
    )


def _find(path):
    own = data_folder()
    for root in [Path(path).expanduser()] + ([own / path] if own else []):
        if root.is_dir() or root.name.endswith(".tar.gz") and root.is_file():
            return root
    raise DataError(f"image_folder: there is no folder or .tar.gz {Path(path).expanduser().absolute()}"
                    + (f", nor one in {own}" if own else ""))


def _cache(root, *options):
    name = hashlib.sha256(repr((str(root.resolve()), *options)).encode()).hexdigest()[:16]
    return cache_folder() / "folders" / f"{name}.bin"


def _key(classes, files, stamp):
    # no file name has a slash, so what is joined can be told apart
    text = "/".join([*classes, "", *files, ""])
    return hashlib.sha256(text.encode(errors="surrogateescape") + np.array(stamp, "<i8").tobytes()).digest()


# what there is: class names, the files as class/name in order, and their sizes and dates

def _in_folder(root, split):
    def folders(of):
        with os.scandir(of) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))

    splits = folders(root)
    classes = sorted({name for part in splits for name in folders(root / part)})
    if split not in splits or not classes:
        raise DataError(f"image_folder: {root} has the folders {splits} with the classes {classes}, "
                        f"expected {split}/<class>/<picture>")
    files, stamp = [], []
    for label in folders(root / split):
        with os.scandir(root / split / label) as entries:
            found = [entry for entry in entries if _is_picture(entry.name, entry.path, entry.is_dir())]
        for entry in sorted(found, key=lambda entry: entry.name):
            stat = entry.stat()
            files.append(f"{label}/{entry.name}")
            stamp += stat.st_size, stat.st_mtime_ns
    return classes, files, stamp


def _in_archive(root, split):
    def read():
        paths = dict.fromkeys(_parts(name) for name, _ in members(root, UNPACKED))  # a later one of a name replaces it
        paths = [path for path in paths if len(path) >= 3 and _is_picture(path[-1], "/".join(path))]
        tops = sorted({"/".join(path[:-3]) for path in paths})
        if len(tops) > 1:
            raise DataError(f"image_folder: {root} has pictures under {tops}, expected one folder of <split>/<class>/<picture>")
        names = [path[-3:] for path in paths]
        return np.frombuffer(json.dumps(names).encode(), np.uint8).reshape(1, 1, 1, -1)

    stat = root.stat()
    stamp = [stat.st_size, stat.st_mtime_ns]
    names = json.loads(cached_array(_cache(root, "names"), _key([], [], stamp), read).tobytes())
    return (sorted({label for _, label, _ in names}),
            ["/".join(file) for file in sorted(name[1:] for name in names if name[0] == split)], stamp)


def _parts(name):
    # of a path in an archive; none of a hidden one
    parts = PurePosixPath(name).parts
    return () if any(part.startswith(".") for part in parts) else parts


def _is_picture(name, path, is_folder=False):
    name = name.lower()
    if name.startswith(".") or name in ("thumbs.db", "desktop.ini"):
        return False
    if is_folder or not name.endswith(ENDINGS):
        raise DataError(f"image_folder: {path} is no picture, expected files ending in {' '.join(ENDINGS)}")
    return True


# its pixels, in the order of the files

def _read(root, split, files, size, channels):
    yield from decode_files([os.path.join(root, split, file) for file in files], size, channels)


def _unpack(root, split, files, size, channels):
    wanted = {f"{split}/{file}": n for n, file in enumerate(files)}
    arrays = [None] * len(files)
    for name, data in members(root, UNPACKED):
        place = wanted.get("/".join(_parts(name)[-3:]))
        if place is not None:
            try:
                arrays[place] = decode(io.BytesIO(data), size, channels)
            except ValueError as error:
                raise ValueError(f"{root / name} {error}") from error
    yield from arrays


def _alike(root, split, files, arrays):
    kept = []
    try:
        for array in tqdm(arrays, f"{root.name}/{split}", len(files), unit="picture"):
            if array.shape != (kept or [array])[0].shape:
                here, first = (f"{split}/{file}" for file in (files[len(kept)], files[0]))
                raise ValueError(
                    f"{root / here} has the shape {array.shape} and {first} {kept[0].shape} (channels, height, width), "
                    "expected one for all; size=… makes equal squares of them, channels=… makes all grey or coloured")
            kept.append(array)
    except ValueError as error:
        raise DataError(f"image_folder: {error}") from error
    return kept
