"""Decks: a chapter as slides for a projector, cut out of its finished page and shown by reveal.js.

Not to be confused with `slides`, the map of the lecture's slides. Each section keeps its heading. Its figures, formulas,
claims and corrections go on slides, with the first sentences of the paragraphs around them; the whole text goes into the
speaker notes. A cell tagged `slide` is shown as it stands, one tagged `slide-code` shows its code, one tagged `aside` stays
on the page.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple
from urllib.parse import urlsplit

from bs4 import BeautifulSoup, Tag
from nbformat import NotebookNode

from .exercises import KINDS
from .words import brief, height, noted, plain

REVEAL = ("reveal.css", "reveal.mjs", "plugin/notes.mjs")  # of reveal.js' own files, those that a deck loads
LEFT_OUT = {"Exercises", "Sources", "The claims, measured"}  # sections whose own words serve the page alone
PART = {name: re.compile(rf"<{name}\b.*</{name}>", re.DOTALL) for name in ("head", "article")}
QUESTION = re.compile(r"[^.?!]+\?")
FULL = 515  # pixels between the heading of a slide and its foot, of 720
PICTURE = 330  # the least of them that a figure takes
PAGE = """<!doctype html>
<html lang="en">
<head>
{head}
</head>
<body data-md-color-scheme="default">
<main class="reveal"><div class="slides md-typeset">
{slides}
</div></main>
<noscript>These slides need scripts. <a href="../">The chapter</a> does not.</noscript>
</body>
</html>
"""


class Piece(NamedTuple):
    """What a slide shows of one block of the page, and how much of its height that takes, in pixels, about."""

    html: str
    height: int
    words: bool = False


@dataclass
class Slide:
    heading: str
    pieces: list[Piece] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    room: int = FULL

    def add(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.room -= piece.height

    def html(self, level: str = "h2") -> str:
        shown = "".join(piece.html for piece in self.pieces)
        notes = f'<aside class="notes">{"".join(self.notes)}</aside>' if self.notes else ""
        heading = f"<{level}>{self.heading}</{level}>"
        return f'<section><div class="slide">{heading}<div class="shown">{shown}</div></div>{notes}</section>'


def deck(page: str, number: int, course: str) -> str:
    """Make the deck of a chapter from its finished page; it stands one folder below it."""
    head, article = (BeautifulSoup(part.search(page)[0], "html.parser").contents[0] for part in PART.values())
    root = head.find("link", rel="icon")["href"].removesuffix("assets/favicon.svg")
    for tag in head.select("script, link[rel=prev], link[rel=next], meta[name=description]"):
        tag.decompose()
    head.title.string = f"Slides: {head.title.string}"
    for sheet in ("assets/reveal/reveal.css", "stylesheets/deck.css"):
        head.append(made(f'<link rel="stylesheet" href="{root}{sheet}">'))
    head.append(made(f'<script type="module" src="{root}scripts/deck.js"></script>'))
    for tag in article.select(".headerlink, .masthead, .colophon, .footnote, sup:has(.footnote-ref), sup.cited"):
        tag.decompose()
    article.smooth()
    first, *rest = cut(article)
    first.pieces.insert(0, Piece(f'<p class="course">{escape(course)} · Chapter {number}</p>', 0))
    first.pieces.append(Piece('<p class="ways"><a href="#">The chapter</a><span>Press ? for the keys</span></p>', 0))
    slides = made(f"<div>{first.html('h1')}{''.join(slide.html() for slide in rest)}</div>")
    for tree in (head, slides):
        for tag in tree.select("[href], [src]"):
            name = "href" if tag.has_attr("href") else "src"
            if not urlsplit(tag[name]).scheme:
                tag[name] = f"../{tag[name]}"
    return PAGE.format(head=head.decode_contents().strip(), slides=slides.decode_contents())


def marked(text: str, cell: NotebookNode, tag: str) -> str:
    """Mark Markdown for the deck where its cell carries a tag."""
    if tag not in cell.metadata.get("tags", ()):
        return text
    return f'\n\n<div data-deck="{tag.partition("-")[0]}" markdown="1">\n\n{text}\n\n</div>\n\n'


def made(html: str) -> Tag:
    return BeautifulSoup(html, "html.parser").contents[0]


def cut(article: Tag) -> list[Slide]:
    """Cut the article of a chapter into slides: the opening, and those of each section."""
    (title, _), *blocks = unwrapped(article.find_all(recursive=False))
    sections = [(title, [])]
    for block, whole in blocks:
        if block.name in ("h2", "h3"):
            sections.append((block, []))
        else:
            sections[-1][1].append((block, whole))
    (_, opening), *sections = sections
    slides = [first(title, [block for block, _ in opening if block.name == "p"])]
    slides += [slide for slide in fill(title, opening) if not all(piece.words for piece in slide.pieces)]
    for heading, blocks in sections:
        if heading.text not in LEFT_OUT:
            slides += fill(heading, blocks)
    return slides


def unwrapped(blocks: Iterable[Tag]) -> Iterator[tuple[Tag, bool]]:
    """Take the blocks of tagged cells out of the marks that the template set; say of each whether it is shown whole."""
    for block in blocks:
        if "data-deck" not in block.attrs:
            yield block, False
        elif block["data-deck"] == "slide":
            for child, _ in unwrapped(block.find_all(recursive=False)):
                yield child, child.name not in ("h2", "h3", "figure")


def first(title: Tag, words: list[Tag]) -> Slide:
    """Open with the questions that the chapter opens with, or else with its first sentence."""
    questions = [question.strip() for block in words for question in QUESTION.findall(plain(block))]
    questions = questions or [plain(brief(block, 160)) for block in words[:1]]
    pieces = [Piece(f'<p class="question">{escape(question)}</p>', 0) for question in questions[:3]]
    return Slide(title.decode_contents(), pieces, [noted(block) for block in words])


def fill(heading: Tag, blocks: list[tuple[Tag, bool]]) -> list[Slide]:
    """Lay out what a section shows on as many slides as that takes; words move on with what they lead to."""
    slides = [Slide(heading.decode_contents())]
    for (block, whole), (after, _) in zip(blocks, [*blocks[1:], (None, False)]):
        piece = as_it_stands(block) if whole else shown(block, after)
        if piece:
            lead = slides[-1].pieces[-1:] if not piece.words else []
            if piece.height > slides[-1].room and slides[-1].pieces:
                slides.append(Slide(slides[0].heading))
                if lead and lead[0].words and lead[0].height + piece.height <= FULL:
                    slides[-1].add(slides[-2].pieces.pop())
            slides[-1].add(piece)
            if block.name == "figure":
                slides[-1].room = 0
        if block.name in ("p", "ul", "ol", "details", "figure") or "admonition" in block.get("class", ()):
            slides[-1].notes.append(noted(block))
    if len(slides) > 1 and all(piece.words for piece in slides[-1].pieces):  # an afterthought
        last = slides.pop()
        slides[-1].notes += last.notes
    return [slide for slide in slides if slide.pieces]


def shown(block: Tag, after: Tag | None) -> Piece | None:
    """Return what a slide shows of a block, if it shows it."""
    kinds = block.get("class", ())
    if block.name == "p" and plain(block)[:1].islower():  # the end of a sentence that a formula interrupts
        return None
    if block.name == "p":
        exercise = block.strong and block.strong.text.rstrip(".") in KINDS
        leads = after is not None and "formula" in after.get("class", ())
        words = brief(block, 360 if exercise else 240 if leads else 150, from_end=leads)
        return Piece(str(words), height(plain(words)), words=True)
    if block.name == "figure":
        return Piece(str(picture(block)), PICTURE)
    if "admonition" in kinds and "Erratum." in block.text:
        words = brief(block.find_all("p")[1], 330)
        return Piece(f'<div class="correction">{words}</div>', height(plain(words)) + 40)
    if block.select_one(".claim"):
        return claim(block)
    if "formula" in kinds or block.name in ("ul", "ol", "table", "blockquote"):
        return as_it_stands(block)
    return None


def as_it_stands(block: Tag) -> Piece:
    """Show a block whole; listings and tables get as small as their lines demand."""
    if "formula" in block.get("class", ()):
        return Piece(str(block), 110)
    if block.pre or block.name == "table":
        lines = block.pre.text.strip("\n").count("\n") + 1 if block.pre else sum(map(lines_of, block.find_all("tr")))
        block["style"] = f"--lines: {lines}"
        return Piece(str(block), min(FULL, 40 + (32 if block.pre else 46) * lines))
    rows = block.find_all("li") or [block]
    return Piece(str(block), sum(height(plain(row)) for row in rows), words=block.name == "p")


def lines_of(row: Tag) -> int:
    cells = row.find_all(("th", "td"))
    return max(math.ceil(len(plain(cell)) * len(cells) / 80) for cell in cells)


def claim(block: Tag) -> Piece:
    """Show a claim as its statement, and under it what was published, what was measured, and the verdict."""
    (_, statement), *facts = [(name.text, cell.text) for name, cell in zip(block.select("th"), block.select("td"))]
    terms = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(fact)}</dd></div>" for name, fact in facts)
    kinds, lines = " ".join(block.select_one(".claim")["class"]), max(math.ceil(len(fact) / 26) for _, fact in facts)
    html = f'<div class="{kinds}"><p>{escape(statement)}</p><dl>{terms}</dl></div>'
    return Piece(html, 62 + height(statement) + 33 * lines)


def beside(figure: Tag) -> bool:
    """Tell whether a figure is so tall that its caption stands beside it."""
    return int(figure.img["height"]) > 0.6 * int(figure.img["width"])


def picture(figure: Tag) -> Tag:
    """Make the figure of a slide: its pictures, and the first sentence of its caption; its number leads to the page."""
    caption = brief(figure.figcaption, 170)
    caption.strong.replace_with(made(f'<a href="#{figure["id"]}">{caption.strong.text}</a>'))
    pictures = "".join(map(str, figure.find_all("img")))
    kind = ' class="beside"' if beside(figure) else ""
    return made(f'<figure{kind}><div>{pictures}</div>{caption}</figure>')
