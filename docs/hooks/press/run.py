"""Running chapters: each in a kernel of its own, several at once, each only when something it depends on changed."""

import concurrent.futures
import contextlib
import datetime
import json
import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbclient.util import run_sync
from nbformat import NotebookNode

from . import key
from .board import Board
from .chapter import Chapter, ChapterError
from .files import digest, write

LIMIT = 600  # seconds after which a chapter is stopped
ANSI = re.compile(r"\x1b\[[0-9;]*m")
COST = (
    "__import__('json').dumps({'memory': max(__import__('resource').getrusage(who).ru_maxrss for who in (0, -1))"
    " * (1 if __import__('sys').platform == 'darwin' else 1024)"
    " + sum(worker.memory_info().rss for worker in __import__('psutil').Process().children(True))})"
)


@dataclass
class Run:
    """A chapter on its way through its kernel."""

    chapter: Chapter
    parts: dict
    limit: float
    client: NotebookClient | None = None
    started: float | None = None
    done: int = 0
    stopped: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def execute(self, cores: int) -> NotebookNode:
        """Execute the code cells, whose trials share some cores, and return the notebook with the stamp of this run."""
        with self.lock:
            if self.stopped:
                raise ChapterError(f"{self.chapter.path.name}: {self.stopped}")
            self.started = time.monotonic()
        cells = [nbformat.v4.new_code_cell(source) for source in self.chapter.code]
        notebook = nbformat.v4.new_notebook(cells=cells)
        numbers = [n for n, cell in enumerate(self.chapter.notebook.cells) if cell.cell_type == "code"]
        self.client = NotebookClient(
            notebook,
            timeout=None,
            kernel_name="python3",
            shutdown_kernel="graceful",  # killed, it could not end its workers, nor return their semaphores
            coalesce_streams=True,
            extra_arguments=["--IPKernelApp.log_level=40"],  # errors only: it warns about TCP on every start
            resources={"metadata": {"path": str(self.chapter.path.parent)}},
            on_cell_start=lambda cell, cell_index: setattr(self, "done", cell_index),
        )
        try:
            with self.client.setup_kernel(env=environment(cores)):
                if self.stopped:  # while there was no process yet to kill
                    raise DeadKernelError(self.stopped)
                for index, cell in enumerate(cells):
                    self.done = index
                    self.client.execute_cell(cell, index)
                    refuse_stderr(cell, self.chapter.place(numbers[index]))
                seconds, memory = time.monotonic() - self.started, self.memory()
        except CellExecutionError as error:
            line = re.findall(r"Cell In\[\d+\], line (\d+)", ANSI.sub("", error.traceback))
            place = self.chapter.place(numbers[self.done], int(line[0]) if line else 0)
            raise ChapterError(f"{place}: {error.ename}: {error.evalue}") from None
        except (RuntimeError, TimeoutError) as error:
            place = self.chapter.place(numbers[self.done])
            died = isinstance(error, DeadKernelError)
            reason = "the kernel died (out of memory?)" if died else f"the kernel does not answer: {error}"
            raise ChapterError(f"{place}: {self.stopped or reason}") from None
        notebook.metadata["press"] = stamp(self.parts, seconds, memory)
        return notebook

    def memory(self) -> int:
        """Ask the kernel for the most memory it has held, in bytes, and what its workers hold."""
        ask = run_sync(self.client.kc.execute_interactive)
        reply = ask("", user_expressions={"cost": COST}, silent=True, store_history=False, timeout=60)
        text = reply["content"]["user_expressions"]["cost"]["data"]["text/plain"]
        return json.loads(text.strip("'"))["memory"]

    def stop(self, why: str) -> None:
        """Kill the kernel with all that it started, and keep one that has not started from starting."""
        with self.lock:
            self.stopped = self.stopped or why
        process = getattr(getattr(getattr(self.client, "km", None), "provisioner", None), "process", None)
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # a kernel leads a session of its own

    @property
    def overdue(self) -> bool:
        return self.started is not None and time.monotonic() - self.started > self.limit


def environment(cores: int) -> dict[str, str]:
    """Return the environment of a kernel: no progress bars, one thread, and the cores that its trials may share.

    The matrices of the chapters are small: with two threads, which wait for each other, a chapter is no faster. Memory
    that is freed stays with the kernel, where the C library is glibc: a training step asks for the same arrays again,
    and to have each page cleared anew takes a sixth of its time.
    """
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    memory = {"MALLOC_MMAP_THRESHOLD_": str(1 << 25), "MALLOC_TRIM_THRESHOLD_": str(1 << 28)}  # bytes
    trials = {"LOKY_MAX_CPU_COUNT": str(cores)}  # dtwin.parallel asks for it
    return {**os.environ, **threads, **memory, **trials, "TQDM_DISABLE": "1", "PYTHONHASHSEED": "0"}


def refuse_stderr(cell: NotebookNode, place: str) -> None:
    for output in cell.outputs:
        if output.get("name") == "stderr":
            raise ChapterError(f"{place}: wrote to stderr, which no page shows: {output.text.strip()}")


def stamp(parts: dict, seconds: float, memory: int) -> dict:
    """Say where a run comes from and what it cost."""
    return {
        "parts": parts,
        "seconds": round(seconds, 1),
        "memory": memory,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
    }


def commit() -> str:
    """Return the commit that stands checked out, with `+` where files differ from it; empty where there is none."""
    try:
        git = subprocess.run(["git", "describe", "--always", "--dirty=+", "--exclude=*"], capture_output=True, text=True)
    except OSError:  # no git
        return ""
    return git.stdout.strip()


def run_all(chapters: list[Chapter], cache: Path, jobs: int | None = None, limit: float = LIMIT) -> dict[str, NotebookNode]:
    """Return the executed notebook of each chapter by slug, running those whose key changed.

    A chapter that fails does not keep the others from finishing: what has run is kept, and the next call resumes.

    Raises:
        ChapterError: one line for each chapter that failed, with chapter, cell, line and error.
    """
    done, runs, reasons = {}, [], []
    for chapter in chapters:
        now, kept = key.parts(chapter), load(cache / f"{chapter.slug}.ipynb")
        before = kept.metadata.press.parts if kept else None
        if kept and digest(before) == digest(now):
            done[chapter.slug] = kept
        else:
            runs.append(Run(chapter, now, limit))
            reasons.append(key.changes(before, now))
    if not runs:
        return done
    at_once = min(jobs or os.cpu_count(), len(runs))
    cores = max(1, os.cpu_count() // at_once)
    errors = []
    with Board(runs, reasons) as board:
        pool = concurrent.futures.ThreadPoolExecutor(at_once)
        try:
            waiting = {pool.submit(run.execute, cores): run for run in runs}
            while waiting:
                ready, _ = concurrent.futures.wait(waiting, 0.1, concurrent.futures.FIRST_COMPLETED)
                for future in ready:
                    run = waiting.pop(future)
                    try:
                        done[run.chapter.slug] = future.result()
                        write(cache / f"{run.chapter.slug}.ipynb", nbformat.writes(done[run.chapter.slug]))
                        board.finish(run, "done")
                    except (ChapterError, OSError) as error:
                        errors.append(f"{run.chapter.path.name}: {error}" if isinstance(error, OSError) else str(error))
                        board.finish(run, "failed")
                for run in waiting.values():
                    if run.overdue:
                        run.stop(f"stopped: it ran past its limit of {run.limit:.0f} s")
                board.show(waiting.values())
        finally:
            for run in runs:
                run.stop("stopped: the build was interrupted")
            pool.shutdown()
    if errors:
        raise ChapterError("\n".join(errors))
    return done


def load(path: Path) -> NotebookNode | None:
    """Return a run that is kept, or None where there is none that can be read."""
    try:
        notebook = nbformat.read(path, as_version=4)
        return notebook if "parts" in notebook.metadata.press else None
    except (OSError, ValueError, AttributeError, nbformat.ValidationError):
        return None
