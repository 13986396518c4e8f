"""Files fetched once: from several homes, resumed after a break, and kept only if their checksum is right."""

import contextlib
import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
import warnings
from urllib.parse import urlsplit

from tqdm import tqdm

from .store import DataError, cache_folder, data_folder, lock, sha256

ATTEMPTS = 3    # times one home is asked when the line breaks
PAUSE = 1.0     # seconds between them
TIMEOUT = 30.0  # seconds without a byte that count as a broken line
GZIP = b"\x1f\x8b"  # how every file here begins


class FetchError(OSError):
    """A file could not be fetched; the message says what each of its homes answered."""


class _Broken(Exception):
    """The line broke: what has come is good, and the rest may come later."""


class _Refused(Exception):
    """A home answered something else than the file."""


def fetch(remote):
    """The path of a file, found in the folder DTWIN_DATA names or in the user's cache, or else fetched into the cache.

    An address in DTWIN_MIRROR is tried before the file's own homes. Two processes fetch a file once: one waits.

    Raises:
        DataError: the file in DTWIN_DATA is not the one expected.
        FetchError: no home gave the file, or it cannot be written; only what a broken line left stays, to be resumed.
    """
    own = data_folder()
    if own and (own / remote.file).exists():
        wrong = difference(own / remote.file, remote)
        if wrong:
            raise DataError(f"fetch: {own / remote.file} {wrong}; put the right file there or take this one away")
        return own / remote.file
    path = cache_folder() / "sets" / remote.file
    if _kept(path, remote):
        return path
    try:
        with lock(path.with_name(path.name + ".lock"), f"another process is fetching {remote.file}: waiting for it"):
            if not _kept(path, remote):
                _bring(path, remote)
    except FetchError:
        raise
    except OSError as error:
        raise FetchError(f"fetch: cannot write {path}: {error.strerror}") from error
    return path


def difference(path, remote):
    """How a file differs from the one expected, in words, or None."""
    size = path.stat().st_size
    if size != remote.size:
        return f"has {size} bytes, expected {remote.size}"
    found = sha256(path)
    return None if found == remote.sha256 else f"has the SHA-256 {found}, expected {remote.sha256}"


def find(remote):
    """The path where a file lies, unchecked, or None."""
    folders = [data_folder(), cache_folder() / "sets"]
    return next((folder / remote.file for folder in folders if folder and (folder / remote.file).exists()), None)


def _kept(path, remote):
    if not path.exists():
        return False
    wrong = difference(path, remote)
    if wrong:
        warnings.warn(f"fetch: {path} {wrong}; it is fetched again", stacklevel=4)
        path.unlink(missing_ok=True)
    return not wrong


def _bring(path, remote):
    part = path.with_name(path.name + ".part")
    mirror = os.environ.get("DTWIN_MIRROR")
    answers = {}
    for url in ([f"{mirror.rstrip('/')}/{remote.file}"] if mirror else []) + list(remote.urls):
        for attempt in range(ATTEMPTS):
            resumed = part.exists()
            try:
                _download(url, part, remote)
                wrong = difference(part, remote)
                if not wrong:
                    return os.replace(part, path)
                part.unlink()
                answers[url] = f"what came {wrong}"
                if not resumed:
                    break
            except _Broken as error:
                answers[url] = str(error)
                time.sleep(PAUSE if attempt + 1 < ATTEMPTS else 0)
            except _Refused as error:
                answers[url] = str(error)
                break
    kept = f"\n{part.stat().st_size} bytes are kept, and the next try goes on from there" if part.exists() else ""
    raise FetchError(f"fetch: {remote.file} could not be fetched\n"
                     + "\n".join(f"{url}: {answer}" for url, answer in answers.items()) + kept)


def _download(url, part, remote):
    start = part.stat().st_size if part.exists() else 0
    if start >= remote.size:
        return  # all has come, and was not yet checked
    free = shutil.disk_usage(part.parent).free
    if free < remote.size - start:
        raise FetchError(f"fetch: {remote.file} needs {remote.size - start} bytes, and {part.parent} has {free} left")
    with _ask(url, start) as reply:
        if reply.status != 206:
            start = 0  # the server sends the whole file
        elif not (reply.headers["Content-Range"] or "").startswith(f"bytes {start}-"):
            raise _Refused(f"answered with the range {reply.headers['Content-Range']!r}, expected it from byte {start}")
        promised = int(length) if (length := reply.headers["Content-Length"] or "").isdigit() else None
        if promised is not None and start + promised > remote.size:
            raise _Refused(f"announced {start + promised} bytes, expected {remote.size}")
        if reply.headers.get_content_type() == "text/html":
            raise _Refused("answered with a web page (text/html), expected the file")
        _save(reply, part, start, promised, remote)


def _save(reply, part, start, promised, remote):
    got = start
    try:
        with (open(part, "ab" if start else "wb") as file,
              tqdm(total=remote.size, initial=start, desc=remote.file, unit="B", unit_scale=True) as bar):
            while chunk := _read(reply, got, remote):
                if got == 0 and not chunk.startswith(GZIP):
                    raise _Refused(f"answered with something that begins {chunk[:8]!r}, expected a gzip file")
                got += len(chunk)
                if got > remote.size:
                    raise _Refused(f"sent more than the expected {remote.size} bytes")
                file.write(chunk)
                bar.update(len(chunk))
            file.flush()
            os.fsync(file.fileno())
        if got < remote.size:
            if promised is None or got - start < promised:
                raise _Broken(f"stopped after {got} of {remote.size} bytes")
            raise _Refused(f"sent {got} bytes in all, expected {remote.size}")
    except (_Refused, OSError):
        part.unlink(missing_ok=True)
        raise


def _read(reply, got, remote):
    try:
        return reply.read1(1 << 16)  # read would wait for all of them, and lose some when the line breaks
    except (OSError, http.client.HTTPException) as error:
        raise _Broken(f"stopped after {got} of {remote.size} bytes ({error})") from error


class _Redirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, reply, code, message, headers, url):
        if urlsplit(url).scheme not in ("https", urlsplit(request.full_url).scheme):
            reply.close()
            raise _Refused(f"redirected to {url}, expected an address of its own scheme or https")
        return super().redirect_request(request, reply, code, message, headers, url)


@contextlib.contextmanager
def _ask(url, start):
    headers = {"User-Agent": "dtwin", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        reply = urllib.request.build_opener(_Redirect).open(
            urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        raise _Refused(f"answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _Broken(f"cannot be reached ({getattr(error, 'reason', error)})") from error
    with reply:
        yield reply
