"""The slide map: from the claims on a slide to the sections that show them."""

from types import SimpleNamespace

import nbformat
import pytest
from press import slides
from press.page import CLAIM

from dtwin import claims

REGISTERED = """
[late]
number = "C10"
slide = "The second | slide"
statement = "b"
source = "s"
status = "derived"
published = "p"

[early]
number = "C9"
slide = "The first slide"
statement = "a"
source = "s"
status = "derived"
published = "p"

[again]
number = "C10"
slide = "The second | slide"
statement = "c"
source = "s"
status = "derived"
published = "p"

[lost]
number = "C11"
slide = "The lost slide"
statement = "d"
source = "s"
status = "derived"
published = "p"
"""


def shown(id):
    output = nbformat.v4.new_output("display_data", {CLAIM: {"id": id, "value": 1}})
    return nbformat.v4.new_code_cell(outputs=[output])


def sheet(slug, *cells):
    cells = [nbformat.v4.new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    return SimpleNamespace(chapter=SimpleNamespace(slug=slug, title="A chapter"), notebook=SimpleNamespace(cells=cells))


@pytest.fixture
def rows(monkeypatch):
    registry = claims.registry(REGISTERED)
    monkeypatch.setattr(claims, "registry", lambda: registry)
    first = sheet("01_one", "# A chapter", shown("late"), "Words.\n\n## Two *cows*\n\n> [!note]\n> **Erratum.** No.", shown("early"))
    second = sheet("02_two", "# Other\n\n## A part\n\n### Deeper", shown("again"))
    table = slides.table([first, second]).replace("\\|", "¦").strip().splitlines()
    return {cells[1]: cells[2:5] for cells in ([cell.strip() for cell in line.split("|")] for line in table[2:])}


def test_slides_come_in_the_order_of_their_claims(rows):
    assert list(rows) == ["The first slide", "The second ¦ slide", "The lost slide"]


def test_a_slide_leads_to_the_sections_that_show_its_claims(rows):
    treated, numbers, _ = rows["The first slide"]
    assert treated == "[Two *cows*](chapters/01_one.ipynb#claim-early)"
    assert numbers == "[C9](chapters/01_one.ipynb#claim-early)"
    treated, numbers, _ = rows["The second ¦ slide"]
    assert treated == "[A chapter](chapters/01_one.ipynb#claim-late)<br>[Deeper](chapters/02_two.ipynb#claim-again)"
    assert numbers == "[C10](chapters/01_one.ipynb#claim-late)"


def test_a_correction_counts_for_its_own_section_alone(rows):
    assert [corrected for _, _, corrected in rows.values()] == ["yes", "", ""]


def test_a_slide_that_no_chapter_treats_says_so(rows):
    assert rows["The lost slide"] == ["nowhere", "", ""]
