"""What holds for every test."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Hear Ctrl-C also where the suite was started in the background by a script, which ignores SIGINT for its children."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
