"""The page of notation: its symbols stand in the chapters it names, and its names are parameters in the package."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/notation.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in row.split("|")[1:-1]] for row in PAGE.splitlines() if row.startswith("| $")]
MEANINGS = [row for row in ROWS if len(row) == 5]
CHAPTER = re.compile(r"\[(\d+)\]\(chapters/(\w+)\.ipynb\)")
NAMED = re.compile(r"((?:`\w+`, )*`\w+`) of (?:a )?\[`[\w.]+`\]\[([\w.]+)\]")


def formulas(slug):
    """The formulas of a chapter, each as the list of its tokens."""
    source = (ROOT / f"chapters/{slug}.py").read_text("utf-8").replace("\n# ", " ")
    return [tokens(display or inline) for display, inline in re.findall(r"\$\$(.+?)\$\$|\$(.+?)\$", source, re.DOTALL)]


def tokens(tex):
    return re.findall(r"\\[A-Za-z]+|[^\s{}]", re.sub(r"\\(text|tag|mathrm)\{.*?\}", "", tex))


def stands(symbol, slug):
    wanted = tokens(symbol)
    return any(wanted == found[n : n + len(wanted)] for found in formulas(slug) for n in range(len(found)))


@pytest.mark.course
@pytest.mark.parametrize("row", MEANINGS, ids=lambda row: row[0])
def test_a_symbol_stands_in_the_chapter_it_is_said_to_come_from(row):
    ((number, slug),) = CHAPTER.findall(row[4])
    assert slug.startswith(f"{int(number):02}_")
    for symbol in re.findall(r"\$(.+?)\$", row[0]):
        assert stands(symbol, slug), symbol


@pytest.mark.course
@pytest.mark.parametrize("row", [row for row in ROWS if len(row) == 3], ids=lambda row: row[0])
def test_a_letter_with_two_meanings_stands_in_each_chapter_named(row):
    named = CHAPTER.findall(row[1] + row[2])
    assert named
    for _, slug in named:
        assert stands(row[0].strip("$"), slug), slug


@pytest.mark.parametrize("row", [row for row in MEANINGS if NAMED.search(row[3])], ids=lambda row: row[0])
def test_a_name_in_the_package_is_a_parameter_or_a_field_there(row):
    for names, entry in NAMED.findall(row[3]):
        module, _, name = entry.rpartition(".")
        known = inspect.signature(getattr(importlib.import_module(module), name)).parameters
        assert set(re.findall(r"\w+", names)) <= set(known), known


@pytest.mark.course
def test_the_tables_are_read():
    assert len(MEANINGS) > 30 and len(ROWS) - len(MEANINGS) > 5
