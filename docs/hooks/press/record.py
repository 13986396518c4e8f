"""The records under tests/recorded: what the cells tagged for nbval printed when the author last looked."""

import difflib
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from .chapter import Chapter, ChapterError
from .files import write

TAG = "nbval-check-output"
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def record(chapter: Chapter, run: NotebookNode) -> NotebookNode:
    """Make the record of a chapter from a run: all of its code, and the text that its tagged cells printed.

    Raises:
        ChapterError: no cell is tagged, or a tagged cell prints nothing or shows more than text.
    """
    cells = []
    sources = [(n, cell) for n, cell in enumerate(chapter.notebook.cells) if cell.cell_type == "code"]
    for (number, source), ran in zip(sources, run.cells):
        # nbval takes a cell without a count for one that never ran
        cell = nbformat.v4.new_code_cell(source.source, id=f"cell-{number + 1}", execution_count=len(cells) + 1)
        if TAG in source.metadata.get("tags", ()):
            cell.metadata["tags"] = [TAG]
            cell.outputs = [text_of(output, chapter.place(number)) for output in ran.outputs]
            if not cell.outputs:
                raise ChapterError(f"{chapter.place(number)}: tagged {TAG!r} but prints nothing")
        cells.append(cell)
    if not any(cell.outputs for cell in cells):
        raise ChapterError(f"{chapter.path.name}: no cell is tagged {TAG!r}; nbval would compare nothing")
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})


def text_of(output: NotebookNode, place: str) -> NotebookNode:
    if output.output_type == "stream":
        return nbformat.v4.new_output("stream", name=output.name, text=output.text)
    if set(output.get("data", ())) != {"text/plain"}:
        raise ChapterError(f"{place}: tagged {TAG!r} but shows more than text: {', '.join(output.get('data', ()))}")
    return nbformat.v4.new_output(output.output_type, {"text/plain": output.data["text/plain"]})


def renew(chapters: list[Chapter], runs: dict[str, NotebookNode], folder: Path) -> list[str]:
    """Write the record of every chapter, remove those of chapters that are gone, and return the lines that changed."""
    records = {folder / f"{c.slug}.ipynb": record(c, runs[c.slug]) for c in chapters}
    changed = []
    for path in sorted({*folder.glob("*.ipynb"), *records}):
        before, after = said(load(path)), said(records.get(path))
        changed += difflib.unified_diff(before, after, f"{path.name} before", f"{path.name} now", lineterm="", n=1)
        if path in records:
            write(path, nbformat.writes(records[path]) + "\n")
        else:
            path.unlink()
    return changed


def load(path: Path) -> NotebookNode | None:
    """Return a record, or None where there is none that can be read (a merge leaves such)."""
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, AttributeError, nbformat.ValidationError):
        return None


def said(notebook: NotebookNode | None) -> list[str]:
    """List the lines that the cells of a record printed, each behind the number of its cell."""
    return [
        f"{cell.id}: {line}"
        for cell in (notebook.cells if notebook else ())
        for output in cell.get("outputs", ())
        for line in (output.get("text") or output.data["text/plain"]).splitlines()
    ]


def faults(chapter: Chapter, folder: Path) -> list[str]:
    """List what keeps the record of a chapter from proving anything: it is missing, stale, or compares nothing."""
    path = folder / f"{chapter.slug}.ipynb"
    if not path.exists():
        return [f"{path.name}: there is no record of this chapter; look at its outputs, then run: make record"]
    notebook = load(path)
    if notebook is None:
        return [f"{path.name}: cannot be read; look at the outputs of the chapter, then run: make record"]
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    wanted = [
        [tag for tag in cell.metadata.get("tags", ()) if tag == TAG]
        for cell in chapter.notebook.cells
        if cell.cell_type == "code"
    ]
    found = []
    if [cell.source for cell in notebook.cells] != chapter.code or tags != wanted:
        found.append(f"{path.name}: its code is not the chapter's; look at the outputs, then run: make record")
    if not any(TAG in tag for tag in tags):
        found.append(f"{path.name}: compares no cell; tag some with {TAG!r}, then run: make record")
    found += [
        f"{path.name}: {cell.id} is to be compared but has no output recorded; run: make record"
        for cell, tag in zip(notebook.cells, tags)
        if TAG in tag and not cell.outputs
    ]
    return found
