"""The whole way, in a copy of the project: a build either replaces the site or leaves it as it stood, byte for byte."""

import os
import signal
import time

import pytest
from press import build

FIGURE = """\
import numpy as np
from dtwin import plots
plots.matrices([np.eye(2)])"""
GOOD = ("# %% alt=\"A matrix.\"\n" + FIGURE, "# %% [markdown]\n# **Figure.** Ones on the diagonal.", "print('fine')")
WAITING = """\
import os, pathlib, time
pathlib.Path("../pid.new").write_text(str(os.getpid()))
os.rename("../pid.new", "../pid")
while not pathlib.Path("../go").exists():
    time.sleep(0.05)"""

WRONG = {
    "a failing cell": (
        ["x = 1", "raise ValueError('no cow')"],
        ["02_wrong.py, cell 3, line 8: ValueError: no cow"],
    ),
    "a figure without alt text": (
        [FIGURE, "# %% [markdown]\n# **Figure.** Ones."],
        ["02_wrong.py, cell 2, line 4: the figure has no alt text"],
    ),
    "a formula that is none": (
        ["# %% [markdown]\n# The number $\\frac{1}$ is no cow."],
        ["chapters/02_wrong.ipynb: formula $\\frac{1}$: "],
    ),
    "links that lead nowhere": (
        ["# %% [markdown]\n# [page](missing.md), [anchor](#missing), [page's](01_good.ipynb#missing), [name][dtwin.missing]."],
        ["'missing.md'", "'#missing'", "'01_good.ipynb#missing'", "'dtwin.missing'", "Aborted with 4 warnings in strict mode"],
    ),
    "a syntax error": (
        ["x = = 1"],
        ["02_wrong.py, cell 2, line 5: syntax error"],
    ),
}


@pytest.fixture(scope="module")
def built(project):
    """The project with one good chapter, built."""
    project.chapter("01_good", *GOOD)
    status, said = project.press()
    assert status == 0, said
    assert "The site is built" in said
    return project


@pytest.fixture
def standing(built):
    """The built project; whatever the test does to it, its site must stand as it stood, with nothing left beside it."""
    site = built.files("site")
    yield built
    for name in ("02_wrong", "02_late"):
        built.root.joinpath(f"chapters/{name}.py").unlink(missing_ok=True)
    built.chapter("01_good", *GOOD)
    assert built.files("site") == site
    assert [path for path in built.root.joinpath(".cache").rglob("*") if ".new" in path.name or ".old" in path.name] == []
    assert [path for path in built.root.joinpath(".cache").rglob(".*")] == []


def test_what_a_site_is_made_from(built, monkeypatch):
    before = build.inputs(built.root)
    assert build.inputs(built.root) == before
    monkeypatch.setenv("OTHER", "1")
    assert build.inputs(built.root) == before
    for variable in ("DTWIN_DATA", "SITE_URL"):
        with monkeypatch.context() as patch:
            patch.setenv(variable, "elsewhere")
            assert build.inputs(built.root) != before
    with monkeypatch.context() as patch:
        patch.setattr(build.key, "device", lambda: "GPU")
        assert build.inputs(built.root) != before
    for name in ("docs/index.md", "chapters/01_good.py", "mkdocs.yml", "docs/hooks/press/templates/mkdocs_html/notebook.html.j2"):
        path = built.root / name
        text = path.read_text()
        path.write_text(text + "\n")
        assert build.inputs(built.root) != before
        path.write_text(text)


def test_nothing_is_done_where_nothing_changed(standing):
    standing.root.joinpath("base.yml").rename(standing.root / "hidden")  # mkdocs would stop without it
    try:
        status, said = standing.press()
    finally:
        standing.root.joinpath("hidden").rename(standing.root / "base.yml")
    assert status == 0 and said.startswith("The site is up to date")


@pytest.mark.parametrize("cells, messages", WRONG.values(), ids=WRONG)
def test_what_is_wrong_stops_the_build(standing, cells, messages):
    standing.chapter("02_wrong", *cells)
    status, said = standing.press()
    assert status != 0 and "the site that stood before is untouched" in said
    assert [message for message in messages if message not in said] == [], said
    assert "Traceback" not in said


@pytest.mark.parametrize("edit, message", {
    "while a run is kept": ("print('cow\\n' * 100_000)", "02_late.py: [Errno 27] File too large"),
    "while pages are written": (None, "could not be written: File too large"),
}.values(), ids=["run", "pages"])
def test_a_full_disk_stops_the_build(standing, edit, message):
    if edit:
        standing.chapter("02_late", edit)
    else:
        standing.chapter("01_good", *GOOD, "# %% [markdown]\n# More prose.")
    limit = 50_000
    status, said = standing.press(first=f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))")
    assert status != 0 and message in said and "the site that stood before is untouched" in said, said
    assert "Traceback" not in said


def test_an_interrupt_keeps_what_finished_and_the_next_build_resumes(standing):
    pid, go = standing.root / "pid", standing.root / "go"
    standing.chapter("01_good", *GOOD, "print('edited')")
    standing.chapter("02_late", WAITING)
    kept = standing.root / ".cache/runs/01_good.ipynb"
    before, process = kept.read_bytes(), standing.start()
    wait_for(lambda: kept.read_bytes() != before and pid.exists(), process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "Interrupted; what had finished is kept" in said, said
    wait_for(lambda: not running(int(pid.read_text())))
    go.touch()
    resumed = standing.start("record")
    said, _ = resumed.communicate()
    assert resumed.returncode == 1 and "no cell is tagged" in said, said
    assert "02_late: done" in said and "01_good: running" not in said


def test_an_interrupt_while_pages_are_written_leaves_no_half_site(standing):
    standing.chapter("01_good", *GOOD, "# %% [markdown]\n# More prose.")
    process = standing.start()
    wait_for(standing.root.joinpath(".cache/site.new/index.html").exists, process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "Interrupted" in said, said


def wait_for(condition, process=None):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None, process.communicate()[0]
        time.sleep(0.05)


def running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
