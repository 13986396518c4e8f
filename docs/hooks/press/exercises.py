"""The exercises of a chapter, one source for three outputs.

An exercise is a Markdown cell with a head, hints in cells tagged `hint`, and a solution in cells tagged `solution`. The
page folds hints and solution, the solution notebook shows the solution, and the student's has a place for one instead.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import nbformat
from nbformat import NotebookNode

from .chapter import Chapter, ChapterError

FORM = "### Exercise 1. Title ★★"
HEAD = re.compile(r"^### Exercise (?P<number>\d+)\. (?P<title>.+?) (?P<stars>★{1,3})$", re.MULTILINE)
KINDS = {
    "Predict before you run": ("predict",),
    "Predict, then program it": ("predict", "program"),
    "Program it": ("program",),
    "Think": ("think",),
}
KIND = re.compile(rf"\A\s*\*\*({'|'.join(map(re.escape, KINDS))})\.\*\* ")
WORD = {"hint": "**Hint.** ", "solution": "**Solution.** "}  # for those who read the file; the page has it as a summary
CHECK = re.compile(r"\bcheck\((\w+)\)")


@dataclass(frozen=True)
class Exercise:
    """What stands in the head of an exercise, how many hints it has, and what its solution has checked."""

    number: int
    title: str
    stars: int
    kinds: tuple[str, ...]
    hints: int
    checked: str

    @property
    def anchor(self) -> str:
        return f"exercise-{self.number}"


def find(chapter: Chapter) -> tuple[Exercise, ...]:
    """Read the exercises of a chapter.

    Raises:
        ChapterError: a head, a hint or a solution is not in the form that `FORM`, `KINDS` and `WORD` ask for, or an
            exercise has no solution.
    """
    found = []
    for number, cells in groupby(enumerate(chapter.notebook.cells), key=_counter()):
        cells = list(cells)
        place = chapter.place(cells[0][0])
        parts = [(role(cell), cell) for _, cell in cells]
        if not number:
            if any(part for part, _ in parts):
                raise ChapterError(f"{place}: a hint or a solution stands before the first exercise ('{FORM}')")
            continue
        found.append(read(parts, place))
        if found[-1].number != number:
            raise ChapterError(f"{place}: exercise {found[-1].number}, expected {number}")
    return tuple(found)


def _counter():
    """Return what gives each cell the number of the exercise that it belongs to, 0 before the first."""
    count = 0

    def number(numbered):
        nonlocal count
        count += "### Exercise" in numbered[1].source and numbered[1].cell_type == "markdown"
        return count

    return number


def read(parts: list[tuple[str, NotebookNode]], place: str) -> Exercise:
    text = parts[0][1].source
    heads = list(HEAD.finditer(text))
    if len(heads) != 1 or text.count("### Exercise") != 1:
        raise ChapterError(f"{place}: expected one head of the form '{FORM}' in a cell, with one to three stars")
    head = heads[0]
    kind = KIND.match(text[head.end() :])
    if not kind:
        raise ChapterError(f"{place}: expected the exercise to begin with {', '.join(f'**{kind}.**' for kind in KINDS)}")
    order = [part for part, _ in groupby(part for part, _ in parts) if part]
    if order not in (["solution"], ["hint", "solution"]):
        raise ChapterError(f"{place}: expected hints (cells tagged 'hint'), if any, and then one solution ('solution')")
    for part in order:
        first = next(cell for found, cell in parts if found == part)
        if first.cell_type == "markdown" and not first.source.startswith(WORD[part]):
            raise ChapterError(f"{place}: expected its {part} to begin with {WORD[part]}")
    code = "\n".join(cell.source for part, cell in parts if part == "solution" and cell.cell_type == "code")
    checked = CHECK.findall(code)
    hints = sum(part == "hint" for part, _ in parts)
    return Exercise(int(head["number"]), head["title"], len(head["stars"]), KINDS[kind[1]], hints, "".join(checked[:1]))


def role(cell: NotebookNode) -> str:
    """Return 'hint', 'solution' or nothing."""
    return next((tag for tag in cell.metadata.get("tags", ()) if tag in WORD), "")


def parted(cells: list[NotebookNode]) -> Iterable[tuple[str, str, list[NotebookNode]]]:
    """Part cells into hints, each alone, solutions, each whole, and the rest; each with its part and its summary."""
    for part, group in groupby(cells, key=role):
        group = list(group)
        if part == "hint" and len(group) > 1:
            yield from ((part, f"Hint {number}", [cell]) for number, cell in enumerate(group, 1))
        else:
            yield part, part.capitalize(), group


def folded(cells: list[NotebookNode]) -> list[NotebookNode]:
    """Fold hints and solutions as the page does, and give the heads their anchors."""
    found = []
    for part, summary, group in parted(cells):
        if not part:
            found += group
            continue
        if group[0].cell_type == "markdown":
            group[0].source = group[0].source.removeprefix(WORD[part])
        start = f'<details class="{part}" markdown="1"><summary>{summary}</summary>'
        found += [nbformat.v4.new_markdown_cell(start), *group, nbformat.v4.new_markdown_cell("</details>")]
    for cell in found:
        if cell.cell_type == "markdown":
            cell.source = HEAD.sub(r"\g<0> { #exercise-\g<number> }", cell.source)
    return found


def for_notebook(cells: list[NotebookNode], solved: bool) -> list[NotebookNode]:
    """Fold the hints as Jupyter does, and put a place for the reader's answer where a solution is not wanted."""
    found = []
    for part, summary, group in parted(cells):
        if part == "hint":
            text = group[0].source.removeprefix(WORD[part])
            group[0].source = f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"
        elif part == "solution" and not solved:
            group = [place_of_answer(group)]
        found += group
    return found


def place_of_answer(solution: list[NotebookNode]) -> NotebookNode:
    """Return an empty cell, of code where the solution has some."""
    if any(cell.cell_type == "code" for cell in solution):
        return nbformat.v4.new_code_cell("# your turn", id=solution[0]["id"])
    return nbformat.v4.new_markdown_cell("*Your answer:*", id=solution[0]["id"])


def table(chapters: Iterable[tuple[Chapter, tuple[Exercise, ...]]]) -> str:
    """List exercises as Markdown: a table for each chapter, and then all of them by difficulty."""
    lines, by_stars = ['<div class="exercises" markdown="1">'], {1: [], 2: [], 3: []}
    for chapter, exercises in chapters:
        if exercises:
            lines += ["", f"## {chapter.number} {chapter.title}", "", "| Exercise | Kind | Difficulty | Checked by |"]
            lines.append("|---|---|---|---|")
        for exercise in exercises:
            page = f"chapters/{chapter.slug}.ipynb#{exercise.anchor}"
            checked = f"`check({exercise.checked})`" if exercise.checked else "—"
            name = f"[{exercise.number}. {exercise.title}]({page})"
            lines.append(f"| {name} | {', '.join(exercise.kinds)} | {'★' * exercise.stars} | {checked} |")
            by_stars[exercise.stars].append(f"[{chapter.number}.{exercise.number} {exercise.title}]({page})")
    lines += ["", "## By difficulty"]
    lines += [f"\n**{'★' * stars}** {' · '.join(links)}" for stars, links in by_stars.items() if links]
    return "\n".join([*lines, "\n</div>"])
