"""Equations with numbers: in order, and each reference leads to one."""

import re
from pathlib import Path

import pytest
from press import chapter, equations, markup, page
from press.chapter import ChapterError

ROOT = Path(__file__).parents[2]
TWO = "# %% [markdown]\n# $$a \\tag{1.1}$$\n#\n# $$b$$\n#\n# $$c \\tag{1.2}$$\n#\n"


def test_numbers_in_order_and_references_to_them_pass(write):
    equations.check(write(TWO + "# By [(1.2)](#equation-2) and [(1.1)](#equation-1).", "1"))


@pytest.mark.parametrize(
    "cell, message",
    [
        ("# %% [markdown]\n# $$a \\tag{1.1}$$\n#\n# $$a \\tag{1.3}$$", r"line 7: found \\tag\{1.3\}, expected \\tag\{1.2\}"),
        ("# %% [markdown]\n# $$a \\tag{2.1}$$", r"line 5: found \\tag\{2.1\}, expected \\tag\{1.1\}"),
        (TWO + "# By [(1.3)](#equation-3).", r"line 11: \[\(1.3\)\]\(#equation-3\) names no equation; .* the last is \(1.2\)"),
        (TWO + "# By [(1.2)](#equation-1).", r"line 11: \[\(1.2\)\]\(#equation-1\) names no equation"),
        ("# %% [markdown]\n# By [(1.1)](#equation-1).", r"line 5: .* the chapter numbers none"),
    ],
)
def test_a_number_or_a_reference_that_is_wrong_is_refused_at_its_place(write, cell, message):
    with pytest.raises(ChapterError, match=f"^01_tiny.py, cell 2, {message}"):
        page.lay_out(write(cell, "1"), None)


def test_an_equation_with_a_number_has_its_anchor_on_the_page(tmp_path):
    formulas = markup.Formulas(tmp_path / "formulas.json")
    html = formulas.typeset('<div class="arithmatex">\\[x \\tag{7.12}\\]</div><div class="arithmatex">\\[y\\]</div>')
    assert re.findall(r'<div class="formula"[^>]*>', html) == ['<div class="formula" id="equation-12">', '<div class="formula">']
    assert "(7.12)" in html


@pytest.mark.course
def test_every_number_is_referred_to():
    chapters = chapter.find(ROOT / "chapters")
    text = {each.slug: "\n".join(cell.source for cell in each.notebook.cells) for each in chapters}
    for each in chapters:
        for tag in equations.TAG.finditer(text[each.slug]):
            here = f"(#{equations.anchor(tag[0])})"
            elsewhere = f"({each.slug}.ipynb#{equations.anchor(tag[0])})"
            assert here in text[each.slug] or any(elsewhere in other for other in text.values()), tag[0]
    assert sum(len(equations.TAG.findall(each)) for each in text.values()) > 10
