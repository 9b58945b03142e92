"""Whether a search is going on, from the note that its driver leaves in the study."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any

__all__ = ["state_of"]


def state_of(driver: Mapping[str, Any] | None) -> tuple[str, str | None]:
    """Return the state of a search (`running`, `finished`, `stopped`, ...) and why it is so.

    Args:
        driver: `pid`, `host`, `state` and `reason` of who drives the run; None where nobody has.
    """
    if driver is None:
        return "stopped", "no driver has started it"
    state, host, pid = driver["state"], driver["host"], driver["pid"]
    if state == "running" and host == socket.gethostname() and not _is_alive(pid):
        return "stopped", f"its driver (pid {pid}) is gone; resume to go on"
    return state, driver.get("reason")


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
