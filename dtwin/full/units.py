"""A run is a list of units; each is done once, kept when it is done, and done by one process of all that work at a time."""

import contextlib
import datetime
import fcntl
import functools
import gc
import hashlib
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, NamedTuple

import torch

from ..data.store import replacing
from . import about, pictures


class Unit(NamedTuple):
    """One piece of work, under eight minutes: `work(at, **setting)` returns numbers by name; the setting fits in JSON."""

    work: Callable
    setting: dict


class Run(NamedTuple):
    """What a module offers for a plan: `units(small)`, and `summary(done)` of [(setting, numbers)]: values and claims.

    Both are dicts of a number, or of a list with one for each seed: a claim's value is then their mean.
    """

    units: Callable
    summary: Callable


@dataclass(frozen=True)
class At:
    """Where a unit works: on which device, tried small or not, and the file in which it may keep a training half done."""

    device: torch.device
    small: bool
    checkpoint: Path | None = None

    def pictures(self, name, split, first=None):
        """The first pictures of a set, all of them unless a number is given."""
        return pictures.load(name, split, self.small)[:first]


@functools.cache
def code():
    """A checksum of the program that trains: after a change of it nothing that was done before counts."""
    root = Path(__file__).parents[1]
    folders = [path for name in ("explain", "full", "twin", "vision") for path in sorted(root.glob(f"{name}/*.py"))]
    files = [*folders, root / "train.py", root / "modes.py", root / "data/loader.py"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


class OutOfTime(Exception):
    """The minutes that were given are over; what is done is kept."""


@dataclass
class Shelf:
    """The folder in which a run keeps what is done: a file for each unit, named by all that decides its numbers."""

    folder: Path
    identity: list
    small: bool
    warned: set = field(default_factory=set)

    def path(self, unit):
        name = f"{unit.work.__module__}.{unit.work.__qualname__}"
        text = json.dumps([name, unit.setting, self.identity, self.small, code()], sort_keys=True)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"

    def get(self, unit):
        """The record of a unit, or None where it is not done; a damaged file counts as not done, and is named once."""
        path = self.path(unit)
        try:
            digest, _, text = path.read_text("utf-8").partition("\n")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            digest, text = "", ""
        if hashlib.sha256(text.encode()).hexdigest() == digest:
            return json.loads(text)
        if path not in self.warned:
            print(f"{path} is damaged: its unit is done again", file=sys.stderr)
            self.warned.add(path)
        return None

    def put(self, unit, record):
        text = json.dumps(record)
        with replacing(self.path(unit)) as file:
            file.write(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}".encode())

    @contextlib.contextmanager
    def held(self, unit, wait=False):
        """Whether this process holds the unit meanwhile; another may, unless this one waits until it lets go or dies."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.path(unit).with_suffix(".lock"), "ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
            else:
                yield True


def work_off(name, units, shelf, device, deadline=float("inf"), rank=0):
    """Do what is not done; the first process then waits for what others still hold, and returns all records.

    The others return None when nothing is left that nobody does.

    Raises:
        OutOfTime: the deadline, in `time.monotonic()`, is past before all is done.
    """
    waiting = [unit for unit in units if shelf.get(unit) is None]
    if rank == 0 and len(waiting) < len(units):
        print(f"{name}: {len(units) - len(waiting)} of {len(units)} units are done already", flush=True)
    patient = False
    while waiting:
        left = []
        for unit in waiting:
            with shelf.held(unit, wait=patient and not left) as mine:
                if mine and shelf.get(unit) is None:
                    if time.monotonic() > deadline:
                        raise OutOfTime(f"{name}: the time is over, {len(units) - len(_missing(units, shelf))} of "
                                        f"{len(units)} units are done; the same command goes on from there")
                    _do(unit, shelf, device)
                    print(f"{name}: {len(units) - len(_missing(units, shelf))}/{len(units)}  {_spell(unit.setting)}  "
                          f"{shelf.get(unit)['seconds']:.1f} s", flush=True)
                    patient = False
                elif not mine:
                    left.append(unit)
        if left and rank:
            return None
        patient, waiting = left == waiting, left
    return [shelf.get(unit) for unit in units] if rank == 0 else None


def _missing(units, shelf):
    return [unit for unit in units if shelf.get(unit) is None]


def _do(unit, shelf, device):
    checkpoint = shelf.path(unit).with_suffix(".pt")
    _refuse_damaged(checkpoint)
    start = time.perf_counter()
    numbers = unit.work(At(device, shelf.small, checkpoint), **unit.setting)
    seconds = time.perf_counter() - start
    shelf.put(unit, {"setting": unit.setting, "numbers": numbers, "seconds": seconds, "hardware": about.hardware(device),
                     "versions": about.versions(), "commit": about.commit(),
                     "date": datetime.datetime.now(datetime.UTC).date().isoformat()})
    checkpoint.unlink(missing_ok=True)
    gc.collect()  # a CUDA graph keeps its memory until then
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _refuse_damaged(checkpoint):
    if checkpoint.exists():
        try:
            torch.load(checkpoint, weights_only=True, map_location="cpu")
        except Exception:  # whatever a damaged pickle may lead to
            print(f"{checkpoint} is damaged: its unit begins anew", file=sys.stderr)
            checkpoint.unlink()


def _spell(setting):
    text = " ".join(f"{name}={value}" for name, value in setting.items())
    return text if len(text) <= 100 else f"{text[:99]}…"


def processes():
    """The number of this process, and that of its device, as `torchrun` tells them to those that it starts.

    Each process trains units of its own, so that `train.fit` must not take the others for its helpers.
    """
    os.environ.pop("WORLD_SIZE", None)
    return int(os.environ.get("RANK", 0)), int(os.environ.get("LOCAL_RANK", 0))
