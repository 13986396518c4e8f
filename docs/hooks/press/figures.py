"""Figures: from the outputs of a cell to files of the site, light and dark."""

import base64
import functools
import io
import re
from dataclasses import dataclass
from html import escape

from nbformat import NotebookNode
from PIL import Image

from .chapter import ChapterError

DARK = "application/vnd.dtwin.dark+json"
PICTURES = ("image/svg+xml", "image/png")
PIXELS_PER_INCH, POINTS_PER_INCH, RETINA = 96, 72, 2


@dataclass(frozen=True)
class Figure:
    """One picture of a chapter in both themes: files by name, and its size on the page in pixels."""

    number: int
    files: dict[str, bytes]
    names: tuple[str, str]
    width: int
    height: int
    alt: str

    def html(self) -> str:
        return "".join(
            f'<img src="{name}#only-{theme}" alt="{escape(self.alt)}" width="{self.width}" height="{self.height}" '
            'loading="lazy" decoding="async">'
            for theme, name in zip(("light", "dark"), self.names)
        )


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
    encode, measure = (svg, svg_size) if kind == "image/svg+xml" else (webp, png_size)
    suffix = "svg" if kind == "image/svg+xml" else "webp"
    names = tuple(f"figure-{number}-{theme}.{suffix}" for theme in ("light", "dark"))
    light, dark = output.data[kind], output.data[DARK][kind]
    files = dict(zip(names, (encode(light), encode(dark))))
    return Figure(number, files, names, *measure(light), alt)


def svg(text: str) -> bytes:
    return text.encode()


def svg_size(text: str) -> tuple[int, int]:
    """Return the size in CSS pixels that an SVG in points declares."""
    tag = text[text.index("<svg") : text.index(">", text.index("<svg"))]
    named = dict(re.findall(r'\b(width|height)="([\d.]+)pt"', tag))
    return tuple(round(float(named[side]) * PIXELS_PER_INCH / POINTS_PER_INCH) for side in ("width", "height"))


def webp(png: str) -> bytes:
    return _webp(base64.b64decode(png))


@functools.lru_cache(maxsize=512)
def _webp(png: bytes) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(png)).save(file, "webp", quality=80)
    return file.getvalue()


def png_size(png: str) -> tuple[int, int]:
    width, height = Image.open(io.BytesIO(base64.b64decode(png))).size
    return width // RETINA, height // RETINA
