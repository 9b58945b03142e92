import os
import socket
import subprocess
import sys

import pytest

from fusearch.driver_state import state_of

HERE = socket.gethostname()


def test_a_driver_that_is_gone_has_stopped_its_search():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    note = {"pid": ended.pid, "host": HERE, "state": "running", "reason": None}
    assert state_of(note) == ("stopped", f"its driver (pid {ended.pid}) is gone; resume to go on")
    assert state_of({**note, "host": "another"}) == ("running", None), "whether it lives, only its own machine sees"
    assert state_of({**note, "state": "finished", "reason": "30 trials are done"}) == ("finished", "30 trials are done")


@pytest.mark.parametrize("pid", [os.getpid(), 1], ids=["own", "of the system"])
def test_a_driver_that_lives_goes_on(pid):
    assert state_of({"pid": pid, "host": HERE, "state": "running", "reason": None}) == ("running", None)


def test_nobody_has_started_it():
    assert state_of(None) == ("stopped", "no driver has started it")
