"""The kit: site, notebooks and wheels in one archive, for machines without a network."""

import hashlib
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from html import unescape
from importlib import metadata
from pathlib import Path

from .files import writing

PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
PLATFORM = f"{sysconfig.get_platform()}-{PYTHON}"
PACKED = {".whl", ".webp", ".woff2"}  # compressed already
DAY = (1980, 1, 1, 0, 0, 0)  # the first that the format knows: an archive of the same files is the same archive
README = f"""\
{{title}}

The course, for a machine without a network. Run these commands in the folder of this file.

Is everything here, and whole? (On a Mac: shasum -a 256 --quiet -c SHA256SUMS)

    sha256sum --quiet -c SHA256SUMS

Read the site at http://127.0.0.1:8000/ (opened without this server, its links, its search and its moving figures fail):

    python3 -m http.server --bind 127.0.0.1 --directory site 8000

Install the course, for {PLATFORM}, and open the notebooks in JupyterLab:

    {PYTHON} -m venv .venv
    .venv/bin/pip install --no-index --find-links wheels dtwin jupyterlab
    .venv/bin/jupyter lab chapters

A chapter stands in chapters/ as an executed notebook, as a student notebook without the solutions, and as a script.
Its pictures are rendered on the spot or lie in the wheels: nothing is fetched.
"""


class KitError(Exception):
    """What keeps a kit from being packed."""


def pack(root: Path) -> Path:
    """Pack the kit into dist/, whole or not at all, and return its path.

    Raises:
        KitError: the site has not been built, or a wheel cannot be had.
    """
    site = root / "site"
    if not (site / "index.html").is_file():
        raise KitError("site/index.html: not there; a kit is packed from the built site: make site")
    with tempfile.TemporaryDirectory() as scratch:
        gather_wheels(root, Path(scratch))
        title = unescape(re.search("<title>(.*?)</title>", site.joinpath("index.html").read_text("utf-8"))[1])
        parts = {
            "README.txt": README.format(title=title).encode(),
            "LICENSE": root / "LICENSE",
            **{f"site/{file.relative_to(site).as_posix()}": file for file in site.rglob("*") if file.is_file()},
            **{f"chapters/{file.name}": file for kind in ("ipynb", "py") for file in site.glob(f"chapters/*/*.{kind}")},
            **{f"wheels/{file.name}": file for file in Path(scratch).iterdir()},
        }
        version = next(name.split("-")[1] for name in os.listdir(scratch) if name.startswith("dtwin-"))
        path = root / f"dist/dtwin-kit-{version}-{PLATFORM}.zip"
        with writing(path) as file:
            archive(file, path.stem, parts)
    return path


def gather_wheels(root: Path, folder: Path) -> None:
    """Have pip put the wheels of the course and of JupyterLab into a folder, in the versions that run here."""
    here = sorted(f"{d.name}=={d.version}\n" for d in metadata.distributions() if d.name != "dtwin")
    installed = folder / "installed.txt"  # constraints.txt does not know of builds such as PyTorch's for the CPU alone
    installed.write_text("".join(here))
    pip = [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--wheel-dir", str(folder)]
    asked = ["-c", "constraints.txt", "-c", str(installed), ".", "jupyterlab"]
    process = subprocess.run([*pip, *asked], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if process.returncode:
        said = process.stdout[max(process.stdout.find("ERROR"), 0):].strip()
        raise KitError(f"a wheel cannot be had; pip said:\n{said}")
    installed.unlink()


def archive(file, folder: str, parts: dict[str, Path | bytes]) -> None:
    """Write a zip archive: the parts by name, in a folder, and the checksums of all."""
    sums = ""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, part in sorted(parts.items()):
            content = part if isinstance(part, bytes) else part.read_bytes()
            sums += f"{hashlib.sha256(content).hexdigest()}  {name}\n"
            pack.writestr(entry(f"{folder}/{name}"), content)
        pack.writestr(entry(f"{folder}/SHA256SUMS"), sums)


def entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, DAY)
    info.compress_type = zipfile.ZIP_STORED if Path(name).suffix in PACKED else zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info
