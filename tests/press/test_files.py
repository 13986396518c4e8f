"""A file is written whole or not at all."""

import os
import resource
import stat
import subprocess
import sys

import pytest
from press import files

WRITE = "import sys; from pathlib import Path; from press import files; files.write(Path(sys.argv[1]), 'new ' * 1000)"


def limited():
    """Let no file grow past 1,000 bytes: to who writes, a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


def test_a_full_disk_leaves_the_old_file_and_no_scratch(tmp_path):
    path = tmp_path / "kept"
    path.write_text("old")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.run(
        [sys.executable, "-c", WRITE, path], env=env, preexec_fn=limited, capture_output=True, text=True
    )
    assert process.returncode and "File too large" in process.stderr
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_an_interrupt_leaves_the_old_file_and_no_scratch(tmp_path, monkeypatch):
    path = tmp_path / "kept"
    path.write_text("old")

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        files.write(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_written_file_is_readable_as_any_other(tmp_path):
    (tmp_path / "plain").write_text("")
    files.write(tmp_path / "written", "")
    assert stat.filemode((tmp_path / "written").stat().st_mode) == stat.filemode((tmp_path / "plain").stat().st_mode)


def test_renewing_touches_only_what_differs(tmp_path):
    path = tmp_path / "page"
    files.renew(path, "one")
    os.utime(path, (1, 1))
    files.renew(path, "one")
    assert path.stat().st_mtime == 1
    files.renew(path, "two")
    assert path.stat().st_mtime != 1 and path.read_text() == "two"


def test_a_digest_depends_on_content_and_not_on_order():
    assert files.digest({"a": 1, "b": [2]}) == files.digest({"b": [2], "a": 1})
    assert len({files.digest(thing) for thing in ("a", b"b", 1, [1], {"1": 1}, None)}) == 6
