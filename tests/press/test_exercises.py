"""Exercises: their form, and the three outputs that their one source has."""

import ast
import copy
import re
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from dtwin.check import EXERCISES, check
from dtwin.check.exercises import CHAPTERS as REGISTERED
from press import chapter, exercises, page
from press.chapter import ChapterError

ROOT = Path(__file__).parents[2]
CHAPTERS = chapter.find(ROOT / "chapters")

ASKED = "# %% [markdown]\n# ## Exercises\n#\n# ### Exercise 1. Two cows ★★\n#\n# **Program it.** Write `herd`."
HINTS = [f'# %% [markdown] tags=["hint"]\n# **Hint.** Hint {word}, $x^2$.' for word in ("one", "two")]
SOLVED = ['# %% [markdown] tags=["solution"]\n# **Solution.** A *cow*.', '# %% tags=["solution"]\nprint("moo")\ncheck(herd)']
SECOND = [
    "# %% [markdown]\n# ### Exercise 2. A barn ★\n#\n# **Think.** Why?",
    '# %% [markdown] tags=["solution"]\n# **Solution.** Because.',
    "# %% [markdown]\n# ## What you can do now",
]
CELLS = ["x = 1", ASKED, *HINTS, *SOLVED, *SECOND]


def run_of(made):
    """A run of a chapter whose code cells print their number."""
    cells = [nbformat.v4.new_code_cell(s, outputs=[nbformat.v4.new_output("stream", text=f"{n}\n")])
             for n, s in enumerate(made.code)]
    stamp = {"parts": {"versions": {"python": "3"}, "device": "cpu"}, "seconds": 1.0, "memory": 10**9, "date": "", "commit": ""}
    return nbformat.v4.new_notebook(cells=cells, metadata={"press": stamp})


def test_what_an_exercise_says_of_itself(write):
    first, second = exercises.find(write(*CELLS))
    assert first == exercises.Exercise(1, "Two cows", 2, ("program",), 2, "herd")
    assert second == exercises.Exercise(2, "A barn", 1, ("think",), 0, "")


def test_the_page_folds_hints_and_solutions_and_names_the_heads(write):
    made = write(*CELLS)
    sheet = page.lay_out(made, run_of(made))
    text = "\n".join(cell.source for cell in sheet.notebook.cells)
    assert re.findall(r"<summary>(.+?)</summary>", text) == ["Hint 1", "Hint 2", "Solution", "Solution"]
    assert text.count("</details>") == 4 and "**Hint.**" not in text and "**Solution.**" not in text
    assert "### Exercise 1. Two cows ★★ { #exercise-1 }" in text
    assert text.index("print(") < text.rindex("</details>")


def test_the_students_notebook_has_no_solution_and_the_other_has_it(write):
    made = write(*CELLS)
    student, solution = (nbformat.reads(page.download(made, run_of(made), solved=solved), 4) for solved in (False, True))
    for notebook in (student, solution):
        nbformat.validate(notebook)
        hints = [cell.source for cell in notebook.cells if cell.source.startswith("<details><summary>Hint")]
        assert len(hints) == 2 and "**Hint.**" not in "".join(hints)
    said = [cell.source for cell in student.cells]
    assert said.count("# your turn") == said.count("*Your answer:*") == 1
    assert not any("moo" in text or "Because" in text or "*cow*" in text for text in said)
    assert student.cells[1].outputs[0].text == "0\n" and said[-1].startswith("## What you can do now")
    turn = next(cell for cell in student.cells if cell.source == "# your turn")
    assert turn.cell_type == "code" and not turn.outputs and turn.execution_count is None
    solved = [cell.source for cell in solution.cells]
    assert "**Solution.** A *cow*." in solved and 'print("moo")\ncheck(herd)' in solved


def test_the_students_notebook_leaves_the_figures_to_the_student(write):
    made = write(*CELLS)
    run = run_of(made)
    run.cells[0].outputs = [nbformat.v4.new_output("display_data", {"image/svg+xml": "<svg>"})]
    student, solution = (nbformat.reads(page.download(made, run, solved=solved), 4) for solved in (False, True))
    assert student.cells[1].outputs == [] and solution.cells[1].outputs[0].data == {"image/svg+xml": "<svg>"}


WRONG = {
    "no stars": (ASKED.replace(" ★★", ""), SOLVED, "expected one head of the form"),
    "four stars": (ASKED.replace("★★", "★★★★"), SOLVED, "expected one head of the form"),
    "no kind": (ASKED.replace("Program it", "Do it"), SOLVED, "expected the exercise to begin with"),
    "no solution": (ASKED, [], "expected hints .* and then one solution"),
    "a hint too late": (ASKED, [*SOLVED, HINTS[0]], "expected hints .* and then one solution"),
    "two solutions": (ASKED, [*SOLVED, "y = 1", *SOLVED], "expected hints .* and then one solution"),
    "a nameless hint": (ASKED, [HINTS[0].replace("**Hint.** ", ""), *SOLVED], "expected its hint to begin with"),
    "a nameless solution": (ASKED, [SOLVED[0].replace("**Solution.** ", "")], "expected its solution to begin with"),
    "a wrong number": (ASKED.replace("Exercise 1", "Exercise 2"), SOLVED, "exercise 2, expected 1"),
}


@pytest.mark.parametrize("head, cells, message", WRONG.values(), ids=WRONG)
def test_an_exercise_out_of_form_is_refused(write, head, cells, message):
    with pytest.raises(ChapterError, match=f"01_tiny.py, cell 2, line 4: .*{message}"):
        exercises.find(write(head, *cells))


def test_a_solution_without_an_exercise_is_refused(write):
    with pytest.raises(ChapterError, match="stands before the first exercise"):
        exercises.find(write("x = 1", *SOLVED))


@pytest.mark.parametrize("old", [False, True])
def test_a_chapter_without_such_exercises_is_as_it_was(write, old):
    cells = ["x = 1"] + ['# %% [markdown]\n# <details markdown="1"><summary>Solution</summary>\n#\n# Moo.\n#\n# </details>'] * old
    made = write(*cells)
    assert exercises.find(made) == ()
    assert page.lay_out(made, run_of(made)).notebook.cells[-1].source == made.notebook.cells[-1].source


def test_the_list_of_all_exercises_is_by_chapter_and_by_difficulty(write):
    made = write(*CELLS)
    listed = exercises.table([(made, exercises.find(made)), (made, ())])
    assert "| [1. Two cows](chapters/01_tiny.ipynb#exercise-1) | program | ★★ | `check(herd)` |" in listed
    assert "| [2. A barn](chapters/01_tiny.ipynb#exercise-2) | think | ★ | — |" in listed
    assert listed.count("## 1 A tiny chapter") == 1
    assert "**★** [1.2 A barn](chapters/01_tiny.ipynb#exercise-2)\n" in listed


def test_the_site_has_it_all(project):
    project.chapter("02_asked", "def check(f): return 'right'\ndef herd(): pass", *CELLS[1:])
    status, said = project.press()
    assert status == 0, said
    folder = project.root / "site/chapters/02_asked"
    article = BeautifulSoup(folder.joinpath("index.html").read_text("utf-8"), "html.parser").article
    summaries = article.select("details > summary")
    assert [summary.text for summary in summaries] == ["Hint 1", "Hint 2", "Solution", "Solution"]
    solution = summaries[2].parent
    assert solution.em.text == "cow" and "right" in solution.select(".output")[-1].text
    assert article.find("h3", id="exercise-1") and summaries[0].parent.select(".formula")
    assert [a["href"] for a in article.select("a[download]")] == ["02_asked_student.ipynb", "02_asked.ipynb", "02_asked.py"]
    assert "moo" not in folder.joinpath("02_asked_student.ipynb").read_text("utf-8")
    listed = BeautifulSoup(project.root.joinpath("site/exercises/index.html").read_text("utf-8"), "html.parser").article
    assert listed.select("table a")[0]["href"] == "../chapters/02_asked/#exercise-1"


@pytest.mark.course
@pytest.mark.parametrize("one", CHAPTERS, ids=lambda c: c.slug)
def test_a_chapter_has_exercises_of_each_kind(one):
    found = exercises.find(one)
    kinds = {kind for exercise in found for kind in exercise.kinds}
    assert len(found) >= 3 and {"predict", "program"} <= kinds
    assert all(exercise.hints or exercise.kinds == ("think",) for exercise in found)


@pytest.mark.parametrize("one", CHAPTERS, ids=lambda c: c.slug)
def test_an_exercise_to_program_asks_for_a_function_that_is_checked_and_gives_hints(one):
    asked = [exercise for exercise in exercises.find(one) if "program" in exercise.kinds]
    assert {e.title: e.checked for e in asked if not e.hints or e.checked not in EXERCISES} == {}
    heads = {exercises.HEAD.search(cell.source)["title"]: cell.source for cell in one.notebook.cells
             if cell.cell_type == "markdown" and "### Exercise" in cell.source}
    assert [e.title for e in asked if f"`check({e.checked})`" not in heads[e.title]] == []


@pytest.mark.parametrize("one", CHAPTERS, ids=lambda c: c.slug)
def test_a_student_notebook_has_a_place_for_each_answer_and_none_of_the_solutions(one):
    solutions = [cell.source.removeprefix(exercises.WORD["solution"]) for cell in one.notebook.cells
                 if exercises.role(cell) == "solution"]
    student = exercises.for_notebook(copy.deepcopy(one.notebook.cells), solved=False)
    places = [cell for cell in student if cell.source in ("# your turn", "*Your answer:*")]
    assert len(places) == len(exercises.find(one)) and "solution" not in {exercises.role(cell) for cell in student}
    text = "\n".join(cell.source for cell in student)
    assert [source for source in solutions if source in text] == [] and solutions
    solved = exercises.for_notebook(copy.deepcopy(one.notebook.cells), solved=True)
    assert all(any(source in cell.source for cell in solved) for source in solutions)


def definitions(one):
    """The functions of a chapter's solutions, with nothing around them but what the chapter imports."""
    found, bare = {}, [node for code in one.code for node in ast.parse(code).body]
    bare = [node for node in bare if isinstance(node, (ast.Import, ast.ImportFrom))]
    for cell in one.notebook.cells:
        if cell.cell_type == "code" and exercises.role(cell) == "solution":
            bare += [node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)]
    exec(compile(ast.Module(bare, []), one.path, "exec"), found)
    return found


@pytest.mark.parametrize("one", CHAPTERS, ids=lambda c: c.slug)
def test_the_solutions_of_a_chapter_pass(one):
    found = definitions(one)
    reports = [check(found[exercise.checked]) for exercise in exercises.find(one) if exercise.checked]
    assert reports and [repr(report) for report in reports if not report] == []


@pytest.mark.parametrize("one", CHAPTERS, ids=lambda c: c.slug)
def test_the_solutions_that_are_checked_are_right(one):
    checked = [exercise.checked for exercise in exercises.find(one) if exercise.checked]
    assert set(checked) <= EXERCISES.keys()
    record = nbformat.read(ROOT / f"tests/recorded/{one.slug}.ipynb", as_version=4)
    said = [o.data["text/plain"] for cell in record.cells for o in cell.outputs if o.output_type == "execute_result"]
    assert [name for name in checked if not any(text.startswith(f"{name}: right") for text in said)] == []


@pytest.mark.course
def test_every_registered_exercise_is_asked_for():
    asked = {exercise.checked for one in CHAPTERS for exercise in exercises.find(one)}
    assert REGISTERED.keys() - asked == set()
