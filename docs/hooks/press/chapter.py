"""A chapter: a Jupytext percent script, read and checked before anything runs."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
from nbformat import NotebookNode

CELL = re.compile(r"^# %%", re.MULTILINE)
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


class ChapterError(Exception):
    """What is wrong with a chapter, and where, in words for its author."""


@dataclass(frozen=True)
class Chapter:
    """One chapter: its notebook, still without outputs, and the source line on which each cell begins."""

    path: Path
    title: str
    notebook: NotebookNode
    lines: tuple[int, ...]

    @property
    def slug(self) -> str:
        return self.path.stem

    @property
    def number(self) -> int:
        return int(self.slug.partition("_")[0])

    @property
    def question(self) -> str:
        """What the chapter asks, in a line; its first cell says so: `# %% [markdown] question="…"`."""
        return self.notebook.cells[0].metadata.get("question", "")

    @property
    def code(self) -> list[str]:
        return [cell.source for cell in self.notebook.cells if cell.cell_type == "code"]

    def place(self, cell: int, line: int = 0) -> str:
        """Say where a cell stands: chapter, number of the cell, line of the file."""
        return f"{self.path.name}, cell {cell + 1}, line {self.lines[cell] + line}"


def find(folder: Path) -> list[Chapter]:
    """Read every chapter of a folder, in order."""
    return [read(path) for path in sorted(folder.glob("[0-9][0-9]_*.py"))]


def read(path: Path) -> Chapter:
    """Read one chapter.

    Raises:
        ChapterError: it is not UTF-8, does not parse, has not exactly one title, or has text outside its cells.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ChapterError(f"{path.name}: not UTF-8: {error.reason} at byte {error.start}") from None
    try:
        notebook = jupytext.reads(text, fmt="py:percent")
    except Exception as error:  # whatever jupytext, YAML and nbformat find wrong with a header or a tag
        reason = str(error).partition("\n")[0]
        raise ChapterError(f"{path.name}: not a percent script: {reason}") from None
    lines = tuple(text.count("\n", 0, mark.start()) + 1 for mark in CELL.finditer(text))
    if len(lines) != len(notebook.cells):
        raise ChapterError(f"{path.name}: expected every cell to begin with '# %%' (code or text stands outside a cell)")
    titles = [
        title
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for title in TITLE.findall(FENCE.sub("", cell.source))
    ]
    if len(titles) != 1 or not notebook.cells[0].source.startswith(f"# {titles[0]}"):
        raise ChapterError(f"{path.name}: expected one title ('# …') at the head of the first cell, found {titles or 'none'}")
    chapter = Chapter(path, titles[0].strip(), notebook, lines)
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            try:
                ast.parse(cell.source)
            except SyntaxError as error:
                raise ChapterError(f"{chapter.place(number, error.lineno or 0)}: syntax error: {error.msg}") from None
    return chapter
