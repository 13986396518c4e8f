"""The external links: which there are, and what is said of each, before a host of the test's own."""

import http.server
import threading
from collections import Counter

import pytest
from press import links


@pytest.fixture
def host(monkeypatch):
    """Serve answers by path; `seen` counts the questions by method and path."""
    monkeypatch.setattr(links, "PAUSE", 0.01)
    monkeypatch.setattr(links, "TIMEOUT", 0.5)
    seen = Counter()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            seen[f"{self.command} {self.path}"] += 1
            status = {"/": 200, "/shy": 403, "/gone": 404, "/down": 503, "/moved": 301}.get(self.path, 200)
            if self.path == "/later":
                status = 503 if sum(count for name, count in seen.items() if name.endswith("/later")) < 3 else 200
            if self.path == "/get":
                status = 200 if self.command == "GET" else 405
            if self.path == "/slow":
                gone.wait(2)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if self.path == "/moved":
                self.send_header("Location", "/")
            self.end_headers()

        do_GET = do_HEAD

        def log_message(self, *_):
            pass

    gone = threading.Event()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    gone.set()
    server.shutdown()
    server.server_close()


def test_which_links_are_external(tmp_path):
    page = tmp_path / "site/chapters/index.html"
    page.parent.mkdir(parents=True)
    page.write_text(
        '<link href="https://canonical.org"><a class="x" href="https://a.org/?x=1&amp;y=2#part">a</a><a href="b.html">b</a>'
        '<a href="http://127.0.0.1:8000/">home</a>'
    )
    tmp_path.joinpath("README.md").write_text("[a](https://a.org/?x=1&y=2), <https://c.org/>, <http://localhost:8000/>")
    assert links.external(tmp_path) == {
        "https://a.org/?x=1&y=2": {"site/chapters/index.html", "README.md"},
        "https://c.org/": {"README.md"},
    }


@pytest.mark.parametrize("path, expected", {
    "/": ("alive", "200"), "/moved": ("alive", "200"), "/get": ("alive", "200"), "/later": ("alive", "200"),
    "/shy": ("shy", "403"), "/gone": ("dead", "404"), "/down": ("dead", "503"), "/slow": ("dead", "timed out"),
}.items())  # fmt: skip
def test_what_is_said_of_a_link(host, path, expected):
    address, seen = host
    assert links.answer(address + path) == expected
    asked = sum(count for name, count in seen.items() if name.endswith(path))
    assert asked <= 2 * links.TRIES


def test_a_host_that_is_not_there_is_dead(host):
    address, _ = host
    assert links.answer("http://127.0.0.1:1/")[0] == "dead"
    assert links.answer("http://[cow/")[0] == "dead"


def test_dead_links_are_listed_last_with_their_pages_and_fail_the_check(host, tmp_path, monkeypatch, capsys):
    address, _ = host
    monkeypatch.setattr(links, "external", lambda root: {f"{address}/gone": {"b.html", "a.html"}, f"{address}/shy": {"c.html"}})
    assert links.check(tmp_path) == 1
    shy, dead, count = capsys.readouterr().out.splitlines()
    assert shy.split() == ["shy", "403", f"{address}/shy"]
    assert dead == f"dead   404  {address}/gone  (on a.html, b.html)"
    assert count.startswith("2 external links, 1 dead")
    monkeypatch.setattr(links, "external", lambda root: {f"{address}/": {"a.html"}})
    assert links.check(tmp_path) == 0
