"""Calling a function of which nothing is known, so that whatever it does ends in a word about it."""

import contextlib
import inspect
import linecache
import traceback
import warnings
from dataclasses import dataclass

import numpy as np

from .guard import SHOWN, Output, TimeUp, limited, little_memory

TOLERANCE = 1e-6  # of the largest number; the arrays are in float64
LARGE = 10 ** 6  # numbers; no case has so many


@dataclass(frozen=True)
class Trial:
    """One call of an attempt: what it returned or how it failed, beside what was expected."""

    call: "Call"  # of .exercises
    expected: object
    got: object = None
    failure: str = ""
    changed: tuple[str, ...] = ()  # names of the arguments that it wrote to

    @property
    def right(self):
        return not self.failure and not self.changed and same(self.got, self.expected)


def same(got, expected):
    """Are two results equal but for rounding, in number, kind, shape and value?"""
    if expected is None:
        return got is None
    if isinstance(expected, tuple):
        return isinstance(got, (tuple, list)) and len(got) == len(expected) and all(map(same, got, expected))
    return is_numeric(got) and np.shape(got) == np.shape(expected) and close(np.asarray(got), expected)


def is_numeric(got):
    return isinstance(got, (np.ndarray, np.generic, int, float)) and np.asarray(got).dtype.kind in "biuf"


def close(got, expected, tolerance=TOLERANCE):
    """Equal but for rounding, and NaN at the same places; `got` and `expected` have one shape."""
    got, expected = np.asarray(got), np.asarray(expected, float)
    finite = np.isfinite(expected)
    if not np.array_equal(np.isfinite(got), finite):
        return False
    got, expected = got[finite], expected[finite]
    return bool(np.abs(got - expected).max(initial=0) <= tolerance * np.abs(expected).max(initial=1))


def attempt_all(attempt, exercise, seconds):
    """Try a function on every case it takes: the trials, what was left out because it does not take it, its prints."""
    signature, left_out, trials, output = inspect.signature(attempt), {}, [], Output()
    for call in exercise.calls:
        if _takes(signature, exercise, call):
            trials.append(_try(attempt, call, exercise.expected(call), seconds, output))
            if trials[-1].failure.startswith((ENDLESS, HUNGRY)):
                break
        else:
            left_out |= dict.fromkeys(name for name in [*_optional(exercise, call), *call.options]
                                      if name not in signature.parameters)
    return trials, list(left_out), str(output)


def _takes(signature, exercise, call):
    """Does the function have a parameter for every argument of a call, and no option where an array would go?"""
    asked = inspect.signature(exercise.reference).parameters
    arrays = list(call.arrays)[:len(call.positional)]
    swapped = [own for own, name in zip(signature.parameters, arrays) if own in asked and own != name]
    try:
        signature.bind(*call.positional, **call.options)
    except TypeError:
        return False
    return not swapped


def _optional(exercise, call):
    """The arrays of a call that have a default, such as the bias."""
    parameters = inspect.signature(exercise.reference).parameters
    return [name for name in list(call.arrays)[:len(call.positional)]
            if parameters[name].default is not inspect.Parameter.empty]


def _try(attempt, call, expected, seconds, output):
    copies = [None if a is None else np.array(a) for a in call.positional]
    got, failure = None, ""
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), np.errstate(all="ignore"):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                with little_memory():
                    got = _kept(limited(lambda: attempt(*copies, **call.options), seconds))
    except TimeUp:
        failure = f"{ENDLESS} after {seconds:g} s it had not returned; does each loop come to an end?"
    except MemoryError as error:
        failure = f"{HUNGRY} {_spell(error, attempt)}"
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: whatever it was, the reader is told
        failure = _spell(error, attempt)
    changed = [n for n, a, b in zip(call.arrays, call.positional, copies) if a is not None and _written(a, b)]
    return Trial(call, expected, got, failure, tuple(changed))


ENDLESS = "it does not end:"
HUNGRY = "it needs more and more memory:"


def _kept(got):
    """Copies of the arrays that came back, lest a later call writes to them."""
    if isinstance(got, (tuple, list)):
        copies = [_kept(one) if isinstance(one, np.ndarray) else one for one in got]
        return tuple(copies) if isinstance(got, tuple) else copies
    return np.array(got) if isinstance(got, np.ndarray) and got.size <= LARGE else got


def _written(array, copy):
    return (array.dtype, array.shape, array.tobytes()) != (copy.dtype, copy.shape, copy.tobytes())


def _spell(error, attempt):
    """Name an exception and the last line of the reader's own code that it passed."""
    try:
        kind = "MemoryError" if isinstance(error, MemoryError) else type(error).__name__  # NumPy has one of its own
        text = _cut(f"{kind}: {error}".strip(": "))
    except Exception:  # an exception that cannot even say what it is
        text = type(error).__name__
    code = getattr(inspect.unwrap(attempt), "__code__", None)
    lines = [(frame.f_code.co_filename, number) for frame, number in traceback.walk_tb(error.__traceback__)
             if code and frame.f_code.co_filename == code.co_filename]
    if not lines:
        return f"it stops with {text}"
    file, number = lines[-1]
    source = linecache.getline(file, number).strip()
    return f"it stops in line {number}{f', `{_cut(source)}`,' if source else ''} with {text}"


def _cut(text):
    line = text.partition("\n")[0]
    return line if len(line) <= SHOWN else f"{line[:SHOWN]} …"
