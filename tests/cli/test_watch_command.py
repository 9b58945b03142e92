"""`fusearch watch` on runs that another process writes; and the study as a dashboard opens it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from fusearch.cli.watch_command import _views
from fusearch.study import DRIVER, STUDY_NAME, TrialFacts, open_study

RUN = Path(__file__).parent.parent / "fixtures" / "run_0_1_0"


@pytest.fixture
def running(tmp_path: Path) -> Path:
    """A run that this process drives, as far as its study tells."""
    folder = tmp_path / "run"
    shutil.copytree(RUN, folder)
    drive(folder, "running")
    return folder


def drive(folder: Path, state: str) -> None:
    note = {"pid": os.getpid(), "host": socket.gethostname(), "state": state, "reason": None}
    open_study(folder).set_user_attr(DRIVER, note)


def test_what_another_process_writes_is_seen_and_the_end_of_the_search_ends_it(running: Path) -> None:
    views = _views(running, 0.01)
    first = next(views)
    assert first.is_running
    facts = TrialFacts("worst:mlp\nworst@L ->", "abc", "abcdef", values={"auroc": 0.999, "macs": 30.0})
    done = optuna.trial.create_trial(values=[0.999, 30.0], user_attrs=facts.attributes())
    open_study(running).add_trial(done)
    second = next(views)
    assert second.status["trials"]["complete"] == first.status["trials"]["complete"] + 1
    assert "best auroc 0.9990" in second.line
    drive(running, "finished")
    assert not next(views).is_running
    assert list(views) == []


def test_status_of_a_search_whose_driver_was_killed_says_so(running: Path, fusearch: Callable[..., Any]) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    note = {"pid": gone.pid, "host": socket.gethostname(), "state": "running", "reason": None}
    study = open_study(running)
    study.set_user_attr(DRIVER, note)
    facts = TrialFacts("worst:mlp\nworst@L ->", "abc", "abcdef")
    study.add_trial(optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING, user_attrs=facts.attributes()))
    assert fusearch("status", running).out.startswith("stopped: 14 complete, 1 unfinished, 10 pruned, 14 total\n")
    assert fusearch("status", running).out.rstrip().endswith(f"Stopped: its driver (pid {gone.pid}) is gone; resume to go on.")
    drive(running, "running")
    assert fusearch("status", running).out.startswith("running: 14 complete, 1 running, 10 pruned, 14 total\n")


def test_once_prints_one_view_though_the_search_goes_on(running: Path, fusearch: Callable[..., Any]) -> None:
    done = fusearch("watch", running, "--once")
    assert done.code == 0, done.err
    assert done.out.startswith("running: 14/14 trials")
    assert "auroc up, macs right" in done.out
    assert fusearch("watch", running, "--json").document["state"] == "running"


def test_without_a_terminal_a_finished_run_is_one_view(fusearch: Callable[..., Any]) -> None:
    done = fusearch("watch", RUN)
    assert done.code == 0, done.err
    assert done.out.startswith("finished: 14/14 trials")
    assert done.out.count("trials a minute") == 1
    assert "\x1b" not in done.out


def test_the_journal_of_a_run_is_read_by_optuna_alone() -> None:
    storage = JournalStorage(JournalFileBackend(str(RUN / "study.journal")))
    [study] = storage.get_all_studies()
    assert study.study_name == STUDY_NAME
    assert len(storage.get_all_trials(study._study_id)) == 24


@pytest.mark.slow
def test_the_dashboard_opens_the_study(tmp_path: Path) -> None:
    dashboard = pytest.importorskip("optuna_dashboard", reason="needs optuna-dashboard")
    httpx = pytest.importorskip("httpx", reason="needs httpx")
    shutil.copytree(RUN, tmp_path / "run")
    app = dashboard.wsgi(JournalStorage(JournalFileBackend(str(tmp_path / "run" / "study.journal"))))
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://dashboard") as client:
        told = client.get("/api/studies").raise_for_status().json()
    assert STUDY_NAME in str(told)
