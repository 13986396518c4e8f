"""The page for teachers: its own chapter, claim and exercise, put where the page says, make a page of the site."""

import re
import tomllib
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/teach.md").read_text("utf-8")
BLOCKS = dict(re.findall(r'^```\w+ title="(.+?)"\n(.+?)^```$', PAGE, re.MULTILINE | re.DOTALL))
CHAPTER, CLAIMS, CHECK = "chapters/15_herd.py", "dtwin/claims.toml", "dtwin/check/chapters_9_to_14.py"
HERE = "os.environ['PYTHONPATH'] = os.pathsep.join([os.path.abspath('docs/hooks'), os.getcwd()])"  # so kernels see its dtwin


@pytest.fixture
def taught(project):
    """The project with what the page for teachers adds."""
    before = {name: project.root.joinpath(name).read_text("utf-8") for name in (CLAIMS, CHECK)}
    for name, text in before.items():
        project.root.joinpath(name).write_text(f"{text}\n\n{BLOCKS[name]}", "utf-8")
    project.root.joinpath(CHAPTER).write_text(BLOCKS[CHAPTER], "utf-8")
    yield project
    project.root.joinpath(CHAPTER).unlink()
    for name, text in before.items():
        project.root.joinpath(name).write_text(text, "utf-8")


def test_the_page_names_the_three_files():
    assert set(BLOCKS) == {CHAPTER, CLAIMS, CHECK}


@pytest.mark.course
def test_the_chapter_of_the_page_for_teachers_is_built_measured_checked_and_recorded(taught):
    status, said = taught.press(first=HERE)
    assert status == 0, said
    folder = taught.root / "site/chapters/15_herd"
    article = BeautifulSoup(folder.joinpath("index.html").read_text("utf-8"), "html.parser").article
    assert article.h1.get_text().startswith("The herd")
    assert article.select_one("#claim-herd-share-of-cows td:last-child").text == "reproduced"
    assert "right" in article.select_one("details.solution .output").text
    assert len(article.select("figure img")) == 2 and article.select(".formula")
    student = nbformat.read(folder / "15_herd_student.ipynb", as_version=4)
    assert any(cell.source == "# your turn" for cell in student.cells)
    ledger = taught.root.joinpath("site/ledger/index.html").read_text("utf-8")
    assert tomllib.loads(BLOCKS[CLAIMS])["herd-share-of-cows"]["statement"] in ledger
    for other in taught.root.glob("chapters/[0-9]*.py"):
        if other.name != "15_herd.py":
            other.unlink()
    status, said = taught.press("record", first=HERE)
    assert status == 0 and taught.root.joinpath("tests/recorded/15_herd.ipynb").is_file(), said


@pytest.mark.course
def test_a_value_outside_the_band_of_the_page_stops_the_build(taught):
    taught.root.joinpath(CHAPTER).write_text(BLOCKS[CHAPTER].replace('== "cow").mean()', '== "cow").sum()'), "utf-8")
    status, said = taught.press(first=HERE)
    assert status != 0 and "15_herd.py, cell 5" in said and "OutOfBand" in said and "measured" in said, said
