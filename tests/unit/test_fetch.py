"""Fetching, against a server on this machine that does everything a server can do wrong."""

import contextlib
import gzip
import hashlib
import os
import random
import subprocess
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from dtwin.data import DataError, FetchError
from dtwin.data import __main__ as command
from dtwin.data import fetch as fetching
from dtwin.data.fetch import fetch
from dtwin.data.sources import FILES, Remote

FILE = gzip.compress(random.Random(0).randbytes(300_000))
HALF = len(FILE) // 2


class Server(ThreadingHTTPServer):
    """Answers a path as `answers` says: a function of the handler and of the byte to begin at."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.asked = {}, []

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        start = self.headers["Range"]
        self.server.asked.append((self.path, start))
        with contextlib.suppress(ConnectionError):  # a reader that has had enough goes away
            self.server.answers[self.path](self, int(start[6:-1]) if start else 0)

    def begin(self, code=200, **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *args):
        pass


def good(handler, start, data=FILE):
    if start:
        handler.begin(206, Content_Length=len(data) - start, Content_Range=f"bytes {start}-{len(data) - 1}/{len(data)}")
    else:
        handler.begin(Content_Length=len(data))
    handler.wfile.write(data[start:])


def whole(data, **headers):
    def answer(handler, start):
        handler.begin(**headers)
        handler.wfile.write(data)

    return answer


def status(code, **headers):
    return lambda handler, start: handler.begin(code, Content_Length=0, **headers)


def halfway(handler, start):
    # the first half, and of the second nothing
    handler.begin(206 if start else 200, Content_Length=len(FILE) - start,
                  **({"Content_Range": f"bytes {start}-{len(FILE) - 1}/{len(FILE)}"} if start else {}))
    if not start:
        handler.wfile.write(FILE[:HALF])


def silence(handler, start):
    handler.begin(Content_Length=len(FILE))
    handler.wfile.write(FILE[:HALF])
    time.sleep(1)


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("DTWIN_DATA", raising=False)
    monkeypatch.delenv("DTWIN_MIRROR", raising=False)
    monkeypatch.setattr(fetching, "PAUSE", 0)
    return tmp_path / "cache" / "dtwin" / "sets"


def remote(server, *paths):
    return Remote("file.gz", len(FILE), hashlib.sha256(FILE).hexdigest(), tuple(map(server.url, paths)))


def left(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_file_is_fetched_once(server, cache):
    server.answers["/good"] = good
    path = fetch(remote(server, "/good"))
    assert path == cache / "file.gz" and path.read_bytes() == FILE
    assert fetch(remote(server, "/good")) == path
    assert server.asked == [("/good", None)] and left(cache) == ["file.gz"]


def test_the_folder_of_the_user_comes_first(server, cache, tmp_path, monkeypatch):
    monkeypatch.setenv("DTWIN_DATA", str(tmp_path))
    (tmp_path / "file.gz").write_bytes(FILE)
    assert fetch(remote(server, "/none")) == tmp_path / "file.gz"
    (tmp_path / "file.gz").write_bytes(FILE[:-1])
    with pytest.raises(DataError, match=f"file.gz has {len(FILE) - 1} bytes, expected {len(FILE)}; put the right"):
        fetch(remote(server, "/none"))
    assert (tmp_path / "file.gz").exists(), "what belongs to the user stays"


def test_an_address_of_the_user_is_tried_first(server, cache, monkeypatch):
    monkeypatch.setenv("DTWIN_MIRROR", server.url("/school/"))
    server.answers["/school/file.gz"] = good
    fetch(remote(server, "/none"))
    assert server.asked == [("/school/file.gz", None)]


@pytest.mark.parametrize("damaged, why", [
    (FILE[:HALF], f"has {HALF} bytes"), (b"", "has 0 bytes"), (FILE[:-1] + bytes([FILE[-1] ^ 1]), "has the SHA-256"),
])
def test_a_damaged_file_in_the_cache_is_fetched_again(server, cache, damaged, why):
    server.answers["/good"] = good
    cache.mkdir(parents=True)
    (cache / "file.gz").write_bytes(damaged)
    with pytest.warns(UserWarning, match=f"file.gz {why}.*fetched again"):
        assert fetch(remote(server, "/good")).read_bytes() == FILE


def test_a_broken_line_is_taken_up_where_it_broke(server, cache):
    server.answers["/breaks"] = lambda handler, start: (good if start else halfway)(handler, start)
    assert fetch(remote(server, "/breaks")).read_bytes() == FILE
    assert server.asked == [("/breaks", None), ("/breaks", f"bytes={HALF}-")]


def test_what_one_home_began_another_completes(server, cache):
    server.answers.update({"/breaks": halfway, "/missing": status(404), "/good": good})
    assert fetch(remote(server, "/breaks", "/missing", "/good")).read_bytes() == FILE
    assert server.asked[-1] == ("/good", f"bytes={HALF}-")


@pytest.mark.parametrize("part", [FILE[:HALF], bytes(HALF), FILE, bytes(len(FILE)), FILE + b"more"],
                         ids=["good", "bad", "all", "all bad", "too much"])
def test_what_a_killed_process_left_is_used_if_it_is_good(server, cache, part):
    server.answers["/good"] = good
    cache.mkdir(parents=True)
    (cache / "file.gz.part").write_bytes(part)
    assert fetch(remote(server, "/good")).read_bytes() == FILE
    assert left(cache) == ["file.gz"]
    assert len(server.asked) == {FILE[:HALF]: 1, bytes(HALF): 2, FILE: 0}.get(part, 1)


def test_a_server_that_cannot_resume_sends_all_again(server, cache):
    server.answers["/whole"] = whole(FILE)
    cache.mkdir(parents=True)
    (cache / "file.gz.part").write_bytes(FILE[:HALF])
    assert fetch(remote(server, "/whole")).read_bytes() == FILE


def test_a_line_that_stays_broken_keeps_what_came_for_the_next_time(server, cache):
    server.answers["/breaks"] = halfway
    with pytest.raises(FetchError, match=rf"stopped after {HALF} of {len(FILE)} bytes\n{HALF} bytes are kept"):
        fetch(remote(server, "/breaks"))
    assert left(cache) == ["file.gz.part"] and len(server.asked) == fetching.ATTEMPTS
    server.answers["/breaks"] = good
    assert fetch(remote(server, "/breaks")).read_bytes() == FILE
    assert server.asked[-1] == ("/breaks", f"bytes={HALF}-") and left(cache) == ["file.gz"]


def test_a_silent_server_counts_as_a_broken_line(server, cache, monkeypatch):
    monkeypatch.setattr(fetching, "TIMEOUT", 0.1)
    server.answers.update({"/silent": silence, "/good": good})
    fetch(remote(server, "/silent", "/good"))
    assert server.asked[-1] == ("/good", f"bytes={HALF}-")


REFUSED = {
    "wrong checksum": (whole(FILE[:-1] + b"x"), "has the SHA-256 .*, expected"),
    "truncated": (whole(FILE[:HALF], Content_Length=HALF), f"sent {HALF} bytes in all, expected {len(FILE)}"),
    "empty": (whole(b"", Content_Length=0), "sent 0 bytes in all"),
    "missing": (status(404), "answered 404 Not Found"),
    "server error": (status(500), "answered 500"),
    "redirect to ftp": (status(302, Location="ftp://127.0.0.1/file.gz"), "redirected to ftp://.*own scheme or https"),
    "redirect to a file": (status(302, Location="file:///etc/passwd"), "answered 302 .*not allowed"),
    "endless redirect": (status(302, Location="/bad"), "answered 302"),
    "announces too much": (whole(FILE, Content_Length=10**12), f"announced {10**12} bytes, expected {len(FILE)}"),
    "sends too much": (whole(FILE + bytes(10**6)), f"sent more than the expected {len(FILE)} bytes"),
    "a web page": (whole(b"<html>", Content_Type="text/html; charset=utf-8"), "answered with a web page"),
    "a web page in disguise": (whole(b"<!DOCTYPE html>"), "begins b'<!DOCTYP', expected a gzip file"),

}


@pytest.mark.parametrize("answer, message", REFUSED.values(), ids=REFUSED)
def test_a_wrong_answer_is_named_and_leaves_nothing(server, cache, answer, message):
    server.answers["/bad"] = answer
    with pytest.raises(FetchError, match=rf"fetch: file.gz could not be fetched\nhttp.*/bad: .*{message}"):
        fetch(remote(server, "/bad"))
    assert left(cache) == []


@pytest.mark.parametrize("answer, message", REFUSED.values(), ids=REFUSED)
def test_after_a_wrong_answer_the_next_home_is_tried(server, cache, answer, message):
    server.answers.update({"/bad": answer, "/good": good})
    assert fetch(remote(server, "/bad", "/good")).read_bytes() == FILE


def test_a_resumed_download_must_begin_where_it_was_asked_to(server, cache):
    server.answers["/bad"] = lambda handler, start: handler.begin(206, Content_Length=0, Content_Range="bytes 0-1/2")
    cache.mkdir(parents=True)
    (cache / "file.gz.part").write_bytes(FILE[:HALF])
    with pytest.raises(FetchError, match=rf"range 'bytes 0-1/2', expected it from byte {HALF}"):
        fetch(remote(server, "/bad"))


def test_nobody_there(server, cache):
    server.server_close()
    with pytest.raises(FetchError, match="/gone: cannot be reached .*refused"):
        fetch(remote(server, "/gone"))
    assert left(cache) == []


def test_https_is_never_left():
    request = urllib.request.Request("https://example.org/file")
    with pytest.raises(fetching._Refused, match="redirected to http://"):
        fetching._Redirect().redirect_request(request, open(os.devnull), 302, "Found", {}, "http://example.org/file")
    request = urllib.request.Request("http://example.org/file")
    assert fetching._Redirect().redirect_request(request, None, 302, "Found", {}, "https://example.org/file")


def test_too_little_room_is_said_before_anything_comes(server, cache, monkeypatch):
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda path: type("usage", (), {"free": 5}))
    with pytest.raises(FetchError, match=f"file.gz needs {len(FILE)} bytes, and .* has 5 left"):
        fetch(remote(server, "/none"))
    assert left(cache) == [] and not server.asked


def program(server, before="", path="/good"):
    file = remote(server, path)
    # without the digits, whose library takes seconds to import
    return [sys.executable, "-c", "import sys, types; sys.modules['dtwin.data.digits'] = types.SimpleNamespace(digits=0)\n"
            f"from dtwin.data.fetch import fetch\nfrom dtwin.data.sources import Remote\n"
            f"{before}\nprint(fetch({file!r}))"]


def test_no_space_is_an_error_that_leaves_nothing(server, cache):
    server.answers["/good"] = good
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({HALF}, {HALF}))"
    done = subprocess.run(program(server, limit), capture_output=True, text=True)
    assert "FetchError: fetch: cannot write" in done.stderr and "File too large" in done.stderr
    assert left(cache) == []


def test_two_processes_fetch_once(server, cache):
    def slowly(handler, start):
        handler.begin(Content_Length=len(FILE))
        handler.wfile.write(FILE[:HALF])
        # the rest comes only when the other process says that it waits
        both.wait()
        lines.append(processes[1].stderr.readline())
        handler.wfile.write(FILE[HALF:])

    lines, both = [], threading.Event()
    server.answers["/good"] = slowly
    processes = [subprocess.Popen(program(server), stdout=subprocess.PIPE)]
    while not server.asked:
        time.sleep(0.01)
    processes.append(subprocess.Popen(program(server), stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    both.set()
    outputs = [process.communicate()[0].decode().strip() for process in processes]
    assert outputs == [str(cache / "file.gz")] * 2
    assert lines == [b"another process is fetching file.gz: waiting for it\n"]
    assert len(server.asked) == 1 and left(cache) == ["file.gz"]


def test_a_process_that_was_killed_holds_no_lock_and_its_part_is_resumed(server, cache):
    def never(handler, start):
        handler.begin(Content_Length=len(FILE))
        handler.wfile.write(FILE[:HALF])
        handler.wfile.flush()
        process.wait()

    server.answers["/good"] = never
    process = subprocess.Popen(program(server), stderr=subprocess.DEVNULL)
    while not (cache / "file.gz.part").exists() or not (cache / "file.gz.part").stat().st_size:
        time.sleep(0.01)
    process.kill()
    process.wait()
    server.answers["/good"] = good
    assert fetch(remote(server, "/good")).read_bytes() == FILE
    assert server.asked[-1][1] is not None and left(cache) == ["file.gz"]


@pytest.fixture
def two_sets(server, cache, monkeypatch):
    server.answers.update({"/a": good, "/b": good})
    for name in list(FILES):
        monkeypatch.delitem(FILES, name)
    for name in "ab":
        file = remote(server, f"/{name}")
        monkeypatch.setitem(FILES, name, (Remote(f"{name}/file.gz", file.size, file.sha256, file.urls),))
    monkeypatch.setattr(command, "SETS", [(name, "1", "1 x 1 x 1", "1", None) for name in "ab"])


def test_the_command_line_fetches_lists_and_verifies(two_sets, cache, capsys):
    assert command.main(["fetch", "a"]) == 0 and left(cache) == ["file.gz"]
    assert command.main(["list"]) == 0
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert str(cache / "a" / "file.gz") in first and "not here, 0 MB to fetch" in second
    assert command.main(["verify"]) == 0
    assert command.main(["fetch", "--all"]) == 0 and left(cache) == ["file.gz"] * 2
    (cache / "b" / "file.gz").write_bytes(b"")
    assert command.main(["verify"]) == 1
    assert f"has 0 bytes, expected {len(FILE)}" in capsys.readouterr().out


def test_the_command_line_says_what_went_wrong(two_sets, server, capsys):
    server.answers["/a"] = status(500)
    assert command.main(["fetch", "a"]) == 1
    assert "/a: answered 500" in capsys.readouterr().err
    for wrong in (["fetch"], ["fetch", "c"], ["fly"], []):
        with pytest.raises(SystemExit):
            command.main(wrong)
    assert "got c, expected some of a b, or --all" in capsys.readouterr().err


def test_the_registry_can_be_used():
    for remotes in FILES.values():
        for file in remotes:
            assert len(file.sha256) == 64 and file.size > 0 and len(file.urls) > 1
            assert all(url.endswith(file.file.split("/")[-1]) for url in file.urls)
