"""What a reader does with the built site in a browser: looks at figures, follows links, copies, searches, chooses colours."""

import gzip
import re
import time

import pytest
from built import ROOT

pytestmark = pytest.mark.course
CHAPTER = "chapters/07_im2col/"
SHIFT = """window.shift = 0;
new PerformanceObserver((list) => list.getEntries().forEach((move) => (shift += move.value))).observe({ type: "layout-shift", buffered: true });"""


@pytest.mark.parametrize("width, scheme", [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_every_figure_shows_the_picture_of_its_theme(visit, width, scheme):
    page = visit(CHAPTER, width, scheme, reading=True)
    shown = page.eval_on_selector_all(
        "article figure img",
        "all => all.map(i => ({src: i.getAttribute('src'), shown: i.offsetParent !== null, loaded: i.naturalWidth > 0, width: i.clientWidth}))",
    )
    assert len(shown) >= 2
    for image in shown:
        assert image["shown"] == image["src"].endswith(f"#only-{scheme}"), image
        if image["shown"]:
            assert image["loaded"] and 0 < image["width"] <= width, image


def test_figures_keep_their_place_while_they_load(visit):
    page = visit(CHAPTER)
    heights = "all => all.filter(i => i.offsetParent !== null).map(i => i.getBoundingClientRect().height)"
    before = page.eval_on_selector_all("figure img", heights)
    page.eval_on_selector_all("figure img", "all => all.forEach(i => i.loading = 'eager')")
    page.wait_for_function("[...document.querySelectorAll('figure img')].every(i => i.offsetParent === null || i.complete)")
    after = page.eval_on_selector_all("figure img", heights)
    assert before and after == pytest.approx(before, abs=1)  # sizes in HTML are whole pixels


def test_text_does_not_move_when_the_typeface_comes_late(chromium, address):
    with chromium.new_context(viewport={"width": 390, "height": 900}) as context:
        context.route("**/source-serif-*.woff2", lambda route: (time.sleep(4), route.continue_()))
        page = context.new_page()
        page.add_init_script(SHIFT)
        with page.expect_response("**/source-serif-*-normal.woff2"):
            page.goto(address + "chapters/06_mlp/")
        page.wait_for_timeout(500)
        assert page.evaluate("shift") < 0.05


def test_formulas_are_set_in_katex_fonts(visit):
    page = visit(CHAPTER)
    page.locator("article .katex").first.scroll_into_view_if_needed()
    assert "KaTeX_Math" in page.eval_on_selector("article .katex .mathnormal", "e => getComputedStyle(e).fontFamily")
    page.evaluate("document.fonts.ready")
    assert page.evaluate("document.fonts.check('16px KaTeX_Math')")
    assert page.locator("article .arithmatex").count() == 0


def test_code_is_copied_as_it_stands_in_the_chapter(visit, address):
    page = visit(CHAPTER, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate("document.querySelectorAll('details').forEach((folded) => (folded.open = true))")
    page.read()  # a listing has its button when it is seen
    source = (ROOT / "chapters/07_im2col.py").read_text("utf-8")
    buttons = page.locator("article .highlight button")
    assert buttons.count() >= len(re.findall(r"^# %%(?! \[markdown\])", source, re.MULTILINE))
    buttons.first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() and copied.strip() in source


def test_the_table_of_contents_leads_to_its_sections(visit):
    page = visit(CHAPTER)
    links = page.locator(".md-sidebar--secondary .md-nav__link")
    assert links.count() > 5
    anchor = links.nth(5).evaluate("link => decodeURIComponent(link.hash.slice(1))")
    links.nth(5).click()
    page.wait_for_function("id => Math.abs(document.getElementById(id).getBoundingClientRect().top) < 200", arg=anchor)


def test_callouts_footnotes_and_terms_are_material_s(visit):
    page = visit(CHAPTER)
    assert page.locator("article .admonition.note").count() > 0
    assert page.locator("article .footnote li").count() > 0
    terms = page.eval_on_selector_all("article abbr", "all => all.map(e => e.title || e.textContent)")
    assert terms
    assert len(terms) == len(set(terms))


@pytest.mark.parametrize(
    "asked, expected",
    [("conv2d", "dtwin.ref.conv2d"), ("weights shared", CHAPTER), ("im2col", CHAPTER), ("stride", "glossary/")],
)
def test_the_search_finds_prose_and_operators(visit, asked, expected):
    page = visit("")
    page.locator("input.md-search__input").press_sequentially(asked)
    page.wait_for_selector(".md-search-result__link")
    found = page.eval_on_selector_all(".md-search-result__link", "all => all.map(a => a.href)")
    assert any(expected in link for link in found), found


def test_a_first_visit_is_light(visit, address):
    """All that a chapter loads but its figures, compressed as every publishing host does."""
    page = visit(CHAPTER)
    sizes = {}
    for url in set(page.seen):
        if url.startswith(address) and "figure-" not in url:
            body = page.request.get(url).body()
            sizes[url] = len(body) if url.endswith((".woff2", ".webp")) else len(gzip.compress(body))
    assert len(sizes) > 5
    assert sum(sizes.values()) < 500_000, sizes


def test_dark_mode_can_be_chosen_and_stays(visit):
    page = visit("")
    page.click("form[data-md-component=palette] label >> visible=true")
    assert page.get_attribute("body", "data-md-color-scheme") == "slate"
    page.goto(page.url + CHAPTER)
    assert page.get_attribute("body", "data-md-color-scheme") == "slate"


def test_a_citation_shows_its_source_to_the_pointer_and_to_the_keyboard(visit):
    page = visit(CHAPTER)
    citation, note = page.locator("article .footnote-ref").first, page.locator(".md-tooltip2--active")
    source = page.locator("article .footnote li").first.locator("p").inner_text().partition("\u00a0")[0]
    assert "Biological Cybernetics" in source
    for show, hide in (citation.hover, lambda: page.mouse.move(0, 0)), (citation.focus, citation.blur):
        show()
        note.wait_for()
        assert source in note.inner_text()
        hide()
        note.wait_for(state="detached")
