"""What a run depends on: when none of it changed, the run need not be made again.

Code cells, the sources of `dtwin` that they reach, the claims they name, the versions of the packages behind them,
the data they are pointed at, and the device. Prose, alt texts and tags are not part of it.
"""

import ast
import functools
import os
import platform
import re
import sys
from importlib import metadata, util
from pathlib import Path

from packaging.requirements import Requirement

from .chapter import Chapter
from .files import digest

PACKAGE = "dtwin"


def parts(chapter: Chapter) -> dict:
    """Return everything the run of a chapter depends on, by name."""
    trees = [ast.parse(cell) for cell in chapter.code]
    sources, outside = reach(trees)
    return {
        "code": chapter.code,
        "sources": {name: digest(path.read_bytes()) for name, path in sources.items()},
        "claims": claims_named(chapter) if f"{PACKAGE}.claims" in sources else {},
        "versions": {"python": platform.python_version(), **versions(outside | {"ipykernel", "nbclient"})},
        "data": data(),
        "device": device(),
    }


def changes(before: dict | None, now: dict) -> str:
    """Say in a few words why a chapter must run."""
    if before is None:
        return "never run"
    names = [name for name in now if before.get(name) != now[name]]
    if names == ["sources"]:
        old, new = before["sources"], now["sources"]
        modules = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        more = f" and {len(modules) - 3} more" if len(modules) > 3 else ""
        return f"{', '.join(modules[:3])}{more} changed"
    return " and ".join(names) + " changed"


def reach(trees: list[ast.AST]) -> tuple[dict[str, Path], frozenset[str]]:
    """Follow the imports of some code: the modules of the package that it reaches, and the other packages they import."""
    root = package_root()
    found, outside = {}, set()
    waiting = [name for tree in trees for name in imports(tree, "")]
    while waiting:
        name = waiting.pop()
        top = name.partition(".")[0]
        if top != PACKAGE:
            outside.add(top)
            continue
        path = module_file(root, name)
        if path is None or name in found:
            continue
        found[name] = path
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        waiting += [name.rpartition(".")[0] or PACKAGE, *imports(ast.parse(path.read_text("utf-8")), package)]
    return found, frozenset(outside - sys.stdlib_module_names)


def imports(tree: ast.AST, package: str) -> list[str]:
    """List the modules that code imports; `package` is where its relative imports start."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            names += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return names


@functools.cache
def package_root() -> Path:
    return Path(util.find_spec(PACKAGE).submodule_search_locations[0])


def module_file(root: Path, name: str) -> Path | None:
    """Return the file of a module of the package, or None where the name is no module (a function, say)."""
    path = root.joinpath(*name.split(".")[1:])
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)


def claims_named(chapter: Chapter) -> dict:
    from dtwin import claims

    text = "\n".join(chapter.code)
    return {id: repr(claim) for id, claim in claims.registry().items() if re.search(rf"""["']{id}["']""", text)}


def versions(modules: frozenset[str]) -> dict[str, str]:
    """Return the version of each distribution behind these modules and of all that they require."""
    provided = provided_by()
    waiting = [name for module in modules for name in provided.get(module, ())]
    found = {}
    while waiting:
        name = waiting.pop().lower()
        if name in found:
            continue
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # a requirement for another platform
            continue
        found[name] = distribution.version
        required = (Requirement(line) for line in distribution.requires or ())
        waiting += [r.name for r in required if r.marker is None or r.marker.evaluate({"extra": ""})]
    return dict(sorted(found.items()))


@functools.cache
def provided_by() -> dict[str, list[str]]:
    return dict(metadata.packages_distributions())


def data() -> dict[str, list]:
    """Return what the data variables say and, where one names a folder or a file, the size and date of each file there."""
    chosen = {name: value for name, value in sorted(os.environ.items()) if name.startswith("DTWIN_")}
    here = Path("chapters")  # where a chapter runs
    return {name: [value, digest(listing(here / Path(value).expanduser()))] for name, value in chosen.items()}


def listing(path: Path) -> list[tuple[str, int, int]]:
    files = sorted(file for file in [path, *path.rglob("*")] if file.is_file())
    return [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]


def device() -> str:
    """Name the processor that chapters run on: the first NVIDIA GPU where there is one, else the CPU."""
    for card in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        model = re.search(r"^Model:\s*(.+)$", card.read_text(), re.MULTILINE)
        return model[1].strip() if model else "GPU"
    return f"CPU ({platform.machine()})"
