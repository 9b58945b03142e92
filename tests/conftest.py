"""What holds for every test."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Hear signals also where the suite was started in the background by a script, or by `nohup`, which ignore them for their children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
