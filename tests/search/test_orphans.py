"""Processes that a killed driver left behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fusearch.search.orphans import MARK, end_orphans, find_orphans

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="reads the environment of processes from /proc")


def sleeper(folder, code="import time; time.sleep(60)"):
    process = subprocess.Popen(
        [sys.executable, "-c", f"print(flush=True); {code}"], env={**os.environ, MARK: str(folder)}, stdout=subprocess.PIPE
    )
    process.stdout.readline()
    return process


def test_only_processes_of_the_folder_are_ended(tmp_path):
    ours, other = sleeper(tmp_path / "run"), sleeper(tmp_path / "run2")
    with ours, other:
        assert find_orphans(tmp_path / "run") == [ours.pid]
        assert end_orphans(tmp_path / "run") == 1
        assert ours.wait(timeout=10) != 0
        assert other.poll() is None
        other.kill()
    assert find_orphans(tmp_path / "run") == []
    assert end_orphans(tmp_path / "run") == 0


def test_one_that_ignores_the_request_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("fusearch.search.orphans.PATIENCE", 0.2)
    stubborn = sleeper(tmp_path, "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)")
    with stubborn:
        stubborn.stdout.readline()
        end_orphans(tmp_path)
        assert find_orphans(tmp_path) == [], "it is waited for"
        assert stubborn.wait(timeout=10) == -9


def test_this_process_is_never_an_orphan(tmp_path, monkeypatch):
    monkeypatch.setenv(MARK, str(tmp_path))
    assert find_orphans(tmp_path) == []
