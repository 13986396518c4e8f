"""nbval runs a chapter as the press does: in the same environment."""

import os
from unittest import mock

import pytest
from press import run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup():
    with mock.patch.dict(os.environ, run.environment()):  # the kernel of a notebook starts with its first cell
        return (yield)
