"""Records bite: whatever would let nbval pass a chapter without comparing it turns the run red."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from press import record
from press.chapter import ChapterError
from press.record import TAG

ROOT = Path(__file__).parents[2]
TAGGED = f'# %% tags=["{TAG}"]\n'


def outputs(*cells):
    """Make a run whose code cells have these outputs; a string stands for what a cell printed."""
    ran = [nbformat.v4.new_code_cell(outputs=[text(o) if isinstance(o, str) else o for o in cell]) for cell in cells]
    return nbformat.v4.new_notebook(cells=ran)


def text(printed):
    return nbformat.v4.new_output("stream", name="stdout", text=printed)


def shown(**data):
    return nbformat.v4.new_output("display_data", {kind.replace("_", "/"): value for kind, value in data.items()})


@pytest.fixture
def chapter(write):
    return write("x = 0.5", TAGGED + "print(x)", TAGGED + "2 * x")


@pytest.fixture
def recorded(chapter, tmp_path):
    """A folder with the record of the chapter, and beside it the run; all is well with them."""
    folder, cache = tmp_path / "tests/recorded", tmp_path / ".cache/runs"
    value = nbformat.v4.new_output("execute_result", {"text/plain": "1.0"}, execution_count=3)
    ran = outputs([], ["0.5\n"], [value])
    for cell, source in zip(ran.cells, chapter.code):
        cell.source = source
    cache.mkdir(parents=True)
    nbformat.write(ran, cache / "01_tiny.ipynb")
    record.renew([chapter], {chapter.slug: ran}, folder)
    assert record.faults(chapter, folder) == []
    return folder


def doctor(folder, change):
    """Change the record of the chapter, or its run."""
    path = folder / "01_tiny.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def nbval(folder):
    """Run nbval on a folder as the checks do; return its exit status and what it said."""
    shutil.copy(ROOT / "tests/recorded/conftest.py", folder)
    command = [sys.executable, "-m", "pytest", "-n0", "-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder)]
    process = subprocess.run([*command, "-p", "no:cacheprovider", str(folder)], capture_output=True, text=True, cwd=ROOT)
    return process.returncode, process.stdout


def test_a_changed_number_turns_nbval_red(recorded):
    status, said = nbval(recorded)
    assert status == 0 and "3 passed" in said, said
    doctor(recorded, lambda notebook: notebook.cells[1].outputs[0].update(text="0.25\n"))
    status, said = nbval(recorded)
    assert status == 1 and "1 failed, 2 passed" in said, said
    assert re.search(r"0\.25.*0\.5", said, re.DOTALL)


def other_number(run):
    run.cells[2].outputs[0].data["text/plain"] = "1.5"


def other_code(run):
    run.cells[1].source = "print(0.5)"


@pytest.mark.parametrize("change, found, failed", [
    (other_number, r"1\.0.*1\.5", "1 failed, 2 passed"),
    (other_code, "not in .*01_tiny.ipynb: make site", "2 failed, 1 passed"),
])  # fmt: skip
def test_a_run_that_shows_anything_else_turns_nbval_red(recorded, change, found, failed):
    doctor(recorded.parents[1] / ".cache/runs", change)
    status, said = nbval(recorded)
    assert status == 1 and failed in said and re.search(found, said, re.DOTALL), said


def test_a_run_that_is_not_there_is_asked_for(recorded):
    shutil.rmtree(recorded.parents[1] / ".cache")
    status, said = nbval(recorded)
    assert status == 1 and "01_tiny.ipynb is not there: make site" in said, said


FAULTS = {
    "a changed line of code": (lambda n: n.cells[0].update(source="x = 0.25"), "its code is not the chapter's"),
    "a missing cell": (lambda n: n.cells.pop(), "its code is not the chapter's"),
    "a cell no longer compared": (lambda n: n.cells[1].metadata.pop("tags"), "its code is not the chapter's"),
    "a cell without output": (lambda n: n.cells[1].update(outputs=[]), "cell-3 is to be compared but has no output"),
    "no tag at all": (lambda n: [c.metadata.pop("tags", None) for c in n.cells], "compares no cell"),
}


@pytest.mark.parametrize("change, fault", FAULTS.values(), ids=FAULTS)
def test_a_record_that_proves_nothing_is_named(chapter, recorded, change, fault):
    doctor(recorded, change)
    assert any(f"01_tiny.ipynb: {fault}" in found for found in record.faults(chapter, recorded))


def test_a_record_without_outputs_is_named_cell_by_cell(chapter, recorded):
    doctor(recorded, lambda notebook: [cell.update(outputs=[]) for cell in notebook.cells])
    assert [fault.split()[1] for fault in record.faults(chapter, recorded)] == ["cell-3", "cell-4"]


def test_a_missing_record_is_named(chapter, tmp_path):
    (fault,) = record.faults(chapter, tmp_path)
    assert fault.startswith("01_tiny.ipynb: there is no record of this chapter")


def test_a_tag_changed_in_the_chapter_is_named(write, recorded):
    retagged = write(TAGGED + "x = 0.5", TAGGED + "print(x)", TAGGED + "2 * x")
    assert "its code is not the chapter's" in record.faults(retagged, recorded)[0]


REFUSED = {
    "no tag": (["print(1)"], [["1\n"]], "01_tiny.py: no cell is tagged"),
    "a tagged cell that prints nothing": ([TAGGED + "x = 1"], [[]], "01_tiny.py, cell 2, line 4: tagged .* but prints nothing"),
    "a tagged figure": (
        [TAGGED + "draw()"],
        [[shown(text_plain="<figure>", image_png="")]],
        "cell 2, line 4: tagged .* shows more than text: text/plain, image/png",
    ),
    "a tagged table": ([TAGGED + "table"], [[shown(text_plain="…", text_html="<table>")]], "shows more than text"),
}


@pytest.mark.parametrize("cells, ran, message", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_compared_is_refused_and_no_record_is_touched(write, recorded, cells, ran, message):
    before = recorded.joinpath("01_tiny.ipynb").read_bytes()
    refused = write(*cells)
    with pytest.raises(ChapterError, match=message):
        record.renew([refused], {refused.slug: outputs(*ran)}, recorded)
    assert recorded.joinpath("01_tiny.ipynb").read_bytes() == before


def test_renewing_shows_what_changed(chapter, recorded):
    run = outputs([], ["0.25\n"], ["1.0"])
    changed = record.renew([chapter], {chapter.slug: run}, recorded)
    assert changed == [
        "--- 01_tiny.ipynb before", "+++ 01_tiny.ipynb now", "@@ -1,2 +1,2 @@", "-cell-3: 0.5", "+cell-3: 0.25", " cell-4: 1.0"
    ]
    assert record.renew([chapter], {chapter.slug: run}, recorded) == []


def test_renewing_a_record_that_cannot_be_read_writes_it_anew(chapter, recorded):
    recorded.joinpath("01_tiny.ipynb").write_text('{"cells": [')
    assert "01_tiny.ipynb: cannot be read" in record.faults(chapter, recorded)[0]
    record.renew([chapter], {chapter.slug: outputs([], ["0.5\n"], ["1.0"])}, recorded)
    assert record.faults(chapter, recorded) == []


def test_renewing_removes_the_record_of_a_chapter_that_is_gone(chapter, recorded):
    recorded.joinpath("01_tiny.ipynb").rename(recorded / "02_gone.ipynb")
    changed = record.renew([chapter], {chapter.slug: outputs([], ["0.5\n"], ["1.0"])}, recorded)
    assert [path.name for path in recorded.iterdir()] == ["01_tiny.ipynb"]
    assert "-cell-3: 0.5" in changed and "+cell-3: 0.5" in changed
