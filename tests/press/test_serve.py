"""Writing with `make serve`: an edited paragraph shows without running anything, and only an edited chapter runs again."""

import signal
import socket
import threading
import time
import urllib.request
from types import SimpleNamespace

import pytest
from press import serve

PATIENCE = 120  # seconds after which an edit that does not show has failed


class Served:
    """A project that is being served, and what the server said so far."""

    def __init__(self, project, port):
        self.project, self.address, self.lines = project, f"http://127.0.0.1:{port}/", []
        config = project.root / "mkdocs.yml"
        config.write_text(f"{config.read_text()}\ndev_addr: 127.0.0.1:{port}\n")
        self.process = project.start("serve")
        threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True).start()

    def waits_for(self, event):
        end = time.monotonic() + PATIENCE
        while not event() and time.monotonic() < end and self.process.poll() is None:
            time.sleep(0.1)
        return event()

    def shows(self, page, text):
        """Wait until a page shows a text."""

        def read():
            try:
                return text in urllib.request.urlopen(self.address + page, timeout=10).read().decode()
            except OSError:  # not up yet, or busy with a build
                return False

        return self.waits_for(read)

    def says(self, text):
        """Wait until the server says something."""
        return self.waits_for(lambda: any(text in line for line in self.lines))

    def ran(self):
        return [line.split(":")[0] for line in self.lines if ": running " in line]


@pytest.fixture
def served(project):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    project.chapter("01_first", "print(6 * 7, 'cows')", "# %% [markdown]\n# A cow, of type MLP. See [the ledger](../ledger.md).")
    project.chapter("02_second", "print(6 * 8, 'pigs')")
    served = Served(project, port)
    yield served
    served.process.send_signal(signal.SIGINT)
    served.process.wait(30)
    served.process.stdout.close()


def test_prose_shows_without_a_run_and_code_runs_its_chapter_alone(served):
    assert served.shows("chapters/01_first/", "42 cows") and served.shows("chapters/02_second/", "48 pigs"), served.lines
    assert sorted(served.ran()) == ["01_first", "02_second"]

    served.project.chapter("01_first", "print(6 * 7, 'cows')", "# %% [markdown]\n# A horse, of type MLP.")
    assert served.shows("chapters/01_first/", "A horse"), served.lines
    assert len(served.ran()) == 2

    served.project.chapter("02_second", "print(6 * 9, 'pigs')")
    assert served.shows("chapters/02_second/", "54 pigs"), served.lines
    assert served.ran()[2:] == ["02_second"]

    glossary = served.project.root / "docs/glossary.md"
    glossary.write_text(glossary.read_text().replace("Multilayer perceptron:", "Many layers:"))
    assert served.shows("chapters/01_first/", "Many layers:"), served.lines
    assert len(served.ran()) == 3

    served.project.chapter("02_second", "raise ValueError('no cow')")
    assert served.says("02_second.py, cell 2, line 5: ValueError: no cow"), served.lines
    served.project.chapter("02_second", "print(6 * 10, 'pigs')")
    assert served.shows("chapters/02_second/", "60 pigs"), served.lines


def test_what_a_failed_build_did_not_write_is_written_by_the_next():
    def marked(digest):
        ledger = SimpleNamespace(src_uri="ledger.md", is_modified=lambda: False)
        memory.renew([ledger], {"ledger.md": digest})
        return ledger.is_modified()

    memory = serve.Memory()
    assert marked("claims")
    memory.keep()
    assert not marked("claims")
    assert marked("other claims") and marked("other claims")  # the first of these builds failed
    memory.keep()
    assert not marked("other claims")
