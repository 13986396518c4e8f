"""Writing that never leaves half a file, and hashing."""

import contextlib
import hashlib
import json
import os
import uuid
from pathlib import Path


@contextlib.contextmanager
def writing(path: Path):
    """A binary file that takes the place of `path` when all went well, and else vanishes: what stood there before stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with open(scratch, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(scratch)
        raise


def write(path: Path, content: bytes | str) -> None:
    """Put `content` at `path` whole or not at all: a full disk or an interrupt leaves what stood there before."""
    with writing(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


def renew(path: Path, text: str) -> None:
    """Put `text` at `path` unless it stands there already, so that the file's date tells when it changed."""
    if not path.is_file() or path.read_text("utf-8") != text:
        write(path, text)


def digest(thing) -> str:
    """Return the SHA-256 of bytes, of text, or of anything JSON can spell."""
    if isinstance(thing, str):
        thing = thing.encode()
    elif not isinstance(thing, bytes):
        thing = json.dumps(thing, sort_keys=True).encode()
    return hashlib.sha256(thing).hexdigest()
