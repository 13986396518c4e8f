"""Building the site beside the one that stands, and putting it in its place only when it is whole."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from . import key
from .files import digest, write

INPUTS = ("mkdocs.yml", "docs", "chapters", "dtwin", "tests/unit", "pyproject.toml")
LEFT_OUT = {"node_modules", "__pycache__"}


def build(root: Path) -> int:
    """Build the site with mkdocs, strictly; return its exit status. Does nothing where nothing changed."""
    site, fresh, old, mark = root / "site", root / ".cache/site.new", root / ".cache/site.old", root / ".cache/site.key"
    if old.exists() and not site.exists():  # an interrupt fell between the two moves below
        old.rename(site)
    now = inputs(root)
    if site.is_dir() and mark.is_file() and mark.read_text() == now:
        print("The site is up to date: site/index.html")
        return 0
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        status = mkdocs("build", "--strict", "--site-dir", str(fresh), cwd=root)
    except KeyboardInterrupt:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    if status:
        print("The build failed; the site that stood before is untouched.", file=sys.stderr)
        shutil.rmtree(fresh, ignore_errors=True)
        return status
    shutil.rmtree(old, ignore_errors=True)
    if site.exists():
        site.rename(old)
    fresh.rename(site)
    shutil.rmtree(old, ignore_errors=True)
    write(mark, now)
    print("The site is built: site/index.html")
    return 0


def mkdocs(*arguments: str, cwd: Path) -> int:
    """Run mkdocs; an interrupt is handed on to it and waited for, so that it stops the kernels that it started."""
    process = subprocess.Popen([sys.executable, "-m", "mkdocs", *arguments], cwd=cwd)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise


def inputs(root: Path) -> str:
    """Return one digest of everything that the site is made from."""
    packages = key.versions(frozenset(key.provided_by()))
    address = os.environ.get("SITE_URL")
    return digest([[sources(root / name) for name in INPUTS], packages, key.data(), address, key.device(), sys.version])


def sources(path: Path) -> dict[str, str]:
    """Return the digest of a file, or of every file in a folder, by name."""
    return {
        str(file.relative_to(path)): digest(file.read_bytes())
        for file in sorted([path, *path.rglob("*")])
        if file.is_file() and not LEFT_OUT & set(file.parts)
    }
