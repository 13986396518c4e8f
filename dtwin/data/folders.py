"""Anyone's own pictures, in the layout split/class/file."""

import hashlib
import io
import itertools
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import numpy as np
from tqdm import tqdm

from . import decode
from .archives import members
from .images import ImageSet
from .store import DataError, cache_folder, cached_array, data_folder

ENDINGS = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
CHUNK = 200  # files a process is asked for at a time; fewer are read here
UNPACKED = 4_000_000_000  # bytes a whole archive may have


def image_folder(path, split="train", size=None, channels=None):
    """An ImageSet of the pictures in path/split/class/, one folder for each class; the path may be a .tar.gz of such.

    A path that does not exist is looked for in the folder DTWIN_DATA names. Classes are the folders of all splits, by
    name, so that a label means the same in each. All pictures must have one size and be grey or coloured; `size`
    makes squares of that many pixels out of them, `channels` makes them grey (1) or coloured (3). Hidden files are
    passed over. The pictures are decoded once and then come from a cache, until a file's name, size or date changes.

    Raises:
        DataError: there is no such folder, class or picture, a file is no picture, or two differ; it names the file.
    """
    if channels not in (None, 1, 3) or not (size is None or isinstance(size, int) and size > 0):
        raise ValueError(f"image_folder: got size={size!r}, channels={channels!r}, expected a positive size, 1 or 3")
    root = _find(path)
    read = _archive if root.is_file() else _folder
    classes, files, stamp = read(root, split)
    if not files:
        raise DataError(f"image_folder: {root} has no picture in {split}/<class>/")
    key = hashlib.sha256(repr((classes, files, stamp, size, channels)).encode()).digest()
    name = hashlib.sha256(repr((str(root.resolve()), split, size, channels)).encode()).hexdigest()[:16]
    images = cached_array(cache_folder() / "folders" / f"{name}.bin", key,
                          lambda: _decoded(root, split, files, size, channels))
    place = {label: n for n, label in enumerate(classes)}
    return ImageSet(
        name=root.name.removesuffix(".tar.gz"), split=split, images=images,
        labels=np.array([place[label] for label, _ in files], np.int64), classes=classes,
        licence="not stated", source=str(path), citation=f"pictures in {root.name}",
    )


def _find(path):
    own = data_folder()
    for root in [Path(path).expanduser()] + ([own / path] if own else []):
        if root.is_dir() or root.name.endswith(".tar.gz") and root.is_file():
            return root
    raise DataError(f"image_folder: there is no folder (or .tar.gz) {path}" + (f", here or in {own}" if own else ""))


def _folder(root, split):
    """Class names, (class, file) pairs in order, and the sizes and dates of the files."""
    def folders(of):
        with os.scandir(of) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))

    splits = folders(root)
    classes = tuple(sorted({name for part in splits for name in folders(root / part)}))
    if split not in splits or not classes:
        raise DataError(f"image_folder: {root} has the folders {splits} with the classes {list(classes)}, "
                        f"expected {split}/<class>/<picture>")
    found = []
    for label in folders(root / split):
        with os.scandir(root / split / label) as entries:
            for entry in entries:
                if _is_picture(entry):
                    stat = entry.stat()
                    found.append((label, entry.name, stat.st_size, stat.st_mtime_ns))
    found.sort()
    return classes, [one[:2] for one in found], [one[2:] for one in found]


def _is_picture(entry):
    name = entry.name.lower()
    if name.startswith(".") or name in ("thumbs.db", "desktop.ini"):
        return False
    if not name.endswith(ENDINGS) or isinstance(entry, os.DirEntry) and entry.is_dir():
        raise DataError(f"image_folder: {os.fspath(entry)} is no picture, expected files ending in {' '.join(ENDINGS)}")
    return True


def _archive(root, split):
    names = [PurePosixPath(name).parts[-3:] for name, _ in members(root, UNPACKED)]
    names = [parts for parts in names if len(parts) == 3 and _is_picture(Path(*parts))]
    classes = tuple(sorted({label for _, label, _ in names}))
    stat = root.stat()
    return classes, sorted((label, name) for part, label, name in names if part == split), (stat.st_size, stat.st_mtime_ns)


def _decoded(root, split, files, size, channels):
    with tqdm(total=len(files), desc=f"{root.name}/{split}", unit="picture") as bar:
        arrays = {}
        for file, array in (_unpacked if root.is_file() else _read)(root, split, files, size, channels):
            first = next(iter(arrays.items()), (file, array))
            if array.shape != first[1].shape:
                raise DataError(
                    f"image_folder: {root / split / Path(*file)} has the shape {array.shape} and "
                    f"{root / split / Path(*first[0])} {first[1].shape} (channels, height, width), expected one for "
                    "all; size=… makes them equal squares and channels=… makes them all grey or coloured")
            arrays[file] = array
            bar.update()
    return np.stack([arrays[file] for file in files])


def _unpacked(root, split, files, size, channels):
    wanted = set(files)
    for name, data in members(root, UNPACKED):
        parts = PurePosixPath(name).parts[-3:]
        if len(parts) == 3 and parts[0] == split and parts[1:] in wanted:
            yield parts[1:], _one(root / name, io.BytesIO(data), size, channels)


def _one(path, file, size, channels):
    try:
        return decode.decode(file, size, channels)
    except ValueError as error:
        raise DataError(f"image_folder: {path} {error}") from error


def _read(root, split, files, size, channels):
    folder = root / split
    if len(files) <= CHUNK:
        for file in files:
            yield file, _one(folder / Path(*file), folder / Path(*file), size, channels)
        return
    chunks = [files[i:i + CHUNK] for i in range(0, len(files), CHUNK)]
    count = min(len(chunks), os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count() or 1)
    # processes, because decoding a small picture is mostly Python, which threads cannot do at a time; plain programs,
    # because the pool of multiprocessing would run the caller's script again
    workers = [subprocess.Popen([sys.executable, "-P", decode.__file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
               for _ in range(count)]
    try:
        with ThreadPoolExecutor(count) as threads:
            idle = list(workers)

            def ask(chunk):
                worker = idle.pop()
                request = {"files": [str(folder / Path(*file)) for file in chunk], "size": size, "channels": channels}
                worker.stdin.write(json.dumps(request).encode() + b"\n")
                worker.stdin.flush()
                reply = json.loads(worker.stdout.readline())
                arrays = [np.frombuffer(worker.stdout.read(int(np.prod(shape))), np.uint8).reshape(shape)
                          for shape in reply["shapes"]]
                idle.append(worker)
                return arrays, reply["wrong"]

            for chunk, (arrays, wrong) in zip(chunks, threads.map(ask, chunks)):
                if wrong:
                    raise DataError(f"image_folder: {wrong[0]} {wrong[1]}")
                yield from zip(chunk, arrays)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
            worker.stdin.close()
            worker.stdout.close()
