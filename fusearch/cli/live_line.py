"""The one live line of a search."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

from fusearch.cli.output import figure

if TYPE_CHECKING:
    from fusearch.search import Progress

__all__ = ["LiveLine", "progress_line"]


def progress_line(progress: Progress, per_minute: float | None = None) -> str:
    """Write the state of a search in one line, with the trials that it evaluates in a minute where they are known."""
    done = progress.done + progress.raced
    parts = [f"{done}/{progress.total} trials" if progress.total else f"{done} trials", f"{progress.running} running"]
    if progress.raced:
        parts.append(f"{progress.raced} stopped early")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    if progress.repeated:
        parts.append(f"{progress.repeated} repeated")
    if progress.more_seeds:
        parts.append(f"{progress.more_seeds} more seeds")
    parts += [f"best {name} {figure(value)}" for name, value in progress.best.items()]
    parts.append(f"front {progress.front}")
    if per_minute is not None:
        parts.append(f"{per_minute:.1f} trials a minute")
    if progress.seconds_left is not None:
        minutes, seconds = divmod(round(progress.seconds_left), 60)
        parts.append(f"{minutes}:{seconds:02d} left" if progress.seconds_left > 0 else "finishing")
    return " · ".join(parts)


class LiveLine:
    """Show progress on standard error: one line rewritten in place on a terminal, else one line every `every` seconds.

    Args:
        every: Seconds between two lines where standard error is no terminal.
    """

    def __init__(self, every: float = 15.0) -> None:
        self.every = every
        self._live = sys.stderr.isatty()
        self._last, self._shown = -float("inf"), ""
        self._warned: set[str] = set()

    def __call__(self, progress: Progress) -> None:
        """Take the newest state."""
        for told in progress.blamed:
            self._warn(told.partition(" failed in all ")[0], f"{told}; it is no longer proposed")
        for told in progress.refused:
            self._warn(told, told)
        now = time.monotonic()
        wait = 0.1 if self._live else self.every
        if now - self._last >= wait or progress.done + progress.raced == progress.total:
            self._write(progress_line(progress))
            self._last = now

    def _warn(self, about: str, text: str) -> None:
        if about not in self._warned:
            self._warned.add(about)
            self._write(f"warning: {text}")
            sys.stderr.write("\n" if self._live else "")

    def _write(self, line: str) -> None:
        if line == self._shown:
            return
        self._shown = line
        sys.stderr.write(f"\r\x1b[2K{line}" if self._live else f"{line}\n")
        sys.stderr.flush()

    def __enter__(self) -> LiveLine:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        if self._live and self._shown:
            sys.stderr.write("\n")
