"""The built site, read as files: links, anchors, figures, sizes, downloads."""

import gzip
import html
import json
import re
from collections import Counter
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from built import ROOT, SITE, pages

from dtwin import claims

CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("[0-9][0-9]_*.py"))
ASKED = {"a": "href", "img": "src", "link": "href", "script": "src", "source": "srcset"}
HERE = "https://site.invalid/"


@pytest.fixture(scope="module")
def soups(site):
    return {page: BeautifulSoup((site / page / ("index.html" if not page.endswith(".html") else "")).read_text("utf-8"), "html.parser") for page in pages()}


def chapter(soups, slug):
    return soups[f"chapters/{slug}/"]


def test_every_chapter_has_its_page(soups):
    assert CHAPTERS
    assert {f"chapters/{slug}/" for slug in CHAPTERS} <= soups.keys()


def test_every_internal_link_and_anchor_leads_somewhere(soups):
    anchors = {page: {tag["id"] for tag in soup.find_all(id=True)} | {tag["name"] for tag in soup.find_all("a", attrs={"name": True})} for page, soup in soups.items()}
    published = urlsplit(soups[""].find("link", rel="canonical")["href"]).path
    dead, followed = [], 0
    for page, soup in soups.items():
        for tag in soup.find_all(ASKED.keys()):
            target = tag.get(ASKED[tag.name])
            if not target or target.startswith(("data:", "mailto:")):
                continue
            url = urlsplit(urljoin(HERE + page, target))
            if url.netloc != urlsplit(HERE).netloc or tag.get("rel") == ["canonical"]:
                continue
            followed += 1
            root = published if page == "404.html" else "/"  # its links start at the root of the published site
            path, anchor = unquote(url.path).removeprefix(root), unquote(url.fragment)
            if path in soups:
                if anchor and anchor not in anchors[path] and not anchor.startswith("__"):
                    dead.append(f"{page}: {target}: no such anchor")
            elif not (SITE / path).is_file():
                dead.append(f"{page}: {target}: no such file")
    assert not dead
    assert followed > 100


def test_no_anchor_stands_twice_on_a_page(soups):
    ids = {page: [tag["id"] for tag in soup.find_all(id=True)] for page, soup in soups.items()}
    assert all(found for page, found in ids.items() if not page.endswith("/deck/"))
    assert {page: [name for name, count in Counter(found).items() if count > 1] for page, found in ids.items()} == dict.fromkeys(ids, [])


def test_headings_follow_each_other_without_a_gap(soups):
    for page, soup in soups.items():
        levels = [int(tag.name[1]) for tag in (soup.article or soup.main).find_all(re.compile("^h[1-6]$"))]
        assert levels.count(1) == 1, page
        assert [(high, low) for high, low in zip(levels, levels[1:]) if low > high + 1] == [], page


def test_no_page_names_another_host_in_what_it_loads(soups):
    loaded = [
        tag[ASKED[tag.name]]
        for soup in soups.values()
        for tag in soup.find_all(("img", "script", "link", "source"))
        if tag.get(ASKED[tag.name]) and tag.get("rel") not in (["canonical"], ["next"], ["prev"])
    ]
    assert loaded
    assert not [url for url in loaded if urlsplit(url).netloc]


@pytest.mark.parametrize("slug", CHAPTERS)
def test_figures_are_files_with_alt_text_size_and_caption_in_both_themes(soups, slug):
    figures = chapter(soups, slug).select("article figure")
    images = chapter(soups, slug).select("article img")
    assert figures
    assert len(images) == 2 * len(figures)
    for figure in figures:
        light, dark = figure.select("img")
        assert light["src"].endswith("#only-light") and dark["src"].endswith("#only-dark")
        assert light["src"].partition("#")[0] != dark["src"].partition("#")[0]
        assert re.search(r"^Figure \d+\.\d+\s+\S+", figure.figcaption.get_text())
        for image in (light, dark):
            assert len(image["alt"]) > 20
            assert int(image["width"]) > 0 and int(image["height"]) > 0
            assert image["loading"] == "lazy"


@pytest.mark.course
@pytest.mark.parametrize("slug", CHAPTERS)
def test_no_formula_is_left_as_source(soups, slug):
    article = chapter(soups, slug).article
    source = (ROOT / f"chapters/{slug}.py").read_text("utf-8")
    assert not article.select(".arithmatex")
    assert not re.search(r"\\\(|\\\[", article.get_text())
    assert len(article.select(".katex-display")) == source.count("$$") // 2 > 0


@pytest.mark.parametrize("slug", CHAPTERS)
def test_code_stands_once_and_without_prompts(soups, slug):
    article = chapter(soups, slug).article
    blocks = [block.get_text() for block in article.select(".highlight code")]
    assert len(blocks) == len(set(blocks))
    assert not re.search(r"\bIn \[|\bOut\[", article.get_text())


@pytest.mark.course
@pytest.mark.parametrize("slug", CHAPTERS)
def test_the_notebook_and_the_script_are_offered(soups, slug):
    offered = {a["href"] for a in chapter(soups, slug).select("a[download]")}
    folder = SITE / "chapters" / slug
    assert offered == {f"{slug}.ipynb", f"{slug}_student.ipynb", f"{slug}.py"}
    assert (folder / f"{slug}_student.ipynb").exists()
    assert (folder / f"{slug}.py").read_bytes() == (ROOT / f"chapters/{slug}.py").read_bytes()
    notebook = nbformat.read(folder / f"{slug}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert sum(bool(cell.outputs) for cell in notebook.cells if cell.cell_type == "code") > 5


@pytest.mark.course
@pytest.mark.parametrize("slug", CHAPTERS)
def test_citations_lead_to_the_list_of_sources_and_back_and_are_numbers_in_the_notebook(soups, slug):
    article = chapter(soups, slug).article
    source = (ROOT / f"chapters/{slug}.py").read_text("utf-8")
    cited = {key for group in re.findall(r"\[(@[^]]+)\]", source) for key in re.findall(r"@([\w-]+)", group)}
    listed = {item["id"].removeprefix("fn:") for item in article.select("#sources ~ .footnote li")}
    assert {link["href"].removeprefix("#fn:") for link in article.select(".footnote-ref")} == listed == cited
    assert all(item.select("a.footnote-backref") for item in article.select(".footnote li"))
    assert "[@" not in article.get_text()
    notebook = nbformat.read(SITE / f"chapters/{slug}/{slug}.ipynb", as_version=4)
    text = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert not [cell for cell in text if "[@" in cell]
    assert len(text[-1].splitlines()) == len(cited) if cited else "Sources" in text[-1]


@pytest.mark.course
def test_the_page_of_sources_lists_each_with_the_chapters_that_cite_it(soups):
    article = soups["sources/"].article
    for slug in CHAPTERS:
        for item in chapter(soups, slug).select(".footnote li"):
            assert article.find("a", href=f"../chapters/{slug}/#{item['id']}")
    assert all(item.select('a[href*="#fn:"]') for item in article.select("ul > li"))


@pytest.mark.parametrize("slug", CHAPTERS)
def test_the_page_says_what_it_cost_and_with_what_it_was_run(soups, slug):
    article = chapter(soups, slug).article
    assert re.search(r"Runs in \d+ s with \d+\.\d GB", article.select_one(".masthead").get_text())
    colophon = article.select_one(".colophon").get_text()
    for part in (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", r"Python 3\.\d+\.\d+", r"NumPy \d", r"CPU|GPU|NVIDIA", r"\d+\.\d s", r"\d+ MB"):
        assert re.search(part, colophon), part


@pytest.mark.parametrize("slug", CHAPTERS)
def test_a_chapter_is_small(site, slug):
    assert len(gzip.compress((site / "chapters" / slug / "index.html").read_bytes())) < 40_000


def test_the_site_is_small_enough_to_carry_away(site):
    assert sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) < 60_000_000


@pytest.mark.course
def test_the_ledger_holds_every_claim_with_its_source_and_its_value(soups):
    text = soups["ledger/"].article.get_text()
    linked = {a["href"].partition("#claim-")[2] for a in soups["ledger/"].select("article td a")}
    for claim in claims.registry().values():
        assert claim.statement in text and claim.source in text and claim.status in text
        assert claim.id in linked
    assert "not measured" not in text


def test_the_ledger_says_of_every_claim_at_full_scale_what_was_measured_or_that_it_was_not_run(soups):
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in soups["ledger/"].article.select("tbody tr")]
    for claim in claims.registry().values():
        said = [row[-1] for row in rows if claim.statement in row[0]]
        if claim.full:
            assert any("reproduced" in one or one.startswith("not yet run") for one in said), claim.id
    assert sum(row[-1] != "" for row in rows) == sum(claim.full is not None for claim in claims.registry().values()) > 40


def test_the_page_of_results_lists_the_runs_with_their_claims(soups):
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in soups["results/"].article.table.select("tbody tr")]
    assert len(rows) > 10 and rows[0][0] == "throughput" and "C81" in rows[0][2]


@pytest.mark.course
def test_every_slide_leads_to_a_section(soups):
    rows = [[cell.text for cell in row.find_all("td")] for row in soups["slides/"].article.select("tbody tr")]
    assert [row[0] for row in rows] == list(dict.fromkeys(claim.slide.replace("*", "") for claim in claims.registry().values()))
    assert [row for row in rows if row[1] == "nowhere" or not row[2]] == []
    assert sum(row[3] == "yes" for row in rows) > 10


@pytest.mark.course
def test_operators_and_chapters_link_to_each_other(soups):
    links = {a["href"] for a in chapter(soups, "07_im2col").select(".colophon a")}
    assert "../../api/ref/#dtwin.ref.conv2d" in links
    back = soups["api/ref/"].find(id="dtwin.ref.conv2d").find_parent(class_="doc-object")
    assert any("chapters/07_im2col" in a["href"] for a in back.find_all("a", href=True))


def test_the_api_lists_every_public_operator(soups):
    from dtwin import ref, twin

    for package in (ref, twin):
        name = package.__name__
        shown = {tag["id"] for tag in soups[f"api/{name.rpartition('.')[2]}/"].find_all(id=True)}
        operators = {key for key, value in vars(package).items() if callable(value) and not key.startswith("_")}
        assert {f"{name}.{key}" for key in operators} <= shown


@pytest.mark.parametrize("page", ["api/ref/", "api/twin/"])
def test_every_operator_names_tests_that_exist(soups, page):
    entries = soups[page].select(".doc-function")
    assert len(entries) > 10
    for entry in entries:
        (proof,) = entry.select("details.proofs")
        sources = [(ROOT / file.text).read_text("utf-8") for file in proof.select("summary code")]
        items = [item.text for item in proof.select("li")]
        assert items and sources
        for item in items:
            assert "of the cases in dtwin/cases.py" in item or any(f"def test_{item.replace(' ', '_')}(" in source for source in sources)


@pytest.mark.course
def test_the_search_index_holds_prose_and_operators_but_no_output_and_no_formula(site):
    entries = json.loads((site / "search/search_index.json").read_text("utf-8"))["docs"]
    text = html.unescape(" ".join(entry["text"] for entry in entries if entry["location"].startswith("chapters/")))
    assert "ref.conv2d" in re.sub(r"<[^>]+>", "", text)
    assert "kernel" in text
    assert "katex" not in text and "\\(" not in text
    assert "Verdict" not in text
