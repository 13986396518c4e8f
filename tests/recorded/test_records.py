"""The records prove something: each chapter has one, of its own code, and nbval compares every cell that is tagged."""

from pathlib import Path

import pytest
from nbval.plugin import IPyNbFile
from press import chapter, key, record, run
from press.files import digest

RECORDED = Path(__file__).parent
RUNS = RECORDED.parents[1] / ".cache/runs"
CHAPTERS = chapter.find(RECORDED.parents[1] / "chapters")


@pytest.fixture(params=CHAPTERS, ids=[c.slug for c in CHAPTERS])
def one(request):
    return request.param


def test_the_record_of_a_chapter_has_no_faults(one):
    assert record.faults(one, RECORDED) == []


def test_the_run_that_nbval_compares_with_it_is_of_the_chapter_as_it_stands(one):
    kept = run.load(RUNS / f"{one.slug}.ipynb")
    assert kept and digest(kept.metadata.press.parts) == digest(key.parts(one)), "make site"


def test_nbval_compares_every_tagged_cell_and_no_other(one, request):
    record_of = IPyNbFile.from_parent(request.session, path=RECORDED / f"{one.slug}.ipynb")
    compared = [item.cell.id for item in record_of.collect() if item.options["check"] and item.cell.execution_count]
    tagged = [n for n, cell in enumerate(one.notebook.cells, 1) if record.TAG in cell.metadata.get("tags", ())]
    assert compared == [f"cell-{n}" for n in tagged]


def test_every_record_is_of_a_chapter():
    assert {path.stem for path in RECORDED.glob("*.ipynb")} == {c.slug for c in CHAPTERS}
