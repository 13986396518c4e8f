"""Who may import whom: `ref` knows NumPy and `twin` PyTorch, and neither the other: so is their agreement evidence."""

import ast
import sys
from pathlib import Path

import pytest

import dtwin

ROOT = Path(dtwin.__file__).parent
ALLOWED = {"ref": {"numpy"}, "twin": {"torch"}, "vision": {"numpy", "scipy", "skimage", "sklearn"},
           "check": {"numpy", "scipy", ".."}, "explain": {"torch", "..modes", "..twin"}, "plots": {"numpy", "matplotlib"}, "cases.py": {"numpy"}, "gradcheck.py": {"numpy"},
           "cost.py": {"torch"}, "receptive.py": {"torch"}, "modes.py": set(), "parallel.py": {"torch", "loky", "tqdm"},
           "full": {"numpy", "scipy", "skimage", "sklearn", "torch", ".."}}
FILES = [(name, path) for name in ALLOWED
         for path in ([ROOT / name] if name.endswith(".py") else sorted((ROOT / name).glob("**/*.py")))]


def imported(source):
    """Top-level names of the packages a source imports; a module of its own package is '.', one beside it '..name'."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            beside = node.level > 1 and node.module and node.module.split(".")[0]
            yield "." * node.level + (beside or "") if node.level else node.module.split(".")[0]


def foreign(source, allowed):
    names = set(imported(source)) - allowed - {"."} - sys.stdlib_module_names
    return {name for name in names if not (name.startswith("..") and ".." in allowed)}


@pytest.mark.parametrize("name, path", FILES, ids=lambda value: getattr(value, "stem", value))
def test_a_file_imports_only_what_its_folder_may(name, path):
    assert not foreign(path.read_text(), ALLOWED[name])


def test_there_are_files_to_read_and_the_same_in_both_folders():
    modules = {name: {p.name for n, p in FILES if n == name} for name in ("ref", "twin")}
    assert modules["twin"] <= modules["ref"] and len(modules["twin"]) > 5


@pytest.mark.parametrize("source", [
    "import torch", "from torch import nn", "import dtwin.twin", "from dtwin import twin",
    "from .. import twin", "from ..twin import conv", "def f():\n    import scipy.signal as s",
])
def test_the_rule_bites(source):
    assert foreign(source, {"numpy"})
