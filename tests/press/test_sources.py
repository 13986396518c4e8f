"""Citations: from one BibTeX file to the notes and lists of pages and notebooks."""

from pathlib import Path

import nbformat
import pytest
from press import chapter, page, sources
from press.chapter import ChapterError

ROOT = Path(__file__).parents[2]
LIBRARY = {"he2016": "K. He, *CVPR*, 2016.", "marr1978": "D. Marr, 1978.", "gal2016": "Y. Gal, 2016."}
ENTRY = "@article{key, author = {Doe, J.}, title = {Cows}, year = {1990}}"


@pytest.fixture
def read(tmp_path):
    def read(text):
        path = tmp_path / "sources.bib"
        path.write_text(text, "utf-8")
        return sources.read(path)

    return read


@pytest.fixture(scope="module")
def library():
    return sources.read(ROOT / "docs/sources.bib")


@pytest.fixture(scope="module")
def chapters():
    return chapter.find(ROOT / "chapters")


def prose(text):
    return [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell("x = [@he2016]")]


@pytest.mark.parametrize(
    "entry, expected",
    [
        (
            "@article{a, author={van Gemert, J. C. and Müller, K.-R. and Sun, J.}, title={On cows}, journal={Science},"
            " volume={7}, number={2}, pages={10--19}, year={1999}, doi={10.1/x}}",
            "J. C. van Gemert, K.-R. Müller and J. Sun, [On cows](https://doi.org/10.1/x), *Science* 7 (2), 10–19, 1999.",
        ),
        (
            "@book{a, author={{The Cow Foundation}}, title={Cows}, edition={2nd edition}, publisher={SIAM}, year={1969}}",
            "The Cow Foundation, *Cows*, 2nd edition, SIAM, 1969.",
        ),
        (
            "@misc{a, author={A, B. and C, D. and E, F. and G, H. and I, J. and K, L.}, title={T}, eprint={1207.0580}}",
            "B. A and others, [T](https://arxiv.org/abs/1207.0580).",
        ),
        ("@inproceedings{a, author={A, B. and others}, title={T}, booktitle={CVPR}, year={2016}}", "B. A and others, T, *CVPR*, 2016."),
    ],
)
def test_a_source_is_written_out(read, entry, expected):
    assert read(entry) == {"a": expected}


def test_sources_come_in_the_order_of_authors_and_years(read):
    entries = [("c", "Swain, M.", 1), ("b", "Sánchez, J.", 1), ("d", "Adelson, E.", 9), ("a", "Adelson, E.", 8)]
    assert "".join(read("\n".join(f"@misc{{{key}, author={{{who}}}, title={{T}}, year={{{year}}}}}" for key, who, year in entries))) == "adbc"


@pytest.mark.parametrize(
    "text, message",
    [
        ("@article{key, author = ", "syntax error"),
        (ENTRY + ENTRY, "repeated"),
        ("@misc{key, title = {T}}", "key has no author or no title"),
        ("@misc{key, author = {A, B.}}", "key has no author or no title"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(read, text, message):
    with pytest.raises(ChapterError, match=f"(?s)sources.bib: .*{message}"):
        read(text)


def test_a_citation_is_a_footnote_behind_the_stop(library):
    cells = prose("A cow [@marr1978]. Nets [@he2016, table 6; @gal2016], [@marr1978] and $[a@b]$.")
    (notes,) = sources.on_page(cells, LIBRARY)
    assert cells[0].source == (
        'A cow.[^marr1978] Nets,[^he2016]<sup class="cited">, table 6</sup><sup class="cited">, </sup>[^gal2016][^marr1978] and $[a@b]$.'
    )
    assert cells[1].source == "x = [@he2016]"
    assert notes.source.split("\n\n")[1:] == [f"[^{key}]: {LIBRARY[key]}" for key in ("marr1978", "he2016", "gal2016")]
    assert sources.on_page(prose("Nothing."), LIBRARY) == []


def test_a_notebook_has_numbers_and_ends_in_their_list():
    cells = prose("A cow [@marr1978]. Nets [@he2016, table 6; @marr1978],\n[@gal2016]")
    sources.in_notebook(cells, LIBRARY)
    assert cells[0].source == "A cow [1]. Nets [2, table 6; 1], [3]"
    assert cells[-1].source.splitlines() == [f"{n}. {LIBRARY[key]}" for n, key in enumerate(("marr1978", "he2016", "gal2016"), 1)]
    nothing = prose("Nothing.")
    sources.in_notebook(nothing, LIBRARY)
    assert len(nothing) == 2


@pytest.mark.parametrize(
    "cited, message",
    [
        ("@hee2016", "there is no source 'hee2016' in docs/sources.bib; the nearest is 'he2016'"),
        ("@zzz", "there is no source 'zzz' in docs/sources.bib$"),
        ("@he2016; gal2016", r"expected a citation of the form \[@key\] or \[@key, page 3\], found \[ gal2016\]"),
        ("@he2016 table 6", "expected a citation of the form"),
    ],
)
def test_a_citation_that_leads_nowhere_is_refused_at_its_place(write, cited, message):
    tiny = write(f"# %% [markdown]\n# A cow [@gal2016].\n#\n# Another [{cited}].", "1")
    with pytest.raises(ChapterError, match=f"^01_tiny.py, cell 2, line 7: {message}"):
        page.lay_out(tiny, None, {}, LIBRARY)


def test_every_source_leads_to_the_chapters_that_cite_it(write):
    first, second = write("1", name="01_one"), write("1", name="02_two")
    lines = sources.table(LIBRARY, [(first, ("he2016",)), (second, ("gal2016", "he2016"))]).splitlines()
    assert lines[2] == (
        "- K. He, *CVPR*, 2016. <small>Cited in [1](chapters/01_one.ipynb#fn:he2016), [2](chapters/02_two.ipynb#fn:he2016)</small>"
    )


@pytest.mark.course
def test_every_source_is_cited(library, chapters):
    cited = {key for each in chapters for key in sources.find(each, library)}
    assert cited == set(library)


def test_no_chapter_writes_a_source_out_in_a_footnote(chapters):
    assert [each.slug for each in chapters for cell in each.notebook.cells if "[^" in cell.source and cell.cell_type == "markdown"] == []
