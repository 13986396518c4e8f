"""The hook by which mkdocs runs the press: chapters are found, run, and put on the site as pages of mkdocs-jupyter."""

import fnmatch
import re
from pathlib import Path

import mkdocs_jupyter.config
import nbformat
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File
from mkdocs.utils import get_relative_url
from press import build, chapter, decks, exercises, home, ledger, markup, proofs, results, run, serve, slides, sources
from press import page as pages
from press.chapter import ChapterError
from press.files import digest, renew, write

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache"
PAGES = CACHE / "pages"
KATEX = markup.WEB / "node_modules/katex/dist"
REVEAL = markup.WEB / "node_modules/reveal.js/dist"
TEXT = "source-serif-4-latin-wght-normal.woff2"
TYPEFACE = markup.WEB / "node_modules/@fontsource-variable/source-serif-4/files"
formulas = markup.Formulas(CACHE / "formulas.json")
sheets: dict[str, pages.Sheet] = {}
runs, records = {}, {}
memory = serve.Memory()
serving = False


def on_startup(command, dirty):
    global serving
    serving = dirty


def on_config(config):
    """Find the chapters, put them into the navigation, and read the glossary."""
    mkdocs_jupyter.config.settings.templates_dir = str(pages.TEMPLATES)
    chapters = {c.slug: c for c in stop_on_error(chapter.find, ROOT / "chapters")}
    config.extra["chapters"] = chapters
    config.extra["tests"] = proofs.find(ROOT / "tests/unit")
    for entry in config.nav:
        if entry.get("Chapters") == "chapters/":
            entry["Chapters"] = [{f"{c.number} {c.title}": f"chapters/{slug}.ipynb"} for slug, c in chapters.items()]
    if serving:
        memory.keep_anchors(config.plugins["autorefs"])
    config.extra["library"] = stop_on_error(sources.read, ROOT / "docs/sources.bib")
    terms = markup.glossary(Path(config.docs_dir, "glossary.md").read_text("utf-8"))
    config.mdx_configs.setdefault("abbr", {})["glossary"] = terms
    return config


def on_pre_build(config):
    """Run the chapters whose keys changed; a failing one stops the build before anything is written."""
    chapters = config.extra["chapters"]
    runs.update(stop_on_error(run.run_all, list(chapters.values()), CACHE / "runs"))
    library = config.extra["library"]
    records.clear()
    records.update(results.read(Path(config.docs_dir, "results")))
    recorded = results.by_claim(records)
    sheets.clear()
    sheets.update({slug: stop_on_error(pages.lay_out, c, runs[slug], recorded, library) for slug, c in chapters.items()})


@event_priority(100)
def on_files(files, config):
    """Add to the site: each chapter's page, figures, notebook and script; KaTeX's style sheet; the fonts."""
    library = config.extra["library"]
    for slug, sheet in sheets.items():
        folder = f"chapters/{slug}"
        renew(PAGES / f"{folder}.ipynb", nbformat.writes(sheet.notebook))
        files.append(File(f"{folder}.ipynb", str(PAGES), config.site_dir, config.use_directory_urls))
        solved = pages.download(sheet.chapter, runs[slug], library)
        files.append(File.generated(config, f"{folder}/{slug}.ipynb", content=solved))
        if sheet.exercises:
            unsolved = pages.download(sheet.chapter, runs[slug], library, solved=False)
            files.append(File.generated(config, f"{folder}/{slug}_student.ipynb", content=unsolved))
        files.append(File.generated(config, f"{folder}/{slug}.py", content=sheet.chapter.path.read_bytes()))
        pictures = {name: content for figure in sheet.figures for name, content in figure.files.items()}
        for name, content in (pictures | home.thumbnails(sheet)).items():
            files.append(File.generated(config, f"{folder}/{name}", content=content))
    for name, content in home.living(CACHE / "cow").items():
        files.append(File.generated(config, f"assets/{name}", content=content))
    files.append(File.generated(config, "assets/katex.css", content=katex_css()))
    colours = next(file for file in files if fnmatch.fnmatch(file.src_uri, "assets/stylesheets/palette.*.css"))
    colours.content_string = markup.calm(colours.content_string)
    for font in (*KATEX.glob("fonts/*.woff2"), *TYPEFACE.glob("*-latin-wght-*.woff2")):
        files.append(File.generated(config, f"assets/fonts/{font.name}", abs_src_path=str(font)))
    for name in decks.REVEAL:
        files.append(File.generated(config, f"assets/reveal/{Path(name).name}", abs_src_path=str(REVEAL / name)))
    return files


@event_priority(-100)
def on_pre_page(page, config, files):
    """Take over from mkdocs-jupyter where it renders a chapter."""
    sheet = sheets.get(Path(page.file.src_uri).stem)
    if sheet:
        pages.adapt(page, sheet)
    return page


@event_priority(-100)
def on_nav(nav, config, files):
    """While serving, say what pages show besides their own file."""
    if serving:
        measured = {slug: sheet.claims for slug, sheet in sheets.items()}
        frame = [build.sources(ROOT / name) for name in ("mkdocs.yml", "docs/glossary.md")]
        package, tests = build.sources(ROOT / "dtwin"), build.sources(ROOT / "tests/unit")
        memory.renew(
            files,
            {
                "*": digest([frame, [str(item) for item in nav]]),
                "api/*": digest([package, tests]),
                "ledger.md": digest([measured, records, package]),
                "results.md": digest([records, package]),
                "exercises.md": digest(exercises.table(asked())),
                "sources.md": digest(listed(config)),
                "slides.md": digest(slides.table(sheets.values())),
                "index.md": digest(home.cards(sheets.values())),
            },
        )
    return nav


def on_page_markdown(markdown, page, config, files):
    """Write the ledger, the slide map and the lists of chapters, exercises, runs and sources where a page asks for them."""
    for mark, make in LISTS.items():
        if mark in markdown:
            markdown = markdown.replace(mark, make(config))
    return markdown


def claimed():
    """Return where each claim was measured, and its value."""
    return {id: (f"chapters/{slug}.ipynb", value) for slug, sheet in sheets.items() for id, value in sheet.claims.items()}


def listed(config):
    """Return the list of all sources."""
    return sources.table(config.extra["library"], [(sheet.chapter, sheet.cited) for sheet in sheets.values()])


def asked():
    """Return each chapter with its exercises."""
    return [(sheet.chapter, sheet.exercises) for sheet in sheets.values()]


LISTS = {
    "<!-- the ledger -->": lambda config: ledger.table(claimed(), results.by_claim(records)),
    "<!-- the runs -->": lambda config: results.table(records),
    "<!-- the results -->": lambda config: results.sections(records),
    "<!-- the slides -->": lambda config: slides.table(sheets.values()),
    "<!-- the sources -->": listed,
    "<!-- the exercises -->": lambda config: exercises.table(asked()),
    "<!-- the chapters -->": lambda config: home.cards(sheets.values()),
}


def on_page_content(html, page, config, files):
    """Explain terms once, unmark listings, keep them and formulas out of the search, and name the tests of the API."""
    for start in ('class="arithmatex"', 'class="mkdocstrings-source"', '<div class="highlight"'):
        html = html.replace(start, f"{start} {pages.UNSEARCHED}")
    if page.file.src_uri.startswith("api/"):
        html = proofs.show(html, config.extra["tests"], f"{config.repo_url.rstrip('/')}/blob/HEAD/" if config.repo_url else "")
    html = html.replace('<a href="http', '<a rel="external" href="http')  # paper shows where these lead
    return markup.explain_once(markup.unmark(html))


def on_post_page(output, page, config):
    """Set the formulas of a page, and make its deck beside that of a chapter."""
    try:
        output = formulas.typeset(output.replace(f" {pages.UNSEARCHED}", ""))  # the search has read it by now
        output = markup.framed(markup.dense(output), get_relative_url(f"assets/fonts/{TEXT}", page.url))
    except markup.FormulaError as error:
        raise PluginError(f"{page.file.src_uri}: {error}") from None
    sheet = sheets.get(Path(page.file.src_uri).stem)
    if sheet:
        deck = decks.deck(output, sheet.chapter.number, config.site_name)
        write(Path(page.file.abs_dest_path).with_name("deck") / "index.html", deck)
        output = markup.parted(output.replace(' class="autorefs autorefs-internal"', ""))  # it is for signatures
    return output


def on_post_build(config):
    """Remember what the pages show: not before they all are written, or a failure would leave some as they were."""
    memory.keep()


def on_build_error(error):
    """Say in one line that a file could not be written."""
    if isinstance(error, OSError) and error.strerror:
        raise PluginError(f"{error.filename or 'a file of the site'} could not be written: {error.strerror}") from None


def katex_css():
    """Return KaTeX's style sheet, asking for its fonts in the one format that every browser reads."""
    css = (KATEX / "katex.min.css").read_text("utf-8")
    return re.sub(r',url\([^)]+\.(woff|ttf)\) format\("\w+"\)', "", css)


def stop_on_error(step, *arguments):
    """Turn what is wrong with a chapter into mkdocs' way of ending a build."""
    try:
        return step(*arguments)
    except ChapterError as error:
        raise PluginError(str(error)) from None
