"""Picture files into arrays, on all cores."""

import contextlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
MODES = {1: "L", 3: "RGB"}
CHUNK = 200  # files a process is asked for at a time; no more than these are read without another process


def decode(file, size=None, channels=None):
    """The pixels uint8 (C, H, W) of a picture, turned as its camera was held.

    `size` cuts the middle square out and brings it to that many pixels a side; `channels` makes it grey (1) or
    coloured (3), and without it the picture must be one or the other.

    Raises:
        ValueError: the picture cannot be read, or is of another kind; the message says why.
    """
    try:
        with Image.open(file, formats=FORMATS) as picture:
            if size:
                picture.draft(None, (2 * size, 2 * size))  # a JPEG can be read at half the size, or less
            picture = ImageOps.exif_transpose(picture)
            deep = picture.mode[0] in "IF"  # numbers of more than 8 bits, which Pillow would cut off
            if channels and not deep:
                picture = picture.convert(MODES[channels])
            if size and not deep:
                picture = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
            picture.load()
    except Exception as error:  # Pillow's readers raise many kinds
        raise ValueError(f"cannot be read ({error})") from error
    if picture.mode not in MODES.values():
        advice = "bring it to 8 bits a channel" if deep else "channels=1 or 3 converts it"
        raise ValueError(f"is of Pillow's mode {picture.mode}, expected L or RGB; {advice}")
    return np.asarray(picture).reshape(picture.height, picture.width, -1).transpose(2, 0, 1)


def decode_files(files, size=None, channels=None):
    """The pixels of each file in turn, as `decode` makes them; many files are shared out among the cores.

    Raises:
        ValueError: a picture cannot be read, or is of another kind; the message begins with its path.
    """
    chunks = [files[i:i + CHUNK] for i in range(0, len(files), CHUNK)]
    if len(chunks) < 2:
        arrays, wrong = _decode_some(files, size, channels)
        yield from _checked(arrays, wrong)
        return
    # processes, because decoding a small picture is mostly Python, which threads cannot do at a time; plain programs,
    # because the pool of multiprocessing runs the script of its caller again
    workers = [subprocess.Popen([sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
               for _ in range(min(len(chunks), os.cpu_count() or 1))]
    idle = list(workers)

    def ask(chunk):
        worker, reply = idle.pop(), b""
        with contextlib.suppress(BrokenPipeError):
            worker.stdin.write(json.dumps([chunk, size, channels]).encode() + b"\n")
            worker.stdin.flush()
            reply = worker.stdout.readline()
        if not reply:
            raise ValueError(f"{chunk[0]} or one of the {len(chunk) - 1} files after it ended the process that read it "
                             "(out of memory?)")
        shapes, wrong = json.loads(reply)
        arrays = [np.frombuffer(worker.stdout.read(int(np.prod(shape))), np.uint8).reshape(shape) for shape in shapes]
        idle.append(worker)
        return arrays, wrong

    try:
        threads = ThreadPoolExecutor(len(workers))
        for answer in threads.map(ask, chunks):
            yield from _checked(*answer)
    finally:
        threads.shutdown(cancel_futures=True)
        for worker in workers:
            with contextlib.suppress(BrokenPipeError):
                worker.stdin.close()
            worker.stdout.close()
            worker.wait()


def _checked(arrays, wrong):
    yield from arrays
    if wrong:
        raise ValueError(wrong)


def _decode_some(files, size, channels):
    arrays = []
    for file in files:
        try:
            arrays.append(decode(file, size, channels))
        except ValueError as error:
            return arrays, f"{file} {error}"
    return arrays, None


def _serve(requests, replies):
    for line in requests:
        arrays, wrong = _decode_some(*json.loads(line))
        replies.write(json.dumps([[array.shape for array in arrays], wrong]).encode() + b"\n")
        replies.write(b"".join(array.tobytes() for array in arrays))
        replies.flush()


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
