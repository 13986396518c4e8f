r"""Equations that the text refers to: `\tag{7.2}` in the formula, `[(7.2)](#equation-2)` in the text, as Jupyter shows both."""

import re

from .chapter import Chapter, ChapterError

TAG = re.compile(r"\\tag\{(?P<number>[^}]*)\}")
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\(#equation-(?P<place>\w+)\)")


def check(chapter: Chapter) -> None:
    """Check that the equations of a chapter are numbered in order, and that references lead to one.

    Raises:
        ChapterError: a number is not the next, or a reference leads nowhere or is not spelt as the equation's number.
    """
    texts = [(n, cell.source) for n, cell in enumerate(chapter.notebook.cells) if cell.cell_type == "markdown"]
    numbers = {}
    for cell, text in texts:
        for tag in TAG.finditer(text):
            place = str(len(numbers) + 1)
            numbers[place] = f"{chapter.number}.{place}"
            if tag["number"] != numbers[place]:
                found = f"{_place(chapter, cell, tag)}: found {tag[0]}"
                raise ChapterError(f"{found}, expected \\tag{{{numbers[place]}}}: equations are numbered in order")
    for cell, text in texts:
        for link in LINK.finditer(text):
            if link["text"] != f"({numbers.get(link['place'])})":
                last = f"the last is ({numbers[str(len(numbers))]})" if numbers else "the chapter numbers none"
                found = f"{_place(chapter, cell, link)}: {link[0]} names no equation"
                raise ChapterError(f"{found}; expected [({chapter.number}.1)](#equation-1) and so on, {last}")


def _place(chapter: Chapter, cell: int, match: re.Match) -> str:
    return chapter.place(cell, match.string.count("\n", 0, match.start()) + 1)


def anchor(tex: str) -> str:
    """Return the anchor of a formula, or nothing where it has no number."""
    tag = TAG.search(tex)
    return f"equation-{tag['number'].rpartition('.')[2]}" if tag else ""
