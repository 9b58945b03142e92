"""What holds for every test."""

from __future__ import annotations

import signal

import pytest
from few import mark_long_laws


def pytest_configure() -> None:
    """Hear signals also where the suite was started in the background by a script, or by `nohup`, which ignore them for their children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave laws that take long to `-m slow`, but for a few entries."""
    mark_long_laws(items)
