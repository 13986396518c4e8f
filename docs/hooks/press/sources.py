"""Sources: what the chapters cite with `[@key]` or `[@key, table 6]`, as pandoc has it, written out from one BibTeX file.

On a page a citation is a footnote, whose number shows its source to the pointer and the keyboard, and the sources end
the chapter. In a notebook, where there are no footnotes, it is a number in brackets, and the last cell lists them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from pybtex.database import Entry, Person, parse_bytes
from pybtex.exceptions import PybtexError

from .chapter import Chapter, ChapterError

CITATION = re.compile(r"\s?\[(?P<cited>@[^\]]*)\](?P<stop>[.,;:]?)")
ONE = re.compile(r"@(?P<key>[\w-]+)(?:,\s+(?P<where>\S.*))?")
WHOLE = {"book", "phdthesis", "techreport"}  # these have their titles in italics; the others what they appeared in
BEHIND = ("pages", "edition", "howpublished", "publisher", "institution", "school", "year")
ADDRESSES = {"doi": "https://doi.org/", "eprint": "https://arxiv.org/abs/", "url": ""}
NAMED = 5  # authors are named if there are no more; else the first

Library = Mapping[str, str]  # sources by their keys, written out in Markdown


def read(path: Path) -> Library:
    """Read a BibTeX file; its sources come in the order of their authors.

    Raises:
        ChapterError: the file is no BibTeX, holds a key twice, or a source without an author or a title.
    """
    try:
        entries = parse_bytes(path.read_bytes(), "bibtex").entries
    except (PybtexError, UnicodeDecodeError) as error:
        raise ChapterError(f"{path.name}: {error}") from None
    for key, entry in entries.items():
        if not entry.persons.get("author") or not entry.fields.get("title"):
            raise ChapterError(f"{path.name}: {key} has no author or no title")
    return {key: written_out(entry) for key, entry in sorted(entries.items(), key=lambda item: rank(item[1]))}


def rank(entry: Entry) -> tuple[bytes, str]:
    first = unicodedata.normalize("NFKD", spell(entry.persons["author"][0].last_names)).lower()
    return first.encode("ascii", "ignore"), entry.fields.get("year", "")


def written_out(entry: Entry) -> str:
    """Write a source out: its authors; its title, a link where it has an address; where and when it appeared."""
    field = {name: text.replace("--", "–") for name, text in entry.fields.items()}
    title = f"*{field['title']}*" if entry.type in WHOLE else field["title"]
    address = next((start + field[name] for name, start in ADDRESSES.items() if name in field), "")
    appeared = field.get("journal") or field.get("booktitle")
    parts = [
        names(entry.persons["author"]),
        f"[{title}]({address})" if address else title,
        " ".join(filter(None, [appeared and f"*{appeared}*", field.get("volume"), "number" in field and f"({field['number']})"])),
        *(field.get(name) for name in BEHIND),
    ]
    return ", ".join(filter(None, parts)) + "."


def names(authors: list[Person]) -> str:
    written = [spell(a.first_names + a.middle_names + a.prelast_names + a.last_names) for a in authors]
    if written[-1] == "others" or len(written) > NAMED:
        return f"{written[0]} and others"
    return " and ".join(filter(None, [", ".join(written[:-1]), written[-1]]))


def spell(words: list[str]) -> str:
    return " ".join(words).strip("{}")


def find(chapter: Chapter, library: Library) -> tuple[str, ...]:
    """Return the keys that a chapter cites, in order.

    Raises:
        ChapterError: a citation is not in its form, or its key is not in the library.
    """
    keys = {}
    for number, cell in enumerate(chapter.notebook.cells):
        if cell.cell_type != "markdown":
            continue
        for citation in CITATION.finditer(cell.source):
            for one in citation["cited"].split(";"):
                place = chapter.place(number, cell.source.count("\n", 0, citation.start("cited")) + 1)
                cited = ONE.fullmatch(one.strip())
                if not cited:
                    raise ChapterError(f"{place}: expected a citation of the form [@key] or [@key, page 3], found [{one}]")
                if cited["key"] not in library:
                    near = get_close_matches(cited["key"], library, n=1)
                    meant = f"; the nearest is '{near[0]}'" if near else ""
                    raise ChapterError(f"{place}: there is no source '{cited['key']}' in docs/sources.bib{meant}")
                keys[cited["key"]] = True
    return tuple(keys)


def on_page(cells: list[NotebookNode], library: Library) -> list[NotebookNode]:
    """Turn the citations in cells into footnotes, and return the cell that writes these out, if there are any."""

    def note(stop, cited):
        marks = (f"[^{key}]" + (f'<sup class="cited">, {where}</sup>' if where else "") for key, where in cited)
        return stop + '<sup class="cited">, </sup>'.join(marks)

    keys = cite(cells, note)
    notes = [f"[^{key}]: {library[key]}" for key in keys]
    return [nbformat.v4.new_markdown_cell("\n\n".join(["///Footnotes Go Here///", *notes]))] if notes else []


def in_notebook(cells: list[NotebookNode], library: Library) -> None:
    """Turn the citations in cells into numbers, and list what they stand for in a last cell."""
    numbers = {}

    def number(stop, cited):
        marks = (f"{numbers.setdefault(key, len(numbers) + 1)}{where and f', {where}'}" for key, where in cited)
        return f" [{'; '.join(marks)}]{stop}"

    keys = cite(cells, number)
    if keys:
        cells.append(nbformat.v4.new_markdown_cell("\n".join(f"{numbers[key]}. {library[key]}" for key in keys), id="sources"))


def cite(cells: Iterable[NotebookNode], mark: Callable[[str, list[tuple[str, str]]], str]) -> list[str]:
    """Put what `mark` makes of them in the place of citations; return the keys cited, in order.

    `mark` is given the stop behind a citation, which footnotes stand behind, and the keys with where in their sources.
    """
    keys = {}

    def put(match):
        cited = [ONE.fullmatch(one.strip()).group("key", "where") for one in match["cited"].split(";")]
        keys.update(dict.fromkeys(key for key, _ in cited))
        return mark(match["stop"], [(key, where or "") for key, where in cited])

    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = CITATION.sub(put, cell.source)
    return list(keys)


def table(library: Library, chapters: Iterable[tuple[Chapter, tuple[str, ...]]]) -> str:
    """List all sources in Markdown, each with links to the chapters that cite it."""
    citing = {key: [] for key in library}
    for chapter, keys in chapters:
        for key in keys:
            citing[key].append(f"[{chapter.number}](chapters/{chapter.slug}.ipynb#fn:{key})")
    lines = [f"- {text} <small>Cited in {', '.join(citing[key])}</small>" for key, text in library.items()]
    return "\n".join(['<div class="sources" markdown="1">\n', *lines, "\n</div>"])
