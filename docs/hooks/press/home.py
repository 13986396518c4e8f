"""The first page: the chapters as cards, and the cow under whose sun the reader turns the hours."""

import colorsys
import functools
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from dtwin import claims
from dtwin.data import pasture
from PIL import Image

from .build import sources
from .files import digest, write
from .page import Sheet

COW = pasture.Scene(azimuth=60, sun_elevation=35, size=360)
ROWS = slice(46, 286)  # of the picture: what is left is 3 : 2
SUNS = np.linspace(100, -120, 12)
COWS = ("cow.webp", "cow-strip.webp")
WORDS = ("reproduced", "not reproduced", "not judged", "quoted")


def cards(sheets: Iterable[Sheet]) -> str:
    """Write a card for each chapter as Markdown: its first figure, its question, its cost, what became of its claims."""
    return "\n".join(['<div class="cards" markdown="1">', *map(card, sheets), "</div>"])


def card(sheet: Sheet) -> str:
    chapter = sheet.chapter
    pictures = "".join(
        f"![](chapters/{chapter.slug}/{name}#only-{theme}){{ .thumbnail loading=lazy width=320 height=160 }}"
        for theme, name in zip(("light", "dark"), thumbnails(sheet))
    )
    seconds = sheet.notebook.metadata.press["seconds"]
    return "\n\n".join([
        '<div class="card" markdown="1">',
        pictures,
        f"### [{chapter.number} {chapter.title}](chapters/{chapter.slug}.ipynb)",
        chapter.question,
        f"<small>Runs in {seconds:.0f} s. {verdicts(sheet)}</small>",
        "</div>\n",
    ])


def verdicts(sheet: Sheet) -> str:
    """Count the claims of a chapter by verdict: '9 claims: 7 reproduced, 2 quoted.'"""
    registry = claims.registry()
    counts = Counter(claims.Measurement(registry[id], value).verdict for id, value in sheet.claims.items())
    if not counts:
        return "No claims."
    said = ", ".join(f"{counts[word]} {word}" for word in WORDS if counts[word])
    return f"{counts.total()} claim{'s' * (counts.total() > 1)}: {said}."


def thumbnails(sheet: Sheet) -> dict[str, bytes]:
    """Return the files that picture a chapter on its card, light and dark: its first figure, small where it has pixels."""
    if not sheet.figures:
        return {}
    files = {name: sheet.figures[0].files[name] for name in sheet.figures[0].names}
    return {name if name.endswith(".svg") else f"card-{name}": shrunk(name, file) for name, file in files.items()}


@functools.lru_cache(maxsize=64)
def shrunk(name: str, file: bytes) -> bytes:
    if name.endswith(".svg"):
        return file
    picture = Image.open(io.BytesIO(file))
    picture.thumbnail((480, 480))
    return encoded(picture, 70)


def living(cache: Path) -> dict[str, bytes]:
    """Return the pictures of the cow, drawn anew only where the pasture or this file changed."""
    folder = cache / digest([sources(Path(pasture.__file__).parent), Path(__file__).read_text("utf-8")])[:16]
    if not all(folder.joinpath(name).is_file() for name in COWS):
        for name, picture in zip(COWS, draw()):
            write(folder / name, picture)
    return {name: folder.joinpath(name).read_bytes() for name in COWS}


def draw() -> tuple[bytes, bytes]:
    """Draw one picture of the cow, and a strip of her under each sun and of her distances, directions and parts."""
    views = list(pasture.pictures(replace(COW, sun_azimuth=float(sun)) for sun in SUNS))
    frames = [picture[ROWS] for picture in (*(view.image.transpose(1, 2, 0) for view in views), *truth(views[0]))]
    return encoded(Image.fromarray(frames[0]), 80), encoded(Image.fromarray(np.concatenate(frames)), 60)


def truth(view: pasture.Picture) -> list[np.ndarray]:
    """Return what is known of a picture as pictures: near is bright, each direction and each part has a colour."""
    hues = [colorsys.hsv_to_rgb(0.61803 * n % 1, 0.55, 0.95) for n in range(len(pasture.PARTS))]
    near = np.repeat((view.depth.min() / view.depth)[..., None], 3, 2)
    layers = near, (view.normals.transpose(1, 2, 0) + 1) / 2, np.array([(0.2, 0.2, 0.2), *hues[1:]])[view.parts]
    return [np.rint(255 * layer).astype(np.uint8) for layer in layers]


def encoded(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "webp", quality=quality, method=6)
    return file.getvalue()
