"""The page of a chapter: mkdocs-jupyter's, rendered by the site's own Markdown.

mkdocs-jupyter hands the executed notebook to nbconvert. The exporter here lets nbconvert write one Markdown document,
in which every output is an empty slot, renders it exactly as mkdocs renders any page (links checked, anchors, table of
contents, footnotes, tooltips), and puts the outputs into their slots.
"""

import ast
import copy
import functools
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

import mkdocs_jupyter.nbconvert2
import nbformat
from mkdocs.structure.pages import Page
from nbconvert.exporters.templateexporter import TemplateExporter
from nbformat import NotebookNode
from traitlets import Callable, Instance, Unicode

from . import decks, equations, exercises, figures, results, sources
from .chapter import Chapter, ChapterError

CAPTION = re.compile(r"\*\*Figure\.\*\*\s+(.+?)(?:\n\s*\n|\Z)", re.DOTALL)
SLOT = re.compile(r'<div data-slot="(\d+)"></div>')
CLAIM = "application/vnd.dtwin.claim+json"
SHOWN = {*figures.PICTURES, "text/html", "text/latex", "text/markdown", "text/plain"}
UNSHOWN = {"application/pdf", "image/jpeg"}  # nbconvert would choose them before the text that stands for them
UNSEARCHED = 'data-search-exclude=""'  # Material's search leaves out what carries it
NAMED = {"numpy": "NumPy", "torch": "PyTorch", "scikit-learn": "scikit-learn", "scikit-image": "scikit-image"}
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Sheet:
    """An executed chapter, ready for the page: its notebook, figures, claims measured, exercises, and keys of the sources."""

    chapter: Chapter
    notebook: NotebookNode
    figures: tuple[figures.Figure, ...]
    claims: dict[str, float]
    exercises: tuple[exercises.Exercise, ...]
    cited: tuple[str, ...]


def lay_out(
    chapter: Chapter, run: NotebookNode, recorded: dict[str, results.Recorded] = {}, library: sources.Library = {}
) -> Sheet:
    """Bring the prose of a chapter and the outputs of its run together; pictures become files, captions join them.

    Claims show what was `recorded` for them at full scale.

    Raises:
        ChapterError: a figure lacks its alt text, its dark twin, or the caption that follows it, or an output is of a
            kind that no page shows, an exercise, a citation or an equation is not in its form, or a citation leads nowhere.
    """
    equations.check(chapter)
    asked, cited = exercises.find(chapter), sources.find(chapter, library)
    notebook = executed(chapter, run)
    written_out = sources.on_page(notebook.cells, library)
    found, claims = [], {}
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", ()):
            refuse_unshown(output, chapter.place(number))
            claim = output.get("data", {}).get(CLAIM)
            if claim:
                claims[claim["id"]] = claim["value"]
                output.data["text/html"] = results.beside(output.data["text/html"], claim["id"], recorded)
        figure = figures.make(cell, len(found) + 1, chapter.place(number))
        if figure:
            found.append(figure)
            output = figures.pictured(cell)
            output.data = {"text/html": figure.html()}
            output.metadata = {"figure": figure.number, "caption": take_caption(notebook, number, chapter)}
    notebook.cells = exercises.folded(notebook.cells) + written_out
    return Sheet(chapter, notebook, tuple(found), claims, asked, cited)


def refuse_unshown(output: NotebookNode, place: str) -> None:
    """Refuse what the template has no block for: nbconvert would leave it out without a word."""
    kinds = set(output.get("data", ()))
    if kinds and (kinds & UNSHOWN or not kinds & SHOWN):
        raise ChapterError(f"{place}: its output cannot be shown on a page: {', '.join(sorted(kinds))}")


def executed(chapter: Chapter, run: NotebookNode) -> NotebookNode:
    """Return the chapter as a notebook with the outputs of its run."""
    notebook = copy.deepcopy(chapter.notebook)
    outputs = (cell.outputs for cell in run.cells)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number + 1}"
        if cell.cell_type == "code":
            cell.outputs = copy.deepcopy(next(outputs))
    notebook.metadata["press"] = run.metadata.press
    return notebook


def download(chapter: Chapter, run: NotebookNode, library: sources.Library = {}, *, solved: bool = True) -> str:
    """Return the executed notebook as a reader downloads it: without what only the site shows of its figures and the run's key.

    Where it is not `solved`, it has places for the reader's answers instead of the solutions, and for their figures.
    """
    notebook = executed(chapter, run)
    notebook.metadata["press"] = {name: value for name, value in run.metadata.press.items() if name != "parts"}
    for cell in notebook.cells:
        if not solved and figures.pictured(cell):
            cell.outputs = []
        for output in cell.get("outputs", ()):
            figures.light(output)
    notebook.cells = exercises.for_notebook(notebook.cells, solved)
    sources.in_notebook(notebook.cells, library)
    return nbformat.writes(notebook)


def take_caption(notebook: NotebookNode, number: int, chapter: Chapter) -> str:
    """Cut the caption off the head of the Markdown cell that follows a figure."""
    follows = notebook.cells[number + 1] if number + 1 < len(notebook.cells) else None
    caption = CAPTION.match(follows.source) if follows and follows.cell_type == "markdown" else None
    if not caption:
        raise ChapterError(
            f"{chapter.place(number)}: the figure has no caption; begin the Markdown cell after it with '**Figure.** …'"
        )
    follows.source = follows.source[caption.end() :]
    return " ".join(caption[1].split())


def adapt(page: Page, sheet: Sheet) -> None:
    """Have mkdocs-jupyter, which renders this page, end in the site's own Markdown."""
    by_jupyter = page.render
    contents = []

    def render(config, files):
        def by_mkdocs(document):
            page.markdown = document
            Page.render(page, config, files)
            page.present_anchor_ids |= {f"claim-{id}" for id in sheet.claims}
            page.present_anchor_ids |= {equations.anchor(tag[0]) for tag in equations.TAG.finditer(document)}
            contents.append(page.toc)
            return page.content

        mkdocs_jupyter.nbconvert2.HTMLExporter = functools.partial(Exporter, sheet=sheet, by_mkdocs=by_mkdocs)
        by_jupyter(config, files)
        page.content = page.content.rpartition("<style>")[0]  # empty: mkdocs-jupyter would put JupyterLab's in it
        page.toc = contents.pop()  # and would make one from the titles alone

    page.render = render


class Exporter(TemplateExporter):
    """The exporter that mkdocs-jupyter is given in place of nbconvert's HTMLExporter."""

    sheet = Instance(Sheet)
    by_mkdocs = Callable()
    theme = Unicode()  # mkdocs-jupyter hands over these two; the site's own theme makes them moot
    mathjax_url = Unicode()

    def from_notebook_node(self, nb, resources=None, **kw):
        self.slots = []
        document, resources = super().from_notebook_node(nb, resources, **kw)
        resources["inlining"] = {"css": ""}
        html = self.by_mkdocs(f"{document}\n\n{colophon(self.sheet)}")
        return SLOT.sub(lambda slot: self.slots[int(slot[1])], html), resources

    def default_filters(self):
        yield from super().default_filters()
        yield from {
            "fence": fence,
            "text": lambda text: self.slot(f'<div class="output" {UNSEARCHED}><pre>{escape(text.rstrip())}</pre></div>'),
            "rich": self.rich,
            "masthead": self.masthead,
            "marked": decks.marked,
        }.items()

    def slot(self, html: str) -> str:
        self.slots.append(html)
        return f'\n\n<div data-slot="{len(self.slots) - 1}"></div>\n\n'

    def rich(self, output: NotebookNode) -> str:
        """Write an output that is HTML; a figure has its pictures in a slot and its caption as Markdown."""
        html = output.data["text/html"]
        number = output.metadata.get("figure")
        if number is None:
            return self.slot(f'<div class="output" {UNSEARCHED}>{html}</div>')
        label = f"<strong>Figure {self.sheet.chapter.number}.{number}</strong>"
        return (
            f'\n\n<figure id="figure-{number}" markdown="1">\n{self.slot(html)}'
            f'<figcaption markdown="span">{label} {output.metadata.caption}</figcaption>\n</figure>\n\n'
        )

    def masthead(self, source: str) -> str:
        """Put what the chapter costs, and its downloads, under its title."""
        title, _, rest = source.partition("\n")
        return f"{title}\n{self.slot(masthead(self.sheet))}{rest}"


def fence(source: str) -> str:
    """Write code as a fenced block whose fence is longer than any in the code."""
    ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", source)), default=0))
    return f"\n\n{ticks} python\n{source}\n{ticks}\n\n"


def cost(sheet: Sheet) -> str:
    stamp = sheet.notebook.metadata.press
    return f"runs in {stamp['seconds']:.0f} s with {stamp['memory'] / 1e9:.1f} GB of memory"


def masthead(sheet: Sheet) -> str:
    """Say what the chapter costs and offer it for download."""
    slug, price = sheet.chapter.slug, cost(sheet)
    offers = {f"{slug}.ipynb": "Notebook", f"{slug}.py": "Script"}
    if sheet.exercises:
        offers = {f"{slug}_student.ipynb": "Student notebook", f"{slug}.ipynb": "Solution notebook", f"{slug}.py": "Script"}
    links = "".join(f'<a href="{file}" download>{name}</a>' for file, name in offers.items())
    slides = '<a href="deck/">Slides</a>'
    return f'<p class="masthead" {UNSEARCHED}><span>{price[0].upper()}{price[1:]}</span>{slides}{links}</p>'


def colophon(sheet: Sheet) -> str:
    """List the operators of the chapter and say what it was run with."""
    stamp = sheet.notebook.metadata.press
    versions = stamp["parts"]["versions"]
    packages = [f"Python {versions['python']}", *(f"{label} {versions[name]}" for name, label in NAMED.items() if name in versions)]
    operators = " · ".join(f"[`{name}`][dtwin.{name}]" for name in used(sheet.chapter))
    commit = f" at commit `{stamp['commit']}`" if stamp["commit"] else ""
    return "\n\n".join([
        f'<div class="colophon" markdown="1" {UNSEARCHED}>',
        f"Operators on this page: {operators}" if operators else "",
        f"The numbers and figures come from a run on {stamp['date']}{commit}, on {stamp['parts']['device']}, with "
        f"{', '.join(packages)}; it took {stamp['seconds']:.1f} s and {stamp['memory'] / 1e6:.0f} MB.",
        "</div>",
    ])


def used(chapter: Chapter) -> list[str]:
    """List the operators that a chapter calls, as `ref.name` and `twin.name`."""
    calls = {
        f"{node.value.id}.{node.attr}"
        for cell in chapter.code
        for node in ast.walk(ast.parse(cell))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("ref", "twin")
    }
    return sorted(calls)
