"""Ctrl-C and SIGTERM as a request to stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Interrupts"]


class Interrupts:
    """While entered, note SIGINT and SIGTERM instead of dying of them.

    The first signal is noted in `received`, and raised as `KeyboardInterrupt` only inside `prompt()` (an evaluation in this
    process, or Ray's work that can be left); so no signal tears the study's writes apart. A second signal raises at once, but inside
    `held()`, where what is in flight is given back. Signals that come together are one: `timeout` sends its signal twice. A
    terminal that closes (SIGHUP) counts as well, unless it is ignored (`nohup`). Outside the main thread, where Python allows no
    handlers, nothing is caught.

    Attributes:
        received: Name of the signal that arrived, such as `SIGINT`; None before.
    """

    SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
    #: Signals inside `held()` before one raises after all: whatever hangs there can be left by hand.
    PATIENCE = 5
    #: Seconds after the first signal in which others say the same.
    TOGETHER = 1.0

    def __init__(self) -> None:
        self.received: str | None = None
        self._prompt = self._held = False
        self._count, self._first = 0, 0.0
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            found = {number: signal.getsignal(number) for number in self.SIGNALS}
            nohup = getattr(signal, "SIGHUP", None)
            self._previous = {number: old for number, old in found.items() if not (number == nohup and old == signal.SIG_IGN)}
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

    @contextmanager
    def held(self) -> Iterator[None]:
        """Only note signals inside: what is written there must be written whole. Within `prompt()`, one that came raises at the end."""
        before, self._held = self.received, True
        try:
            yield
        finally:
            self._held = False
        if self._prompt and before is None and self.received is not None:
            raise KeyboardInterrupt

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        is_first, now = self.received is None, time.monotonic()
        if is_first:
            self.received, self._first = signal.Signals(number).name, now
        elif now - self._first < self.TOGETHER:
            return
        self._count += 1
        if self._held and self._count < self.PATIENCE:
            return
        if self._prompt or not is_first:
            raise KeyboardInterrupt
