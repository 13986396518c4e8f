"""nbval asks no chapter to run again: the kernel of a record answers with the run that the site shows."""

import os
from pathlib import Path
from unittest import mock

import pytest
from nbval.plugin import IPyNbCell
from press import replay

RUNS = Path(__file__).parents[2] / ".cache/runs"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    if not isinstance(item, IPyNbCell):
        return (yield)
    run = RUNS / item.path.name
    if not run.is_file():
        pytest.fail(f"{run} is not there: make site")
    with mock.patch.dict(os.environ, replay.environment(run)):  # the kernel of a notebook starts with its first cell
        return (yield)
