"""A chapter is read and checked before anything runs; what is wrong with it is said with chapter, cell and line."""

import pytest
from press import chapter
from press.chapter import ChapterError

HEADER = "# ---\n# jupyter:\n#   kernelspec:\n#     name: python3\n#     display_name: Python 3\n# ---\n\n"
TITLE = "# %% [markdown]\n# # A title\n"

WRONG = {
    "a syntax error": (
        HEADER + TITLE + "\n# %%\nx = 1\n\n# %% [markdown]\n# Prose.\n\n# %%\ny = 2\ny = = 3\n",
        "01_wrong.py, cell 4, line 19: syntax error",
    ),
    "a bracket never closed": (TITLE + "\n# %%\nprint(\n", "cell 2, line 5: syntax error"),
    "no cells": ("", "01_wrong.py: expected"),
    "no title": ("# %%\nx = 1\n", "expected one title .* found none"),
    "a title that comes late": ("# %%\nx = 1\n\n" + TITLE, "expected one title .* at the head of the first cell"),
    "text before the title": ("# %% [markdown]\n# Hello.\n#\n# # A title\n", "at the head of the first cell"),
    "two titles": (TITLE + "\n# %% [markdown]\n# # Another\n", r"found \['A title', 'Another'\]"),
    "code outside a cell": ("x = 1\n\n" + TITLE, "outside a cell"),
    "text outside a cell": ("# Hello.\n\n" + TITLE, "outside a cell"),
    "a header cut short": (HEADER.replace("#     name: python3\n", "") + TITLE, "01_wrong.py: not a percent script: .*name"),
}


@pytest.mark.parametrize("text, message", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(tmp_path, text, message):
    path = tmp_path / "01_wrong.py"
    path.write_text(text, "utf-8")
    with pytest.raises(ChapterError, match=message):
        chapter.read(path)


def test_a_file_that_is_not_utf8_is_named(tmp_path):
    path = tmp_path / "01_wrong.py"
    path.write_bytes((TITLE + "# Köln\n").encode("latin-1"))
    with pytest.raises(ChapterError, match="01_wrong.py: not UTF-8: .* at byte"):
        chapter.read(path)


def test_a_hash_in_code_is_no_title(tmp_path):
    path = tmp_path / "01_right.py"
    path.write_text(TITLE + "#\n# ```python\n# # a comment\n# ```\n\n# %%\n# a comment\nx = 1\n", "utf-8")
    assert chapter.read(path).title == "A title"


def test_lines_are_those_of_the_file(tmp_path):
    text = HEADER + TITLE + '\n# %% tags=["a"]\n\nfirst = 1\n\n\n# %% alt="…"\n# %%% not a cell\nsecond = 2\n'
    path = tmp_path / "01_right.py"
    path.write_text(text, "utf-8")
    read, file = chapter.read(path), text.splitlines()
    for number, cell in enumerate(read.notebook.cells[1:], 1):
        for line, code in enumerate(cell.source.splitlines(), 1):
            place = int(read.place(number, line).rpartition(" ")[2])
            assert file[place - 1] == code


def test_chapters_are_found_in_order_and_nothing_else_is(tmp_path):
    for name in ("10_ten", "02_two", "notes", "3_three"):
        tmp_path.joinpath(f"{name}.py").write_text(TITLE, "utf-8")
    assert [(c.number, c.slug) for c in chapter.find(tmp_path)] == [(2, "02_two"), (10, "10_ten")]
