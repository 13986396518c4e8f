"""The built site before axe-core: what keeps readers with other eyes and hands from it, by the rules of WCAG 2.1 AA."""

import pytest
from built import ROOT, pages

AXE = ROOT / "docs/hooks/press/web/node_modules/axe-core/axe.min.js"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
UNFOLD = """async () => {
  document.querySelectorAll("details").forEach((folded) => (folded.open = true));
  document.querySelectorAll(".moving-start").forEach((button) => button.click());
}"""
READ = """async (rules) => (await axe.run(document, rules)).violations.flatMap(
  ({ id, help, nodes }) => nodes.map(({ target, any }) => [id, help, target.join(" "), any[0]?.message].join(": ")))"""


# colours do not depend on the width of a window nor its order on colours, so two views show all
@pytest.mark.parametrize("width, scheme", [(1280, "light"), (390, "dark")])
@pytest.mark.parametrize("path", pages())
def test_axe_finds_nothing_that_keeps_a_reader_out(visit, path, width, scheme):
    page = visit(path, width, scheme, reading=False)
    page.evaluate(UNFOLD)
    page.wait_for_function("!document.querySelector('.moving-start')")
    page.wait_for_load_state("networkidle")
    page.evaluate(AXE.read_text("utf-8"))
    assert page.evaluate(READ, RULES) == []
