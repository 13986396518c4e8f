"""What a record says of the machine and of the code."""

import functools
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import torch

PACKAGES = ("torch", "numpy", "scikit-learn", "scikit-image")


def hardware(device):
    """The name of the device, as its driver tells it."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU ({platform.machine()})"


@functools.cache
def versions():
    """The versions that matter, by name."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    if torch.version.cuda:
        found["cuda"] = torch.version.cuda
    return found


@functools.cache
def commit():
    """The commit of the checkout, with a + where files differ from it; without git, what DTWIN_COMMIT says, or None."""
    def git(*words):
        return subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, check=True).stdout

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", Path(__file__).parents[1])
        return git("rev-parse", "--short", "HEAD").strip() + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("DTWIN_COMMIT")
