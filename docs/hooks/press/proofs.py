"""What proves an entry of the API: the tests that use it, found in their sources, and its cases in the table."""

import ast
import re
from collections import Counter, defaultdict
from pathlib import Path

from dtwin import cases

from .page import UNSEARCHED

ENTRY = re.compile(r'(?=<h\d id="dtwin\.)')
NAME = re.compile(r'<h\d id="(dtwin\.[\w.]+)"')
SOURCE = '<details class="mkdocstrings-source"'
TABLE = "dtwin.cases.CASES"

Tests = dict[str, dict[str, list[tuple[str, int]]]]  # of each entry, by file: names and lines


def find(folder: Path) -> Tests:
    """Find the tests that use each entry, by themselves or through a function of their file; its cases in the table first."""
    found = defaultdict(lambda: defaultdict(list))
    for path in sorted(folder.glob("test_*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        imported = names_imported(tree)
        for name, count in rows().items() if TABLE in used(tree, imported) else ():
            found[name][path.name].append((f"{count} of the cases in dtwin/cases.py", 0))
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        for test in functions.values():
            if test.name.startswith("test_"):
                for name in through(test, functions, imported):
                    found[name][path.name].append((test.name, test.lineno))
    return found


def rows() -> Counter:
    """Count the cases of each operator, right and wrong ones, for it, its twin and its gradient."""
    counts = Counter(case.op for case in (*cases.CASES, *cases.WRONG))
    return Counter({name: n for op, n in counts.items() for name in (f"dtwin.ref.{op}", f"dtwin.twin.{op}", f"dtwin.ref.{op}_backward")})


def names_imported(tree: ast.Module) -> dict[str, str]:
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] == "dtwin"
        for alias in node.names
    }


def through(function: ast.FunctionDef, functions: dict[str, ast.FunctionDef], imported: dict[str, str]) -> set[str]:
    """Return what a function uses of the package, also through the functions and fixtures of its file."""
    waiting, seen, names = [function.name], set(), set()
    while waiting:
        node = functions[waiting.pop()]
        seen.add(node.name)
        names |= used(node, imported)
        called = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} | {arg.arg for arg in node.args.args}
        waiting += (called & functions.keys()) - seen
    return names


def used(tree: ast.AST, imported: dict[str, str]) -> set[str]:
    """Return the full names of what code uses of the package: `parts.match` is `dtwin.vision.parts.match`."""
    names = set()
    for node in ast.walk(tree):
        chain = []
        while isinstance(node, ast.Attribute):
            chain.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name) and node.id in imported:
            parts = [imported[node.id], *reversed(chain)]
            names |= {".".join(parts[: n + 1]) for n in range(len(parts))}
    return names


def show(html: str, tests: Tests, address: str = "") -> str:
    """Name the tests of each entry above its source; `address` is where the repository shows its files, if anywhere."""
    parts = ENTRY.split(html)
    for number, part in enumerate(parts):
        heading = NAME.match(part)
        name = heading and next((name for name in names(heading[1]) if name in tests), None)
        if name:
            files = ", ".join(f"<code>tests/unit/{file}</code>" for file in tests[name])
            proof = f"<summary>Tests in {files}</summary><ul>{''.join(items(tests[name], address))}</ul>"
            parts[number] = part.replace(SOURCE, f'<details class="proofs" {UNSEARCHED}>{proof}</details>{SOURCE}', 1)
    return "".join(parts)


def names(entry: str) -> tuple[str, str]:
    """Return an entry's name, and the one by which it is used where its package hands it on without that of its file."""
    *package, _, last = entry.split(".")
    return entry, ".".join([*package, last])


def items(files: dict[str, list[tuple[str, int]]], address: str) -> list[str]:
    def link(text, path):
        return f'<a href="{address}{path}">{text}</a>' if address else text

    return [
        f"<li>{link(words(name), f'tests/unit/{file}#L{line}') if line else name}</li>"
        for file, tests in files.items()
        for name, line in tests
    ]


def words(test: str) -> str:
    """Return the name of a test as the sentence that it is."""
    return test.removeprefix("test_").replace("_", " ")
