"""What an exercise is, and how a chapter registers one.

An exercise may know the typical slips: each is a sentence, and the function that one writes who slips so.
"""

import inspect
from dataclasses import dataclass, field

import numpy as np

CHAPTERS = {}  # the exercises of the chapters, by name
rng = np.random.default_rng(0)


def real(*shape):
    return rng.normal(size=shape)


def light(*shape):
    return rng.uniform(0.1, 1, size=shape)


@dataclass(frozen=True)
class Call:
    """Arguments of one call: arrays by name, options, and what sets it apart from the other calls, in words."""

    arrays: dict
    options: dict = field(default_factory=dict)
    facts: dict = field(default_factory=dict)

    @property
    def positional(self):
        """The arrays in order, without the None at the end that is a default."""
        values = list(self.arrays.values())
        while values and values[-1] is None:
            values.pop()
        return values

    def __str__(self):
        arrays = [f"{name} {spell_shape(a.shape)}" for name, a in self.arrays.items() if a is not None]
        return ", ".join(arrays + [f"{name}={value}" for name, value in self.options.items()])


@dataclass(frozen=True)
class Exercise:
    """A function that is asked for: its definition, the calls it is tried on, and its typical slips."""

    reference: object
    calls: list
    slips: dict = field(default_factory=dict)
    results: tuple = ("output",)

    @property
    def signature(self):
        return f"{self.reference.__name__}{inspect.signature(self.reference)}"

    def expected(self, call):
        return self.reference(*map(copied, call.positional), **call.options)


def copied(array):
    return None if array is None else np.array(array)


def spell_shape(shape):
    return "×".join(map(str, shape)) or "one number"


def defaults(function):
    return {name: p.default for name, p in inspect.signature(function).parameters.items() if p.default is not p.empty}


def exercise(*calls, slips, results=("output",)):
    """Register a definition with the arguments it is tried on: arrays, options, and `about`, which parts the calls."""
    def register(reference):
        given = [_call(defaults(reference), call) for call in calls]
        CHAPTERS[reference.__name__] = Exercise(reference, given, slips, results)
        return reference
    return register


def _call(usual, arguments):
    about = {name: a for name, a in arguments.items() if name == "about"}
    arrays = {name: a for name, a in arguments.items() if isinstance(a, np.ndarray)}
    options = {name: a for name, a in arguments.items() if name not in {*about, *arrays}}
    square = all(a.shape[-1] == a.shape[-2] for a in arrays.values() if a.ndim > 1)
    form = {"form": "square arrays" if square else "arrays that are not square"}
    facts = {name: f"{name} {value}" for name, value in {**usual, **options}.items()}
    return Call(arrays, options, facts | form | about)
