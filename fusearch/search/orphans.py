"""Ray's processes that a killed driver left behind."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["MARK", "end_orphans", "find_orphans"]

#: Environment variable that a driver's Ray processes inherit: the run folder they work for.
MARK = "FUSEARCH_RUN_FOLDER"

#: Seconds that orphans have to end by themselves before they are killed, and then to be gone.
PATIENCE = 3.0


def find_orphans(folder: Path) -> list[int]:
    """Return the ids of the processes that were started for a run folder and have outlived their driver.

    Call it while the folder's lock is held, when no driver can be alive. Only on Linux, where the environment of a process
    can be read; elsewhere Ray's own clean-up, some seconds after the driver's death, must do.
    """
    entry = f"{MARK}={folder}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(process.name) != os.getpid() and entry in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return sorted(found)


def end_orphans(folder: Path) -> int:
    """End them, kindly first, and wait until they are gone; return how many there were."""
    orphans = left = find_orphans(folder)
    for how in (signal.SIGTERM, signal.SIGKILL):
        for number in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(number, how)
        deadline = time.monotonic() + PATIENCE
        while left and (left := find_orphans(folder)) and time.monotonic() < deadline:
            time.sleep(0.05)
    return len(orphans)
