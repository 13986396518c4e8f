"""The package of the course: operators in NumPy and PyTorch, pictures with their truth, claims, and a checker."""

from importlib import import_module


def __getattr__(name):
    """Import the checker when `dtwin.check` is first asked for; nobody else pays for it."""
    if name == "check":
        return import_module("dtwin.check")
    raise AttributeError(f"module 'dtwin' has no attribute {name!r}")
