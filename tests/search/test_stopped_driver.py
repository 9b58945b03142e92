"""Drivers that are stopped or killed, most of them in a process of their own."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from fusearch.run import Run
from fusearch.search.orphans import find_orphans

SCRIPT = """
import sys, time
from pathlib import Path
from fusearch.data.modality import Modality
from fusearch.search import run_search
from fusearch.search_space import SearchSpace

out, log, executor, trials, seconds, resume, quick = sys.argv[1:]

def evaluate(candidate, budget, report):
    with open(log, "a") as file:
        file.write(candidate.digest + "\\n")
    is_quick = not int(quick) or len(Path(log).read_text().split()) <= int(quick)
    time.sleep(float(seconds) if is_quick else 60)
    return {"score": int(candidate.digest, 16) % 997 / 997, "macs": float(candidate.recipe.width)}

space = SearchSpace(tuple(Modality(name, "tabular", (20,)) for name in ("mrna", "meth")))
run = run_search(space, evaluate, objectives=["score:max", "macs"], out=out, executor=executor, workers=2 if executor == "ray" else None,
                 trials=int(trials), resume=resume == "resume", sampler="random")
status = run.status()
print(status["state"], "|", status["reason"])
"""


class Driver:
    """A search in a process of its own."""

    def __init__(self, folder):
        self.out, self.log, self.script = folder / "run", folder / "log", folder / "driver.py"
        self.script.write_text(SCRIPT)

    def start(self, executor="inline", trials=30, seconds=0.2, resume=False, quick=0):
        """Start a search; after `quick` evaluations (0: never) the next ones hang, so that a slow machine kills at the same place."""
        arguments = [self.out, self.log, executor, trials, seconds, "resume" if resume else "new", quick]
        return subprocess.Popen(
            [sys.executable, self.script, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a process group of its own
        )

    def wait_for(self, num_complete, process, running=0):
        deadline = time.monotonic() + 150
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.05)
            trials = Run(self.out).status()["trials"] if (self.out / "config.yaml").exists() else {"complete": 0}
            if trials["complete"] >= num_complete and trials["running"] >= running:
                return
        process.kill()
        pytest.fail(f"no {num_complete} trials: {process.communicate()}")

    def evaluations(self):
        return Counter(self.log.read_text().split())


@pytest.fixture
def driver(tmp_path):
    return Driver(tmp_path)


def finished(run):
    return {record.candidate for record in run.records() if record.evaluated}


@pytest.mark.parametrize("executor", ["inline", pytest.param("ray", marks=[pytest.mark.ray, pytest.mark.slow])])
def test_a_driver_that_is_killed_loses_and_repeats_no_finished_trial(driver, executor):
    process = driver.start(executor, quick=4)
    driver.wait_for(4, process, running=1)
    process.kill()
    process.communicate()
    before = Run(driver.out)
    assert before.status()["state"] == "stopped"
    assert "is gone" in before.status()["reason"]
    in_flight = [record.candidate for record in before.records() if record.state == "running"]
    done = finished(before)
    assert in_flight

    resumed = driver.start(executor, trials=12, seconds=0.01, resume=True)
    said, errors = resumed.communicate(timeout=120)
    assert (said.strip(), errors) == ("finished | 12 trials are done", "")
    after = Run(driver.out)
    assert after.status()["trials"]["complete"] == 12
    assert after.status()["trials"]["running"] == after.status()["trials"]["waiting"] == 0
    assert done <= finished(after)
    assert set(in_flight) <= finished(after)
    evaluations = driver.evaluations()
    assert {evaluations[candidate] for candidate in done} == {1}
    assert {evaluations[candidate] for candidate in in_flight} <= {1, 2}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_cleanly_and_resume_starts_with_what_was_in_flight(driver, number):
    process = driver.start(seconds=1.0)
    driver.wait_for(2, process)
    time.sleep(0.5)  # into the next evaluation, past the moment between two
    process.send_signal(number)
    said, errors = process.communicate(timeout=30)
    assert (process.returncode, said.strip(), errors) == (0, f"stopped | interrupted by {number.name}", "")
    run = Run(driver.out)
    status = run.status()
    assert status["trials"]["running"] == status["trials"]["failed"] == 0
    assert status["trials"]["interrupted"] == status["trials"]["waiting"] == 1
    (waiting,) = [record.candidate for record in run.records() if record.state == "waiting"]
    done = len(finished(run))
    driver.start(trials=done + 1, seconds=0.01, resume=True).communicate(timeout=60)
    assert waiting in finished(Run(driver.out))


def test_an_evaluator_that_holds_the_interrupt_up_ends_the_search_after_it(search):
    def evaluate(candidate, budget, report):
        with contextlib.suppress(BaseException):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
        return {"score": 0.5, "macs": 1.0}

    run = search(evaluate, trials=5)
    status = run.status()
    assert (status["state"], status["reason"]) == ("stopped", "interrupted by SIGINT")
    assert (status["trials"]["complete"], status["trials"]["running"], status["trials"]["failed"]) == (1, 0, 0)


def test_a_program_that_ends_itself_while_it_is_told_of_progress_leaves_nothing_running(search, tmp_path):
    def end(progress):
        if progress.done == 2:
            sys.exit(7)

    with pytest.raises(SystemExit) as caught:
        search(trials=5, progress=end, out=tmp_path / "ended")
    assert caught.value.code == 7
    status = Run(tmp_path / "ended").status()
    assert (status["state"], status["reason"]) == ("stopped", "SystemExit: 7")
    assert (status["trials"]["complete"], status["trials"]["running"]) == (2, 0)
    assert search(trials=5, out=tmp_path / "ended", resume=True).status()["trials"]["complete"] == 5


@pytest.mark.slow
@pytest.mark.ray
def test_a_signal_stops_ray_cleanly(driver):
    process = driver.start("ray", seconds=2.0)
    driver.wait_for(2, process)
    time.sleep(0.7)  # into the next evaluation, past the moment between two
    os.killpg(process.pid, signal.SIGTERM)  # as `timeout` sends it; Ray's processes are not in the group
    said, errors = process.communicate(timeout=60)
    assert (process.returncode, said.strip(), errors) == (0, "stopped | interrupted by SIGTERM", "")
    status = Run(driver.out).status()
    assert status["trials"]["running"] == status["trials"]["failed"] == 0
    assert 1 <= status["trials"]["interrupted"] == status["trials"]["waiting"] <= 2


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize("numbers", [[signal.SIGINT], [signal.SIGTERM, signal.SIGTERM], [signal.SIGHUP]])
def test_a_signal_to_the_process_group_is_as_clean_as_one_to_the_driver(driver, numbers):
    """As `timeout`, systemd, Slurm and a terminal send it: Ray's processes are not in the group."""
    process = driver.start("ray", quick=2)
    driver.wait_for(2, process, running=1)
    for number in numbers:
        os.killpg(process.pid, number)
    said, errors = process.communicate(timeout=45)
    assert (process.returncode, said.strip(), errors) == (0, f"stopped | interrupted by {numbers[0].name}", "")
    status = Run(driver.out).status()
    assert status["trials"]["running"] == status["trials"]["failed"] == 0
    assert 1 <= status["trials"]["interrupted"] == status["trials"]["waiting"] <= 2
    assert find_orphans(driver.out) == []
    waiting = {record.candidate for record in Run(driver.out).records() if record.state == "waiting"}
    trials = status["trials"]["complete"] + len(waiting)
    said, errors = driver.start(trials=trials, seconds=0.01, resume=True).communicate(timeout=60)
    assert (said.strip(), errors) == (f"finished | {trials} trials are done", "")
    assert waiting <= finished(Run(driver.out))


@pytest.mark.ray
def test_a_signal_while_ray_starts_is_a_clean_stop_too(driver):
    process = driver.start("ray")
    deadline = time.monotonic() + 60
    while not find_orphans(driver.out) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGTERM)
    said, errors = process.communicate(timeout=45)
    assert (process.returncode, said.split("|")[0].strip(), errors) == (0, "stopped", "")
    assert Run(driver.out).status()["trials"]["running"] == 0
    assert find_orphans(driver.out) == []


@pytest.mark.slow
@pytest.mark.ray
def test_a_signal_to_the_driver_and_to_all_of_its_ray_is_a_clean_stop_too(driver):
    """Slurm and systemd may signal every process of a job: the notes, and the end, do not wait for a Ray that is dying."""
    process = driver.start("ray", quick=2)
    driver.wait_for(2, process, running=1)
    for number in [process.pid, *find_orphans(driver.out)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGTERM)
    said, _ = process.communicate(timeout=60)  # Ray's dying processes may complain
    assert (process.returncode, said.strip().splitlines()[-1]) == (0, "stopped | interrupted by SIGTERM")
    status = Run(driver.out).status()
    assert status["trials"]["running"] == status["trials"]["failed"] == 0
    assert 1 <= status["trials"]["interrupted"] == status["trials"]["waiting"] <= 2
    assert find_orphans(driver.out) == []


def test_a_second_driver_is_refused_and_told_the_process(driver):
    process = driver.start(seconds=0.2)
    driver.wait_for(1, process)
    second = driver.start(resume=True)
    errors = second.communicate(timeout=60)[1]
    assert f"is being driven by process {process.pid}" in errors
    assert process.poll() is None
    process.kill()
    process.communicate()


FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from fusearch.errors import RunError
sys.argv = ["driver", *sys.argv[1:]]
try:
    exec(open(sys.argv[1]).read().replace("sys.argv[1:]", "sys.argv[2:]"))
except RunError as error:
    print("refused |", error)
"""


def test_a_disk_that_fills_up_is_one_readable_line_and_the_run_can_be_resumed(driver, tmp_path):
    (tmp_path / "full.py").write_text(FULL)
    arguments = [driver.script, driver.out, driver.log, "inline", 200, 0, "new", 0]
    done = subprocess.run([sys.executable, tmp_path / "full.py", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("refused | cannot write run folder"), done.stderr
    assert "File too large" in done.stdout
    num_done = Run(driver.out).status()["trials"]["complete"]
    said, errors = driver.start(trials=num_done + 2, seconds=0, resume=True).communicate(timeout=60)
    assert (said.split("|")[0].strip(), errors) == ("finished", "")
    assert set(driver.evaluations().values()) <= {1, 2}
    assert Run(driver.out).status()["trials"]["complete"] == num_done + 2


POISON = """
import os, signal, sys
from fusearch.data.modality import Modality
from fusearch.search import run_search
from fusearch.search_space import SearchSpace

def evaluate(candidate, budget, report):
    if candidate.graph.fusions:
        os.kill(os.getpid(), signal.SIGKILL)  # as an extension that crashes, or the kernel when memory runs out
    return {"score": 0.5}

space = SearchSpace([Modality("rna", "tabular", (20,)), Modality("labs", "tabular", (8,))], max_fusions=1, operators=["cat"])
run_search(space, evaluate, "score:max", out=sys.argv[1], trials=4, executor="inline", resume=len(sys.argv) > 2, reference_share=0.0)
"""


def test_a_candidate_that_kills_its_process_twice_has_failed_and_the_search_goes_on(tmp_path):
    from fusearch.run import Run

    def drive(*words):
        return subprocess.run([sys.executable, "-c", POISON, str(tmp_path / "run"), *words], capture_output=True, text=True, check=False)

    assert drive().returncode == -signal.SIGKILL
    codes = []
    while not codes or (codes[-1] == -signal.SIGKILL and len(codes) < 12):
        codes.append(drive("resume").returncode)
    assert codes[-1] == 0, "every resume gets further, and one gets through"
    records = Run(tmp_path / "run").records()
    failed = [record for record in records if record.state == "failed" and not record.interrupted]
    assert {record.reason for record in failed} == {"its process died twice while it was evaluated; it is not tried again"}
    assert len({record.candidate for record in failed}) == len(failed) > 0
    for record in failed:
        assert sum(other.interrupted and other.candidate == record.candidate for other in records) == 1
    assert all("F1" not in record.formula for record in records if record.state == "complete")


RACED_SCRIPT = """
import os, signal, sys
from conftest import Foldwise, ToySpace
from fusearch.search import run_search

class Killed(Foldwise):
    def by_fold(self, candidate, budget, report):
        for found in super().by_fold(candidate, budget, report):
            yield found
            if len(self.trained) == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)

run_search(ToySpace(), Killed(), objectives=["score:max", "macs"], out=sys.argv[1], executor="inline", trials=24, reference_share=0,
           sampler="random")
"""


def test_a_driver_that_is_killed_within_a_race_loses_that_one_alone(search, tmp_path, foldwise):
    script = tmp_path / "driver.py"
    script.write_text(RACED_SCRIPT)
    place = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    killed = subprocess.run([sys.executable, script, search.out, "62"], env=place, check=False)
    assert killed.returncode == -signal.SIGKILL
    before = Run(search.out).records()
    (in_flight,) = [record.candidate for record in before if record.state == "running"]
    stopped = {record.candidate for record in before if record.raced}
    assert stopped
    evaluator = foldwise()
    run = search(evaluator, trials=24, reference_share=0.0, sampler="random", resume=True)
    again = {digest for digest, _ in evaluator.trained}
    assert in_flight in again
    assert not again & (stopped | {record.candidate for record in before if record.evaluated})
    counts = run.status()["trials"]
    assert (counts["complete"] + counts["raced"], counts["running"], counts["interrupted"]) == (24, 0, 1)


PACKED_SCRIPT = """
import os, signal, sys
from conftest import Packed, ToySpace
from fusearch.search import run_search

class Killed(Packed):
    given = 0

    def recipes(self, candidates, budget, report, **asked):
        for news in super().recipes(candidates, budget, report, **asked):
            yield news
            self.given += len(candidates) > 1
            if self.given == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)

rates = tuple(1e-4 * 1.01**step for step in range(300))
run_search(ToySpace(rates=rates), Killed(), objectives=["score:max", "macs"], out=sys.argv[1], executor="inline", trials=40,
           reference_share=0, sampler="random", recipes=4)
"""


def test_a_driver_that_is_killed_within_a_pack_loses_its_unfinished_recipes_alone(search, tmp_path, toy_space, packed):
    """It dies in the third pack, when two recipes of it have been outrun and told."""
    script = tmp_path / "driver.py"
    script.write_text(PACKED_SCRIPT)
    place = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    killed = subprocess.run([sys.executable, script, search.out, "28"], env=place, check=False)
    assert killed.returncode == -signal.SIGKILL
    before = Run(search.out).records()
    in_flight = [record for record in before if record.state == "running"]
    (pack,) = {record.pack for record in in_flight}
    told = {record.candidate for record in before if record.evaluated or record.raced}
    assert len(in_flight) == 2
    assert sum(record.pack == pack and record.state == "pruned" for record in before) == 2
    evaluator, rates = packed(), tuple(1e-4 * 1.01**step for step in range(300))
    settings = {"trials": 40, "reference_share": 0.0, "sampler": "random", "recipes": 4}
    run = search(evaluator, space=toy_space(rates=rates), resume=True, **settings)
    assert evaluator.packs[0] == [record.candidate for record in in_flight], "they come back together, and none of them is outrun"
    assert not {digest for digest, _ in evaluator.trained} & told
    after = run.records()
    assert [record.state for record in after[: len(before)] if record.state != "failed"] == [
        record.state for record in before if record.state != "running"
    ]
    counts = run.status()["trials"]
    assert (counts["complete"] + counts["raced"], counts["running"], counts["interrupted"]) == (40, 0, 2)
    assert {record.state for record in after if record.candidate in {each.candidate for each in in_flight}} == {"failed", "complete"}
