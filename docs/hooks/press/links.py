"""The external links of the site and the README, each asked once whether it still answers."""

import concurrent.futures
import re
import time
import urllib.error
import urllib.request
from collections import defaultdict
from html import unescape
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

HREF = re.compile(r'<a\b[^>]*\bhref="(https?://[^"]+)"')
LINK = re.compile(r"\]\((https?://[^)\s]+)\)|<(https?://[^>\s]+)>")
AGENT = "Mozilla/5.0 (compatible; a weekly check of a course's links)"
SHY = {401, 403, 405, 406, 418, 429, 999}  # what hosts that do not talk to programs answer
PASSING = {408, 429, 500, 502, 503, 504}
TIMEOUT = 20  # seconds
TRIES = 3
PAUSE = 1  # seconds between two questions to a host


def check(root: Path) -> int:
    """Print each link with what its host says, the dead ones last; return 1 where there are any."""
    found = external(root)
    answers = ask(found)
    dead = 0
    for url in sorted(found, key=lambda url: (answers[url][0] == "dead", url)):
        verdict, reason = answers[url]
        pages = f"  (on {', '.join(sorted(found[url])[:3])})" if verdict == "dead" else ""
        print(f"{verdict:5} {reason:>4}  {url}{pages}")
        dead += verdict == "dead"
    print(f"{len(found)} external links, {dead} dead (shy: a host that answers no programs)")
    return int(dead > 0)


def external(root: Path) -> dict[str, set[str]]:
    """Return the pages on which each external address stands; what points back to the site itself is left out."""
    found = defaultdict(set)
    for page in sorted(root.joinpath("site").rglob("*.html")):
        for url in HREF.findall(page.read_text("utf-8")):
            found[unescape(url)].add(page.relative_to(root).as_posix())
    for match in LINK.finditer(root.joinpath("README.md").read_text("utf-8")):
        found[match[1] or match[2]].add("README.md")
    whole = defaultdict(set)
    for url, pages in found.items():
        if urlsplit(url).hostname not in ("127.0.0.1", "localhost"):
            whole[urldefrag(url).url] |= pages
    return whole


def ask(urls) -> dict[str, tuple[str, str]]:
    """Ask for each address, several hosts at once, but each host one question at a time."""
    hosts = defaultdict(list)
    for url in sorted(urls):
        hosts[urlsplit(url).netloc].append(url)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        return {url: answer for answers in pool.map(ask_host, hosts.values()) for url, answer in answers.items()}


def ask_host(urls: list[str]) -> dict[str, tuple[str, str]]:
    answers = {}
    for url in urls:
        if answers:
            time.sleep(PAUSE)
        answers[url] = answer(url)
    return answers


def answer(url: str) -> tuple[str, str]:
    """Return a verdict, 'alive', 'shy' or 'dead', and the status or the error behind it."""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE * 4**attempt)
        status = request(url, "HEAD")
        if isinstance(status, int) and status >= 400:
            status = request(url, "GET")
        if isinstance(status, int) and status not in PASSING:
            break
    if isinstance(status, int) and status < 400:
        return "alive", str(status)
    return "shy" if status in SHY else "dead", str(status)


def request(url: str, method: str) -> int | str:
    """Return the status of an address after its redirections, or the name of what went wrong."""
    try:
        asked = urllib.request.Request(url, method=method, headers={"User-Agent": AGENT})
        with urllib.request.urlopen(asked, timeout=TIMEOUT) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, HTTPException, ValueError) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__
