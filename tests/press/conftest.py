"""What the tests of the press share: tiny chapters, and a copy of the whole project to build in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from press import chapter

ROOT = Path(__file__).parents[2]
WEB = "docs/hooks/press/web"
SITE = """
INHERIT: base.yml
nav:
  - Home: index.md
  - Chapters: chapters/
  - Exercises: exercises.md
  - Ledger: ledger.md
  - Full scale: results.md
  - Glossary: glossary.md
"""


def percent(*cells, title="A tiny chapter"):
    """Write a chapter: a title and code cells; a cell that begins with '# %%' stands as it is."""
    cells = (cell if cell.startswith("# %%") else f"# %%\n{cell}" for cell in cells)
    return "\n\n".join([f"# %% [markdown]\n# # {title}", *cells]) + "\n"


@pytest.fixture
def write(tmp_path):
    """Write a chapter into a folder of its own and read it."""

    def write(*cells, name="01_tiny"):
        path = tmp_path / f"{name}.py"
        path.write_text(percent(*cells), "utf-8")
        return chapter.read(path)

    return write


class Project:
    """A copy of the project with chapters of its own."""

    def __init__(self, root):
        self.root = root

    def chapter(self, name, *cells):
        self.root.joinpath(f"chapters/{name}.py").write_text(percent(*cells), "utf-8")

    def start(self, step="build", first="", **options):
        """Start the press, after some Python of the test's own in its process."""
        # a shell lets what it starts in the background ignore interrupts
        before = f"import os, resource, signal, sys\nsignal.signal(signal.SIGINT, signal.SIG_DFL)\n{first}\n"
        command = [sys.executable, "-c", before + "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])", "-m", "press", step]
        env = {**os.environ, "PYTHONPATH": "docs/hooks"}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(command, cwd=self.root, env=env, **pipes, **options)

    def press(self, step="build", **options):
        """Run the press; return its exit status and all that it said."""
        process = self.start(step, **options)
        said, _ = process.communicate()
        return process.returncode, said

    def files(self, *folders):
        """Return the bytes of every file under some folders, hidden ones included."""
        return {
            str(file.relative_to(self.root)): file.read_bytes()
            for folder in folders
            for file in sorted(self.root.joinpath(folder).rglob("*"))
            if file.is_file()
        }


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """Make the copy. Of the pages beside the chapters it keeps those of which the press writes a part."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "docs", root / "docs", ignore=shutil.ignore_patterns("node_modules", "__pycache__", "api"))
    root.joinpath(f"{WEB}/node_modules").symlink_to(ROOT / WEB / "node_modules")
    for page in root.glob("docs/*.md"):
        if page.name not in ("ledger.md", "glossary.md"):
            page.unlink()
    root.joinpath("docs/index.md").write_text("# Home\n")
    root.joinpath("docs/exercises.md").write_text("# Exercises\n\n<!-- the exercises -->\n")
    root.joinpath("docs/results.md").write_text("# Full scale\n\n<!-- the runs -->\n")
    shutil.copy(ROOT / "mkdocs.yml", root / "base.yml")
    root.joinpath("mkdocs.yml").write_text(SITE)
    shutil.copy(ROOT / "pyproject.toml", root)
    shutil.copytree(ROOT / "dtwin", root / "dtwin", ignore=shutil.ignore_patterns("__pycache__"))
    root.joinpath("chapters").mkdir()
    return Project(root)
