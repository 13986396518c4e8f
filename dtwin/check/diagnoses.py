"""What is wrong, in words: small questions put to a result, in order, until one of them is answered with yes."""

from itertools import combinations

import numpy as np

from .exercises import copied, spell_shape
from .trial import LARGE, close, is_numeric, same


def diagnose(exercise, trials):
    """The lines of a report on an attempt that has been tried: none when all is right."""
    wrong = [trial for trial in trials if not trial.right]
    if not wrong:
        return []
    first, lines = wrong[0], []
    if first.failure or not same(first.got, first.expected):
        what = first.failure or _slip(exercise, wrong) or _result(exercise, first)
        parting = _parting(trials)
        lines.append(_sentence(f"{parting}: {what[0].lower()}{what[1:]}" if parting else what))
    changed = [name for trial in wrong for name in trial.changed]
    if changed:
        lines.append(f"You changed your input {changed[0]} in place: work on a copy.")
    return [*lines, f"First seen with {first.call}."]


def _sentence(text):
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?" else ".")


def _parting(trials):
    """Find what parts the right cases from the wrong ones: "right for stride 1, wrong for stride 2"."""
    right, wrong = ([trial.call.facts for trial in trials if trial.right is which] for which in (True, False))
    for name in dict.fromkeys(name for facts in wrong for name in facts):
        good = {facts.get(name) for facts in right}
        bad = [facts.get(name) for facts in wrong]
        if good - {None} and None not in bad and not good & set(bad):
            return f"right for {_listed(sorted(good - {None}))}, wrong for {bad[0]}"
    return None


def _listed(words):
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _slip(exercise, wrong):
    """The slip whose results are those of the attempt in every case that went wrong."""
    wrong = [trial for trial in wrong if trial.call.facts.get("inputs") != "large inputs"]  # those end in NaN
    for sentence, slipped in exercise.slips.items():
        with np.errstate(all="ignore"):
            results = [slipped(*map(copied, trial.call.positional), **trial.call.options) for trial in wrong]
        if wrong and all(same(trial.got, result) for trial, result in zip(wrong, results)):
            return sentence
    return None


def _result(exercise, trial):
    """Say what is wrong with what one call returned."""
    got, expected = trial.got, trial.expected
    if got is None:
        return "it returns None; is there a `return`?"
    if not isinstance(expected, tuple):
        got, expected = (got,), (expected,)
    elif not isinstance(got, (tuple, list)) or len(got) != len(expected):
        count = f"{len(got)} values" if isinstance(got, (tuple, list)) else "one value"
        return f"it returns {count}, expected {len(expected)}: {', '.join(exercise.results)}"
    name, one, other = next(t for t in zip(exercise.results, got, expected) if not same(t[1], t[2]))
    label = "your output" if name == "output" else f"{'the gradient' if name[0] == 'd' else 'your'} {name}"
    return _array(label, one, other, trial.call)


def _array(name, got, expected, call):
    """Put the questions to one array."""
    if expected is None:
        return f"{name} must be None where there is no {name.rpartition(' d')[2]}"
    if not is_numeric(got):
        kind = f"an array of {got.dtype}" if isinstance(got, np.ndarray) else f"a {type(got).__name__}"
        wanted = "a NumPy array of numbers" if np.ndim(expected) else "a number"
        return f"{name} is {kind}, expected {wanted}"
    got, expected = np.asarray(got), np.asarray(expected)
    if got.shape != expected.shape and (got.size > LARGE or got.ndim > 6):  # too large to look into
        return _other_shape(name, got, expected, call)
    if not np.isfinite(got).all():
        return _not_finite(name, got, call)
    got, expected = got.astype(float), expected.astype(float)
    questions = SHAPES if got.shape != expected.shape else VALUES
    return next(answer for question in questions if (answer := question(name, got, expected, call)))


def _not_finite(name, got, call):
    word = "NaN" if np.isnan(got).any() else "infinite"
    if call.facts.get("inputs") == "large inputs":
        return f"{name} is {word} for large inputs, where exp overflows: subtract the maximum first"
    return f"{name} is {word} at {(~np.isfinite(got)).sum()} of {got.size} places; is something divided by 0?"


# the shape is wrong

def _exchanged(name, got, expected, call):
    for a, b in combinations(range(got.ndim), 2):
        swapped = got.swapaxes(a, b)
        if swapped.shape == expected.shape and close(swapped, expected):
            return f"{name} is transposed" if got.ndim == 2 else f"in {name} the axes {a} and {b} are exchanged"


def _unsummed(name, got, expected, call):
    for count in range(1, got.ndim + 1):
        for axes in combinations(range(got.ndim), count):
            for reduced, word in ((got.sum(axes), "sum"), (got.mean(axes), "mean")):
                if reduced.shape == expected.shape and close(reduced, expected) and got.size > expected.size:
                    over = "the batch" if axes == (0,) else "batch and pixels" if axes == (0, 2, 3) else f"axes {axes}"
                    return f"{name} misses the {word} over {over}"


def _reshaped(name, got, expected, call):
    shapes = f"{spell_shape(got.shape)}, expected {spell_shape(expected.shape)}"
    if got.size == expected.size and close(got.ravel(), expected.ravel()):
        ones = [n for n in got.shape if n > 1] == [n for n in expected.shape if n > 1]
        cure = "mind the axes of length 1" if ones else "reshape it"
        return f"the numbers are right, but {name} is {shapes}: {cure}"


def _uncropped(name, got, expected, call):
    if got.ndim == expected.ndim and all(a >= b for a, b in zip(got.shape, expected.shape)):
        inner = tuple(slice((a - b) // 2, (a - b) // 2 + b) for a, b in zip(got.shape, expected.shape))
        if close(got[inner], expected):
            return f"the border is still on: {name} is {_sizes(got, expected)}; cut the padding off"


def _other_shape(name, got, expected, call):
    return f"{name} is {_sizes(got, expected)}"


def _sizes(got, expected):
    """The two shapes; of two batches of maps only the sides, if only they differ."""
    g, e = got.shape, expected.shape
    if len(g) == len(e) == 4 and g[:2] == e[:2]:
        g, e = g[2:], e[2:]
    return f"{spell_shape(g)}, expected {spell_shape(e)}"


# the shape is right and the numbers are not

def _rough(name, got, expected, call):
    if close(got, expected, 1e-3) and np.abs(expected).max(initial=0) > 1e-2:
        return f"{name} is nearly right: digits are lost, or a small constant such as eps is forgotten or doubled"


def _multiple(name, got, expected, call):
    if not got.any():
        return f"{name} is 0 everywhere"
    factor = (got * expected).sum() / (expected ** 2).sum() if expected.any() else 0
    if not factor or not close(got, factor * expected):
        return None
    if np.isclose(factor, -1):
        return f"{name} has the wrong sign"
    n = next((a.shape[0] for name, a in call.arrays.items() if name != "dy"), 1)
    for word, n_times in (("large", factor), ("small", 1 / factor)):
        if n > 1 and np.isclose(n_times, n):
            return f"{name} is too {word} by a factor {n}, which is the size of the batch"
    return f"{name} is off by a factor {factor:.4g}"


def _shifted(name, got, expected, call):
    by = (got - expected).mean()
    if got.size > 1 and close(got - by, expected):
        return f"{name} is too {'large' if by > 0 else 'small'} by {abs(by):.4g} everywhere"


def _turned(name, got, expected, call):
    for a, b in combinations(range(got.ndim), 2):
        if got.shape[a] == got.shape[b] and close(got.swapaxes(a, b), expected):
            return f"{name} is transposed" if got.ndim == 2 else f"in {name} the axes {a} and {b} are exchanged"
    for axis in range(got.ndim):
        if close(np.flip(got, axis), expected):
            return f"{name} is reversed along axis {axis}"


def _rounded(name, got, expected, call):
    if not np.equal(expected, np.round(expected)).all() and np.abs(got - expected).max() <= 1 and \
            np.equal(got, np.round(got)).all():
        return f"{name} is rounded to whole numbers: make the array one of floats"


def _inside(name, got, expected, call):
    inner = (..., slice(1, -1), slice(1, -1))
    if got.ndim >= 2 and got[inner].size and close(got[inner], expected[inner]):
        return f"{name} is right in the interior and wrong at the border: mind the padding"


def _somewhere(name, got, expected, call):
    """Are all mistakes in a few rows, columns, channels or images?"""
    wrong = ~np.isclose(got, expected, rtol=1e-5, atol=1e-8)
    axes = {4: ("image", "channel", "row", "column"), 2: ("row", "column")}.get(got.ndim, ())
    for axis, word in enumerate(axes):
        where = np.flatnonzero(wrong.any(tuple(a for a in range(got.ndim) if a != axis)))
        n = got.shape[axis]
        if n > 1 and np.array_equal(where, np.arange(1, n)):
            return f"{name} is right in the first {word} and wrong in all others"
        if n > 1 and len(where) == 1:
            return f"{name} is wrong in the {'last ' if where[0] == n - 1 else ''}{word} {where[0]} only"


def _misplaced(name, got, expected, call):
    if close(np.sort(got, axis=None), np.sort(expected, axis=None)):
        return f"{name} has the right numbers in the wrong places"


def _other_values(name, got, expected, call):
    wrong = ~np.isclose(got, expected, rtol=1e-5, atol=1e-8)
    at = tuple(int(i[0]) for i in np.nonzero(wrong)) if got.ndim else ()
    place = f", at {list(at)} first" if at else ""
    return f"{wrong.sum()} of {got.size} numbers of {name} are wrong{place}: {got[at]:.4g}, expected {expected[at]:.4g}"


SHAPES = [_exchanged, _unsummed, _reshaped, _uncropped, _other_shape]
VALUES = [_rounded, _multiple, _shifted, _turned, _rough, _somewhere, _inside, _misplaced, _other_values]
