"""Picture files into arrays; run as a program it reads the files it is told, so that several can work at a time."""

import json
import sys

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
MODES = {1: "L", 3: "RGB"}


def decode(file, size=None, channels=None):
    """The pixels uint8 (C, H, W) of a picture, held as its camera was.

    `size` cuts the middle square out and brings it to that many pixels a side; `channels` makes it grey (1) or
    coloured (3), and without it the picture must be one or the other.

    Raises:
        ValueError: the picture cannot be read, or is of another kind; the message says why.
    """
    try:
        with Image.open(file, formats=FORMATS) as picture:
            picture.draft(None, (2 * size, 2 * size)) if size else None  # JPEG can be read at half the size, and less
            picture = ImageOps.exif_transpose(picture)
            if channels:
                picture = picture.convert(MODES[channels])
            if size:
                picture = ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
            picture.load()
    except Exception as error:  # Pillow's readers raise many kinds
        raise ValueError(f"cannot be read ({error})") from error
    if picture.mode not in MODES.values():
        raise ValueError(f"is of Pillow's mode {picture.mode}, expected L or RGB; channels=1 or 3 converts it")
    return np.asarray(picture).reshape(picture.height, picture.width, -1).transpose(2, 0, 1)


def serve(requests, replies):
    """Answers lines of JSON, each a list of files with size and channels, by a line of JSON and the pixels."""
    for line in requests:
        request = json.loads(line)
        arrays, wrong = [], None
        for file in request["files"]:
            try:
                arrays.append(decode(file, request["size"], request["channels"]))
            except ValueError as error:
                wrong = [file, str(error)]
                break
        replies.write(json.dumps({"wrong": wrong, "shapes": [array.shape for array in arrays]}).encode() + b"\n")
        replies.write(b"".join(array.tobytes() for array in arrays))
        replies.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
