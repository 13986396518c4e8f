"""The exercise checker: `dtwin.check(attempt)` says what is wrong with a function, in the terms of the problem.

The name of the function says which exercise it answers. It runs on every case of the exercise, each time on fresh
arrays, and nothing that it does (raise, run for ever, print without end, change its input) reaches the caller.
"""

import difflib
import inspect
import sys
import textwrap
import types
from dataclasses import dataclass

from . import chapters_0_to_4, chapters_5_to_8, chapters_9_to_14  # they register what they ask for
from .diagnoses import diagnose
from .exercises import CHAPTERS
from .operators import operators
from .trial import attempt_all

EXERCISES = dict(operators()) | CHAPTERS
WIDTH = 88  # of a line of a report, in characters


@dataclass(frozen=True, repr=False)
class Report:
    """What `check` found: whether every case came out right, and the lines that say so."""

    passed: bool
    lines: tuple[str, ...]

    def __bool__(self):
        return self.passed

    def __repr__(self):
        return "\n".join(textwrap.fill(line, WIDTH, subsequent_indent="  ") for line in self.lines)


def check(attempt, seconds=10.0):
    """Try a function on the cases of the exercise that it is named after, and say what is wrong.

    A case whose options the function does not take (a `stride`, say) is left out, and the report says so. The time
    limit holds in the main thread of Linux and macOS, which is where a notebook's cells run. On Linux it may also take
    no more than 4 GB of memory.

    Args:
        attempt: a function with the name and parameters of an exercise or an operator, for NumPy arrays.
        seconds: how long it may take on one case.

    Returns:
        A `Report`: shown, it is a few lines of text; as a condition, it is true when all is right.

    Raises:
        TypeError: it is no function.
        ValueError: there is no exercise of its name.
    """
    name = getattr(attempt, "__name__", None)
    try:
        signature = inspect.signature(attempt)
    except (TypeError, ValueError):  # no function, or one whose parameters nobody knows
        name = None
    if name is None:
        raise TypeError(f"check: got {type(attempt).__name__}, expected a function")
    if name not in EXERCISES:
        near = difflib.get_close_matches(name, EXERCISES, cutoff=0.5) or sorted(EXERCISES)
        raise ValueError(f"check: got a function called {name!r}, expected the name of an exercise: {', '.join(near)}")
    exercise = EXERCISES[name]
    trials, left_out, printed = attempt_all(attempt, exercise, seconds)
    right = sum(trial.right for trial in trials)
    if not trials:
        lines = [f"{name}: cannot be called.", f"Expected {exercise.signature}, got {name}{signature}."]
    else:
        lines = [f"{name}: {_count(right, len(trials))}.", *diagnose(exercise, trials)]
        if left_out:
            lines.append(f"Not tried, since your function does not take it: {', '.join(left_out)}.")
    if printed:
        lines.append(f"It printed: {printed}")
    return Report(bool(trials) and right == len(trials), tuple(lines))


def _count(right, of):
    if right in (0, of):
        return ("right" if right else "wrong") + ("", " in both cases", f" in all {of} cases")[min(of, 3) - 1]
    return f"right in {right} of {of} cases"


class _Callable(types.ModuleType):
    """This module, called: `dtwin.check(attempt)` is `dtwin.check.check(attempt)`."""

    def __call__(self, attempt, seconds=10.0):
        return check(attempt, seconds)


sys.modules[__name__].__class__ = _Callable
