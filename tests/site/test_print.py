"""Pages on paper: light, whole, unfolded, without the site's frame, and inside the margins."""

import pytest
from built import pages

WIDTH = 673  # of A4 between the margins of 16 mm, in CSS pixels
CHAPTER = "chapters/07_im2col/"
FRAME = [
    ".md-header", ".md-sidebar--primary", ".md-sidebar--secondary", ".md-footer", ".md-top", ".md-code__nav",
    "article .headerlink", "article .footnote-backref", ".masthead a", ".moving-start",
]  # fmt: skip
SHOWN = "all => all.map(e => e.checkVisibility())"
OUTSIDE = """width => [...document.querySelectorAll("article :not(.katex *)")].flatMap((e) => {
  const { left, right } = e.getBoundingClientRect();
  const wider = e.checkVisibility() && e.clientWidth && e.scrollWidth > e.clientWidth + 4; // a space may hang over
  return wider || left < -1 || right > width + 1 ? [`${e.tagName} ${e.className}: ${e.textContent.slice(0, 60)}`] : [];
})"""


@pytest.fixture
def printed(visit):
    """Visit a page and lay it out as on paper."""

    def lay_out(path, scheme="light"):
        page = visit(path, WIDTH, scheme)
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")  # at which Material unfolds
        return page

    return lay_out


@pytest.mark.course
def test_the_frame_and_what_only_a_screen_can_use_stay_off(printed):
    page = printed(CHAPTER)
    for part in FRAME:
        shown = page.eval_on_selector_all(part, SHOWN)
        assert shown and not any(shown), part


@pytest.mark.course
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_is_light_and_each_figure_stands_once(printed, scheme):
    page = printed(CHAPTER, scheme)
    page.pdf()  # printing loads the figures that no screen has shown
    ground, ink = page.evaluate("(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))")
    assert (ground, ink) == ("rgb(255, 255, 255)", "rgb(31, 35, 40)")
    figures = page.eval_on_selector_all(
        "article figure",
        "all => all.map(f => [...f.querySelectorAll('img')].filter(i => i.checkVisibility()).map(i => [i.getAttribute('src'), i.naturalWidth]))",
    )
    assert len(figures) >= 2
    for shown in figures:
        assert len(shown) == 1, shown
        (source, width), = shown
        assert source.endswith("#only-light") and width > 0, source


@pytest.mark.course
def test_hints_and_solutions_are_unfolded_on_paper_alone(printed):
    page = printed(CHAPTER)
    opened = "all => all.map(e => e.open)"
    folded = page.eval_on_selector_all("article details:is(.hint, .solution)", opened)
    assert len(folded) >= 2 and all(folded)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not any(page.eval_on_selector_all("article details:is(.hint, .solution)", opened))


@pytest.mark.parametrize("path", [path for path in pages() if not path.startswith("api/") and "/deck/" not in path])
def test_nothing_is_cut_at_the_edge_of_the_paper(printed, path):
    assert printed(path).evaluate(OUTSIDE, WIDTH) == []


@pytest.mark.course
@pytest.mark.parametrize("line", ["cow " * 100, "cow" * 100])
def test_a_line_wider_than_the_paper_goes_on_below(printed, line):
    page = printed(CHAPTER)
    for listing in "article pre > code", "article .output > pre":
        page.locator(listing).first.evaluate("(e, line) => (e.textContent = line)", line)
    assert page.evaluate(OUTSIDE, WIDTH) == []


@pytest.mark.course
def test_the_address_of_another_site_is_shown(printed):
    page = printed(CHAPTER)
    link = page.locator("article a[rel=external]").first
    after = link.evaluate("e => getComputedStyle(e, '::after').content")
    assert link.get_attribute("href").startswith("http") and after.strip('"') == f" ({link.get_attribute('href')})"
