"""Every page of the built site, wide and narrow, light and dark: it fits, keeps to itself, and keeps no reader out.

The last is asked of axe-core, by the rules of WCAG 2.1 AA: what stands in the way of readers with other eyes and hands.
"""

import pytest
from built import ROOT, pages

AXE = ROOT / "docs/hooks/press/web/node_modules/axe-core/axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
UNFOLD = """async () => {
  document.head.insertAdjacentHTML("beforeend", "<style>.part { content-visibility: visible !important }</style>");
  document.querySelectorAll("details").forEach((folded) => (folded.open = true));
  document.querySelectorAll(".moving-start").forEach((button) => button.click());
}"""
WIDTH = "document.documentElement.scrollWidth"
READ = """async (rules) => (await axe.run(document, rules)).violations.flatMap(
  ({ id, help, nodes }) => nodes.map(({ target, any }) => [id, help, target.join(" "), any[0]?.message].join(": ")))"""


# colours do not depend on the width of a window nor its order on colours, so two views show all
@pytest.mark.parametrize("width, scheme, other", [(1280, "light", "dark"), (390, "dark", "light")])
@pytest.mark.parametrize("path", pages())
def test_a_page_fits_its_window_asks_no_other_host_complains_of_nothing_and_keeps_no_reader_out(visit, address, path, width, scheme, other):
    page = visit(path, width, scheme, reading=True)
    assert page.evaluate(WIDTH) <= width
    page.evaluate(UNFOLD)
    page.wait_for_function("!document.querySelector('.moving-start')")
    page.wait_for_load_state("networkidle")
    assert page.evaluate(WIDTH) <= width
    page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate(READ, RULES) == []
    page.emulate_media(color_scheme=other)  # the reader's evening comes, and with it the other pictures
    page.read()
    assert page.evaluate(WIDTH) <= width
    assert page.seen
    assert not [url for url in page.seen if not url.startswith((address, "data:", "blob:"))]
    assert not page.complaints
