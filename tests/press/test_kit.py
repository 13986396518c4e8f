"""The kit of a made-up course: what is in it, that its own commands work without a network, and what keeps it from being packed."""

import os
import re
import subprocess
import sys
import zipfile
from importlib import metadata

import pytest
from press import kit

BACKEND = """
import zipfile

def build_wheel(folder, *_):
    return wheel(folder, "dtwin", "0.1.0", "numpy")

def wheel(folder, name, version, *needs):
    info, file = f"{name}-{version}.dist-info", f"{name}-{version}-py3-none-any.whl"
    required = "".join(f"Requires-Dist: {need}\\n" for need in needs)
    with zipfile.ZipFile(f"{folder}/{file}", "w") as pack:
        for path, text in {
            f"{name}.py": "",
            f"{info}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n{required}",
            f"{info}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
            f"{info}/RECORD": "",
        }.items():
            pack.writestr(zipfile.ZipInfo(path), text)
    return file
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "dtwin"
version = "0.1.0"
dependencies = ["numpy"]
"""
FILES = {
    "backend.py": BACKEND,
    "pyproject.toml": PROJECT,
    "constraints.txt": "jupyterlab==4.0\n",
    "LICENSE": "MIT",
    "site/index.html": "<title>Cows &amp; more</title>",
    "site/assets/cow.webp": "a picture",
    "site/chapters/01_cows/index.html": "a page",
    "site/chapters/01_cows/01_cows.ipynb": "solved",
    "site/chapters/01_cows/01_cows_student.ipynb": "unsolved",
    "site/chapters/01_cows/01_cows.py": "a script",
}
NUMPY = f"numpy-{metadata.version('numpy')}-py3-none-any.whl"
WHEELS = {"dtwin-0.1.0-py3-none-any.whl", "jupyterlab-4.0-py3-none-any.whl", NUMPY}
ASK = "from importlib.metadata import version; import dtwin, jupyterlab, numpy; print(*map(version, ('dtwin', 'jupyterlab', 'numpy')))"


@pytest.fixture(scope="module", autouse=True)
def no_index(tmp_path_factory):
    """Let pip reach no index, only stub wheels, those of a wrong version among them."""
    stubs, made = tmp_path_factory.mktemp("stubs"), {}
    exec(BACKEND, made)
    for name, version in ("jupyterlab", "4.0"), ("jupyterlab", "9.0"), ("numpy", metadata.version("numpy")), ("numpy", "9.0"):
        made["wheel"](stubs, name, version)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(stubs), "CONFIG_FILE": "/dev/null"}.items():
            patch.setenv(f"PIP_{name}", value)
        yield


def written(root):
    """Write a small course with its site."""
    for name, text in FILES.items():
        root.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        root.joinpath(name).write_text(text)
    return root


@pytest.fixture
def course(tmp_path):
    return written(tmp_path / "course")


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """Pack the kit and unpack it."""
    folder = tmp_path_factory.mktemp("stick")
    path = kit.pack(written(folder / "course"))
    with zipfile.ZipFile(path) as pack:
        pack.extractall(folder)
    return folder / path.stem


def commands(folder):
    return re.findall("^    (.+)$", folder.joinpath("README.txt").read_text(), re.MULTILINE)


def shell(folder, command):
    """Run a command where no stub wheel is at hand."""
    env = {name: value for name, value in os.environ.items() if name != "PIP_FIND_LINKS"}
    return subprocess.run(command, shell=True, cwd=folder, env=env, capture_output=True, text=True)


def test_a_kit_holds_the_site_the_notebooks_and_the_wheels_in_the_versions_that_run_here(unpacked):
    found = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    chapters = {"chapters/01_cows.ipynb", "chapters/01_cows_student.ipynb", "chapters/01_cows.py"}
    site = {name for name in FILES if name.startswith("site/")}
    assert found == {"README.txt", "LICENSE", "SHA256SUMS", *site, *chapters, *(f"wheels/{name}" for name in WHEELS)}
    assert unpacked.joinpath("chapters/01_cows.ipynb").read_text() == "solved"
    assert unpacked.name == f"dtwin-kit-0.1.0-{kit.PLATFORM}" and f"python3.{sys.version_info[1]}" in unpacked.name
    assert unpacked.joinpath("README.txt").read_text().startswith("Cows & more\n")


def test_its_checksums_cover_every_file_and_find_a_changed_one(unpacked):
    check = commands(unpacked)[0]
    done = shell(unpacked, check)
    assert done.returncode == 0, done.stderr
    summed = {line.split("  ")[1] for line in unpacked.joinpath("SHA256SUMS").read_text().splitlines()}
    files = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert summed == files - {"SHA256SUMS"}
    unpacked.joinpath("site/assets/cow.webp").write_text("a pictura")
    done = shell(unpacked, check)
    unpacked.joinpath("site/assets/cow.webp").write_text("a picture")
    assert done.returncode and "site/assets/cow.webp: FAILED" in done.stdout


def test_its_commands_install_the_course_without_an_index(unpacked):
    _, _, venv, install, lab = commands(unpacked)
    assert lab == ".venv/bin/jupyter lab chapters"
    for command in venv, install, f'.venv/bin/python -c "{ASK}"':
        done = shell(unpacked, command)
        assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0.1.0", "4.0", metadata.version("numpy")]


def test_the_same_course_makes_the_same_archive(course):
    path = kit.pack(course)
    first = path.read_bytes()
    for file in course.rglob("*"):
        file.touch()
    assert kit.pack(course) == path and path.read_bytes() == first


def test_without_a_site_nothing_is_packed(course):
    course.joinpath("site/index.html").unlink()
    with pytest.raises(kit.KitError, match="site/index.html: not there.*make site"):
        kit.pack(course)
    assert not course.joinpath("dist").exists()


def test_a_wheel_that_cannot_be_had_is_named(course):
    course.joinpath("constraints.txt").write_text("jupyterlab==5.0\n")
    with pytest.raises(kit.KitError, match="(?s)a wheel cannot be had; pip said:.*jupyterlab==5.0"):
        kit.pack(course)
    assert not course.joinpath("dist").exists()


def test_what_pip_says_before_it_dies_is_passed_on(course, monkeypatch):
    died = kit.subprocess.CompletedProcess([], 137, stdout="Killed")
    monkeypatch.setattr(kit.subprocess, "run", lambda *_, **__: died)
    with pytest.raises(kit.KitError, match="pip said:\nKilled$"):
        kit.pack(course)


def test_what_fails_half_way_leaves_the_kit_that_stood_before(course, monkeypatch):
    path = kit.pack(course)
    before = path.read_bytes()

    def full(name):
        if name.endswith("01_cows.ipynb"):
            raise OSError("No space left on device")
        return kit.zipfile.ZipInfo(name)

    monkeypatch.setattr(kit, "entry", full)
    with pytest.raises(OSError, match="No space left"):
        kit.pack(course)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]
