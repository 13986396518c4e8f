"""The slide map: for each slide of the lecture the sections that treat it, its claims, and whether it is corrected there."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from dtwin import claims

from .ledger import place
from .page import CLAIM, Sheet

HEAD = "| Slide | Treated in | Claims | Corrected |\n|---|---|---|---|"
HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
ERRATUM = "**Erratum.**"


class Section(NamedTuple):
    """A section of a chapter: its title, its page, the claims shown in it, and whether it corrects a slide."""

    title: str
    page: str
    claims: tuple[str, ...]
    corrects: bool


def table(sheets: Iterable[Sheet]) -> str:
    """Write the slide map as a Markdown table, in the order of the slides; a slide that leads nowhere says so."""
    found = [section for sheet in sheets for section in sections(sheet)]
    slides: dict[str, list[claims.Claim]] = {}
    for claim in sorted(claims.registry().values(), key=lambda claim: place(claim.number)):
        slides.setdefault(claim.slide, []).append(claim)
    return "\n".join(["", HEAD, *(row(slide, said, found) for slide, said in slides.items()), ""])


def sections(sheet: Sheet) -> list[Section]:
    """Cut a chapter at its headings; what stands before the first belongs to the chapter as a whole."""
    title, shown, text, found = sheet.chapter.title, [], "", []
    page = f"chapters/{sheet.chapter.slug}.ipynb"

    def close():
        found.append(Section(title, page, tuple(shown), ERRATUM in text))

    for cell in sheet.notebook.cells:
        if cell.cell_type == "code":
            shown += [o.data[CLAIM]["id"] for o in cell.outputs if CLAIM in o.get("data", {})]
            continue
        before, *parts = HEADING.split(cell.source)
        text += before
        for heading, body in zip(parts[::2], parts[1::2]):
            close()
            title, shown, text = heading, [], body
    close()
    return found


def row(slide: str, said: list[claims.Claim], found: list[Section]) -> str:
    treated, numbers = [], {}
    for section in found:
        here = [claim for claim in said if claim.id in section.claims]
        if here:
            treated.append((section, here[0]))
        for claim in here:
            numbers.setdefault(claim.number, f"[{claim.number}]({section.page}#claim-{claim.id})")
    links = [f"[{section.title}]({section.page}#claim-{claim.id})" for section, claim in treated]
    corrected = "yes" if any(section.corrects for section, _ in treated) else ""
    cells = (slide, "<br>".join(links) or "nowhere", " ".join(numbers.values()), corrected)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
