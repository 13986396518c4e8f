"""Chapters run in kernels of their own, only when they must; whatever goes wrong is named and nothing finished is lost."""

import errno
import os
import platform
import shutil
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from press import chapter, run
from press.chapter import ChapterError

LEAVE_PIDS = """\
import os, subprocess, time
child = subprocess.Popen(["sleep", "600"])
with open("pids.new", "w") as file:
    print(os.getpid(), child.pid, file=file)
os.rename("pids.new", "pids")
time.sleep(600)"""


def meet(me, other):
    """Write a cell that ends only when the other chapter is running too."""
    return f"""\
import pathlib, time
pathlib.Path("{me}").touch()
deadline = time.monotonic() + 100
while not pathlib.Path("{other}").exists():
    assert time.monotonic() < deadline, "the other chapter never ran beside this one"
    time.sleep(0.05)"""


def alive(pid):
    """Say whether a process runs; one that has ended and waits for its parent to notice does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def gone(pids):
    """Wait until none of these processes runs: a killed one takes a moment."""
    deadline = time.monotonic() + 20
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(alive, pids))


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two chapters that each wait for the other, run once."""
    folder = tmp_path_factory.mktemp("pair")
    for name, other in (("01_one", "02_two"), ("02_two", "01_one")):
        text = f"# %% [markdown]\n# # {name}\n\n# %%\nprint('{name}')\n\n# %%\n{meet(name, other)}\n"
        folder.joinpath(f"{name}.py").write_text(text)
    run.run_all(chapter.find(folder), folder / "cache", jobs=2, limit=120)
    return folder


@pytest.fixture
def ran(pair, tmp_path):
    """A copy of the two chapters with their runs in the cache, where files may be edited."""
    shutil.copytree(pair, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def started(monkeypatch):
    """List the chapters that are run, without running them."""
    names = []

    def execute(self, cores):
        names.append(self.chapter.slug)
        metadata = {"press": {"parts": self.parts}}
        return nbformat.v4.new_notebook(metadata=metadata)

    monkeypatch.setattr(run.Run, "execute", execute)
    return names


def again(folder):
    return run.run_all(chapter.find(folder), folder / "cache")


def test_chapters_run_beside_each_other_and_are_kept(pair):
    kept = [run.load(pair / f"cache/{name}.ipynb") for name in ("01_one", "02_two")]
    assert [notebook.cells[0].outputs[0].text for notebook in kept] == ["01_one\n", "02_two\n"]
    assert {file.name for file in pair.joinpath("cache").iterdir()} == {"01_one.ipynb", "02_two.ipynb"}


def test_the_stamp_says_what_a_run_cost(pair):
    stamp = run.load(pair / "cache/01_one.ipynb").metadata.press
    assert stamp.seconds > 0 and stamp.memory > 10e6 and stamp.parts.versions.python and stamp.date.endswith("UTC")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep what is freed, or cannot be told")
def test_a_kernel_keeps_the_memory_that_it_frees(write, tmp_path):
    tiny = write("import resource\nimport numpy as np", """\
def faults(times):
    for _ in range(times):
        x = np.ones(10**6)
        y = x + 1
        del x, y
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt""", "print(faults(3), faults(50))")
    runs = run.run_all([tiny], tmp_path / "cache")
    before, after = map(int, runs["01_tiny"].cells[-1].outputs[0].text.split())
    assert after - before < 2000  # 100 arrays of 2000 pages each


@pytest.mark.parametrize("jobs, chapters, shared", [(1, 2, 4), (2, 2, 2), (None, 1, 4), (None, 3, 1), (8, 2, 2)])
def test_chapters_that_run_at_once_share_the_cores(write, tmp_path, monkeypatch, jobs, chapters, shared):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    for n in range(1, chapters + 1):
        write("import os", "print(os.environ['LOKY_MAX_CPU_COUNT'])", name=f"0{n}_tiny")
    runs = run.run_all(chapter.find(tmp_path), tmp_path / "cache", jobs)
    assert [kept.cells[-1].outputs[0].text for kept in runs.values()] == [f"{shared}\n"] * chapters


@pytest.mark.skipif(not Path("/dev/shm").exists(), reason="semaphores are files here on Linux alone")
def test_workers_of_a_chapter_are_weighed_and_leave_with_their_semaphores(write, tmp_path):
    tiny = write("import os\nimport loky", """\
def work(_):
    global kept
    kept = b"x" * 300_000_000
    return os.getpid()""", "print(os.getpid(), *loky.get_reusable_executor(2).map(work, range(2)))")
    kept = run.run_all([tiny], tmp_path / "cache")["01_tiny"]
    kernel, *workers = map(int, kept.cells[-1].outputs[0].text.split())
    assert kernel not in workers and gone(workers) and kept.metadata.press.memory > 300e6
    assert not list(Path("/dev/shm").glob(f"sem.loky-{kernel}-*"))


def test_nothing_runs_where_nothing_changed(ran, started, capsys):
    assert again(ran).keys() == {"01_one", "02_two"}
    assert started == [] and capsys.readouterr().out == ""


def test_only_the_edited_chapter_runs(ran, started):
    for name, before, after in (("01_one", "# # 01_one", "# # Prose"), ("02_two", "print('02_two')", "print('edited')")):
        path = ran / f"{name}.py"
        path.write_text(path.read_text().replace(before, after))
    again(ran)
    assert started == ["02_two"]
    again(ran)
    assert started == ["02_two"]


@pytest.mark.parametrize("damage", [lambda text: text[: len(text) // 2], lambda text: "", lambda text: "{}", lambda text: "[]"],
                         ids=["cut short", "empty", "no notebook", "no mapping"])
def test_a_damaged_run_is_run_again(ran, started, damage):
    path = ran / "cache/01_one.ipynb"
    path.write_text(damage(path.read_text()))
    again(ran)
    assert started == ["01_one"]


def test_a_failing_cell_is_named_and_the_other_chapter_is_kept(write, tmp_path, capsys):
    write("x = 1\n\n\ndef f():\n    raise ValueError('no cow')", "# %% tags=['a']\ny = 2\n\nf()", "z = 3", name="01_wrong")
    write("print('fine')", name="02_right")
    with pytest.raises(ChapterError, match=r"^01_wrong.py, cell 3, line 14: ValueError: no cow$"):
        run.run_all(chapter.find(tmp_path), tmp_path / "cache", jobs=1)
    assert [file.name for file in tmp_path.joinpath("cache").iterdir()] == ["02_right.ipynb"]
    said = capsys.readouterr().out
    for line in ("01_wrong: running 3 cells (never run)", "01_wrong: failed after", "02_right: done after"):
        assert line in said


@pytest.mark.parametrize("code, message", {
    "stderr": ("x = 1\nimport sys\nprint('careful', file=sys.stderr)", "cell 3, .*: wrote to stderr, .*: careful$"),
    "a warning": ("import warnings\nwarnings.warn('careful')", "cell 3, .*: wrote to stderr, .*careful"),
    "a dead kernel": ("import os\nos._exit(1)", "cell 3, line 7: the kernel died"),
    "a wish for input": ("input('name?')", "cell 3, line 8: StdinNotImplementedError"),
    "an exit": ("raise SystemExit(3)", "cell 3, .*: SystemExit: 3"),
}.values(), ids=["stderr", "warning", "dead", "input", "exit"])
def test_what_a_chapter_may_not_do_is_named(write, tmp_path, code, message):
    tiny = write("print('fine')", code)
    with pytest.raises(ChapterError, match=f"01_tiny.py, {message}"):
        run.run_all([tiny], tmp_path / "cache")
    assert not tmp_path.joinpath("cache").exists()


def test_past_its_limit_a_chapter_is_killed_with_all_it_started(write, tmp_path, monkeypatch):
    tiny, pids = write(LEAVE_PIDS), tmp_path / "pids"
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 1000 * pids.exists())
    monkeypatch.setattr(run, "time", clock)
    with pytest.raises(ChapterError, match="01_tiny.py, cell 2, line 4: stopped: it ran past its limit of 600 s"):
        run.run_all([tiny], tmp_path / "cache")
    assert gone(pids.read_text().split())


def test_a_kernel_stopped_before_it_is_ready_is_named_too(write, tmp_path):
    with pytest.raises(ChapterError, match="01_tiny.py.*: stopped: it ran past its limit of 0 s"):
        run.run_all([write(LEAVE_PIDS)], tmp_path / "cache", limit=0)
    assert not tmp_path.joinpath("pids").exists()


def test_a_stop_that_comes_before_the_kernel_is_not_forgotten(write, monkeypatch):
    tiny = run.Run(write(LEAVE_PIDS), {}, limit=600)
    create = run.NotebookClient.create_kernel_manager

    def stopping(client):
        tiny.stop("stopped: the build was interrupted")
        return create(client)

    monkeypatch.setattr(run.NotebookClient, "create_kernel_manager", stopping)
    with pytest.raises(ChapterError, match="01_tiny.py.*: stopped: the build was interrupted"):
        tiny.execute(1)


def test_a_kernel_that_does_not_answer_is_named(write, monkeypatch):
    def silent(client, *_, **__):
        raise TimeoutError("timed out")

    monkeypatch.setattr(run.NotebookClient, "execute_cell", silent)
    with pytest.raises(ChapterError, match="01_tiny.py, cell 2, .*: the kernel does not answer: timed out"):
        run.Run(write("print(1)"), {}, limit=600).execute(1)


def test_without_git_a_run_has_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert run.commit() == ""


def test_a_full_disk_leaves_the_old_run(ran, started, monkeypatch):
    path = ran / "01_one.py"
    path.write_text(path.read_text().replace("print(", "print(1, "))
    before = {file: file.read_bytes() for file in ran.joinpath("cache").iterdir()}

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("press.files.os.fsync", full)
    with pytest.raises(ChapterError, match="01_one.*No space left on device"):
        again(ran)
    assert {file: file.read_bytes() for file in ran.joinpath("cache").iterdir()} == before
