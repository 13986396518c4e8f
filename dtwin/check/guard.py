"""Limits for a call of which nothing is known: of its time, its memory and its output."""

import contextlib
import inspect
import io
import signal
import threading
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None

SHOWN = 120  # characters of what an attempt prints, or of the message of its exception
MEMORY = 4 * 2 ** 30  # bytes that an attempt may take; the cases are small
STATUS = Path("/proc/self/statm")  # of Linux: the first number is the pages of memory that are taken


class TimeUp(BaseException):
    """Raised in an attempt that runs for too long; no `except Exception` of its own stops it."""


def limited(call, seconds):
    """Call a function, and stop it with an alarm, between two steps of Python. Without alarms it runs on.

    There are none on Windows and in other threads than the first.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        return call()
    here = inspect.currentframe()

    def ring(_, frame):
        if frame is not here:  # the call has ended already, or not begun
            raise TimeUp

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, 0.001)  # again and again, for a bare `except:` swallows one
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def little_memory():
    """Let no more than `MEMORY` be asked for, so that numpy and Python raise a MemoryError: on Linux."""
    if not STATUS.exists():
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(STATUS.read_text().split()[0]) * resource.getpagesize()
    limits = [limit for limit in (soft, hard, taken + MEMORY) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class Output(io.TextIOBase):
    """A stream that keeps the beginning of what is written to it, and counts the rest."""

    def __init__(self):
        self.kept, self.length = "", 0

    def write(self, text):
        self.kept += text[:SHOWN - len(self.kept)]
        self.length += len(text)
        return len(text)

    def __str__(self):
        more = self.length - len(self.kept)
        return self.kept.rstrip() + (f" … and {more:,} characters more" if more else "")
