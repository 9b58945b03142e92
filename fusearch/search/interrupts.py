"""Ctrl-C and SIGTERM as a request to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Interrupts"]


class Interrupts:
    """While entered, note SIGINT and SIGTERM instead of dying of them.

    The first signal is noted in `received`, and raised as `KeyboardInterrupt` only inside `prompt()` (an evaluation in this
    process); so no signal tears the study's writes apart. A second signal raises at once. Outside the main thread, where
    Python allows no handlers, nothing is caught.

    Attributes:
        received: Name of the signal that arrived, such as `SIGINT`; None before.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.received: str | None = None
        self._prompt = False
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.getsignal(number) for number in self.SIGNALS}
            self.listen()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def listen(self) -> None:
        """Install the handlers again, after something else (Ray) has put its own."""
        for number in self._previous:
            signal.signal(number, self._handle)

    @contextmanager
    def prompt(self) -> Iterator[None]:
        """Let a signal raise `KeyboardInterrupt` inside."""
        self._prompt = True
        try:
            if self.received is not None:
                raise KeyboardInterrupt
            yield
        finally:
            self._prompt = False

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        is_first, self.received = self.received is None, signal.Signals(number).name
        if self._prompt or not is_first:
            raise KeyboardInterrupt
