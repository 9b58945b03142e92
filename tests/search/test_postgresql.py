"""The study in PostgreSQL: a server of the test's own, from Debian's package, or skipped with a reason."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from fusearch.errors import RunError
from fusearch.run import Run

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture(scope="module")
def server():
    """Start a server that listens on a socket of its own alone; return the URL of its database."""
    pytest.importorskip("psycopg", reason="needs the driver of fusearch[postgresql]")
    if not PROGRAMS or not (PROGRAMS[-1] / "initdb").exists():
        pytest.skip("needs the programs of Debian's package postgresql")
    user = None
    if os.geteuid() == 0:  # the server refuses to run as root
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in names else "nobody"
    folder = Path(tempfile.mkdtemp(prefix="fs-", dir="/tmp"))  # a socket needs a short path that its user may enter
    if user is not None:
        shutil.chown(folder, user)
    data = folder / "data"
    initialize = [PROGRAMS[-1] / "initdb", "--pgdata", data, "--username", "fusearch", "--auth", "trust", "--no-sync"]
    subprocess.run(initialize, check=True, user=user, stdout=subprocess.DEVNULL, cwd=folder)
    serve = [PROGRAMS[-1] / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(serve, user=user, stdout=log, stderr=log, cwd=folder)
    ready = [PROGRAMS[-1] / "pg_isready", "--host", folder, "--quiet"]
    deadline = time.monotonic() + 60
    while subprocess.run(ready, check=False).returncode:
        assert process.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.1)
    yield f"postgresql+psycopg://fusearch@/postgres?host={folder}"
    process.send_signal(signal.SIGINT)  # its fast shutdown
    process.wait(timeout=60)
    shutil.rmtree(folder)


def test_many_runs_share_a_database_and_each_goes_on(search, server, tmp_path):
    run = search(storage=server, trials=6)
    assert run.status()["trials"]["complete"] == 6
    assert not (run.path / "study.journal").exists()
    other = search(storage=server, trials=3, out=tmp_path / "other")
    assert other.status()["trials"]["complete"] == 3
    before = {record.candidate: record.objectives for record in run.records() if record.evaluated}
    search(storage=server, trials=8, resume=True)
    after = Run(run.path)
    assert after.status()["trials"]["complete"] == 8
    assert {record.candidate: record.objectives for record in after.records() if record.candidate in before and record.evaluated} == before
    assert len(Run(other.path).records()) == len(other.records())


def test_what_was_in_flight_when_the_driver_died_goes_first(search, server, toy_evaluator):
    seen = []

    def evaluate(candidate, budget, report):
        seen.append(candidate.digest)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return toy_evaluator(candidate, budget, report)

    stopped = search(evaluate, storage=server, trials=6)
    assert stopped.status()["trials"]["running"] == 0
    assert stopped.status()["trials"]["waiting"] == 1
    search(evaluate, storage=server, trials=6, resume=True)
    assert seen[3] == seen[2]
    assert Run(stopped.path).status()["state"] == "finished"


def test_a_server_that_is_not_there_is_one_line(search, tmp_path):
    pytest.importorskip("psycopg", reason="needs the driver of fusearch[postgresql]")
    with pytest.raises(RunError, match=r"cannot create a study in 'postgresql.*connection") as caught:
        search(storage=f"postgresql+psycopg://fusearch@/postgres?host={tmp_path}", trials=3)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_driver_that_is_not_installed_is_named(search, tmp_path):
    with pytest.raises(RunError) as caught:
        search(storage="postgresql+pg8000://fusearch@localhost/postgres", trials=3)
    assert str(caught.value).endswith(
        "no driver for postgresql+pg8000 is installed: pip install 'fusearch[postgresql]', and write postgresql+psycopg://"
    )
    assert not (tmp_path / "run").exists()
