"""Figures: from the outputs of a cell to files of the site, light and dark."""

import base64
import functools
import gzip
import io
import json
from dataclasses import dataclass
from html import escape

from nbformat import NotebookNode
from PIL import Image

from .chapter import ChapterError

DARK = "application/vnd.dtwin.dark+json"
MOVING = "application/vnd.dtwin.moving+json"
PICTURES = ("image/svg+xml", "image/png")


@dataclass(frozen=True)
class Figure:
    """One picture of a chapter in both themes: files by name, and its size on the page in pixels.

    One that moves has the name of its script as well, which a page without scripts never misses.
    """

    number: int
    files: dict[str, bytes]
    names: tuple[str, str]
    width: int
    height: int
    alt: str
    moving: str = ""

    def html(self) -> str:
        pictures = "".join(
            f'<img src="{name}#only-{theme}" alt="{escape(self.alt)}" width="{self.width}" height="{self.height}" '
            'loading="lazy" decoding="async">'
            for theme, name in zip(("light", "dark"), self.names)
        )
        if not self.moving:
            return pictures
        source = f"figure-{self.number}.json"
        size = round(len(gzip.compress(self.files[source])) / 1000)  # in kB, as a host sends it
        return f'<div class="moving" data-moving="{self.moving}" data-source="{source}" data-size="{size}">{pictures}</div>'


def pictured(cell: NotebookNode) -> NotebookNode | None:
    """Return the output of a cell that is a picture, if it has one."""
    return next((o for o in cell.get("outputs", ()) if any(kind in o.get("data", {}) for kind in PICTURES)), None)


def make(cell: NotebookNode, number: int, place: str) -> Figure | None:
    """Make the figure that a cell shows.

    Raises:
        ChapterError: it shows more than one, has no alt text, or has no dark twin.
    """
    output = pictured(cell)
    if output is None:
        return None
    if sum(any(kind in o.get("data", {}) for kind in PICTURES) for o in cell.outputs) > 1:
        raise ChapterError(f"{place}: shows more than one figure; give each a cell of its own")
    alt = cell.metadata.get("alt", "").strip()
    if not alt:
        raise ChapterError(f"{place}: the figure has no alt text; say what it shows: # %% alt=\"…\"")
    if DARK not in output.data:
        raise ChapterError(f"{place}: the figure has no dark twin; draw it in a function under @plots.figure")
    kind = next(kind for kind in PICTURES if kind in output.data)
    suffix, encode = ("svg", str.encode) if kind == "image/svg+xml" else ("webp", webp)
    names = tuple(f"figure-{number}-{theme}.{suffix}" for theme in ("light", "dark"))
    files = dict(zip(names, (encode(output.data[kind]), encode(output.data[DARK][kind]))))
    size = output.metadata[kind]
    moving = output.data.get(MOVING)
    if moving:
        files[f"figure-{number}.json"] = json.dumps(moving["data"], separators=(",", ":")).encode()
    return Figure(number, files, names, size["width"], size["height"], alt, moving["name"] if moving else "")


def light(output: NotebookNode) -> None:
    """Leave of a picture what a notebook shows: no dark twin, nothing that moves, and a JPEG in place of a PNG."""
    data = output.get("data", {})
    for kind in (DARK, MOVING):
        data.pop(kind, None)
    if "image/png" in data:
        data["image/jpeg"] = jpeg(data.pop("image/png"))
        output.metadata["image/jpeg"] = output.metadata.pop("image/png", {})


@functools.lru_cache(maxsize=512)
def jpeg(png: str) -> str:
    """Return a PNG as a JPEG on white, both in base64."""
    file = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")
    Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB").save(file, "jpeg", quality=80)
    return base64.b64encode(file.getvalue()).decode()


@functools.lru_cache(maxsize=512)
def webp(png: str) -> bytes:
    """Return a PNG, given in base64, as WebP."""
    file = io.BytesIO()
    Image.open(io.BytesIO(base64.b64decode(png))).save(file, "webp", quality=80)
    return file.getvalue()
