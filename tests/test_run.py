"""A run as its folder and study tell it: front, references, choices, status."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from typing import Any

import optuna
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from fusearch.errors import ObjectiveError, RunError
from fusearch.layout import JOURNAL
from fusearch.run import Run, other_data, read_config
from fusearch.study import DRIVER, FORMAT, STOPPED, STUDY_NAME, TrialFacts, write_trial

optuna.logging.set_verbosity(optuna.logging.WARNING)
OBJECTIVES = [
    {"name": "auroc", "direction": "maximize", "bound": None, "cheap": False},
    {"name": "macs", "direction": "minimize", "bound": None, "cheap": True},
]


class Folder:
    """A run folder, written by hand."""

    def __init__(self, path, objectives=OBJECTIVES, **config):
        self.path, self.objectives = path, objectives
        path.mkdir(exist_ok=True)
        (path / "config.yaml").write_text(
            yaml.safe_dump({"format": FORMAT, "objectives": objectives, "search": {"trials": 20, "workers": 2}, **config})
        )
        storage = JournalStorage(JournalFileBackend(str(path / JOURNAL)))
        directions = [objective["direction"] for objective in objectives]
        self.study = optuna.create_study(study_name=STUDY_NAME, storage=storage, directions=directions)

    def add(self, graph, auroc=None, macs=None, recipe="a", *, spread=0.0, members=1, state=None, **attributes):
        """Add a trial; the digests are readable: graph `g1` with recipe `a` is candidate `g1a`."""
        trial = self.study.ask()
        values = {"auroc": auroc, "macs": macs, "log_loss": 1 - (auroc or 0), "auroc_without.rna": -(macs or 0), "mine": 1.0}
        facts = TrialFacts(f"{graph} ->", graph, graph + recipe, {"width": 8}, seconds=2.0)
        if auroc is not None:
            facts = replace(facts, values=values, spread={"auroc": spread}, details={"members": members})
        write_trial(trial, replace(facts, **attributes))
        if state is None:
            self.study.tell(trial, [values[objective["name"]] for objective in self.objectives])
        elif state != "running":
            self.study.tell(trial, state=optuna.trial.TrialState[state])

    def drive(self, state, pid=None, host=None, reason=None):
        driver = {"pid": pid or os.getpid(), "host": host or socket.gethostname(), "state": state, "reason": reason}
        self.study.set_user_attr(DRIVER, driver)


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "run")


# The front


def test_the_front_shows_each_graph_once_with_its_best_recipe(folder):
    folder.add("g1", 0.90, 100, "a")
    folder.add("g1", 0.88, 40, "b")
    folder.add("g1", 0.85, 200, "c")
    folder.add("g2", 0.80, 20)
    folder.add("g3", 0.79, 30)
    folder.add("g4", 0.80, 20)
    assert [record.candidate for record in Run(folder.path).front()] == ["g1a", "g2a", "g4a"]


def test_a_dominated_candidate_is_not_shown_though_its_dominator_is_shown_with_another_recipe(folder):
    folder.add("g1", 0.90, 100, "a")
    folder.add("g1", 0.88, 40, "b")
    folder.add("g2", 0.87, 50)
    assert [record.candidate for record in Run(folder.path).front()] == ["g1a"]


def test_references_take_part_repeats_failures_and_broken_bounds_do_not(tmp_path):
    bounded = [{**OBJECTIVES[0], "bound": 0.7}, OBJECTIVES[1]]
    folder = Folder(tmp_path / "run", bounded)
    folder.add("g1", 0.90, 100, reference="late")
    folder.add("g1", 0.90, 100, repeat_of=0)
    folder.add("g2", 0.69, 1)
    folder.add("g3", state="FAIL", reason="boom")
    folder.add("g4", state="running")
    assert [record.number for record in Run(folder.path).front()] == [0]


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=12))
def test_laws_of_the_front(tmp_path_factory, points):
    folder = Folder(tmp_path_factory.mktemp("run") / "run")
    for index, (auroc, macs, graph) in enumerate(points):
        folder.add(f"g{graph}", float(auroc), float(macs), f"r{index}")
    run = Run(folder.path)
    front = run.front()
    assert len({record.digest for record in front}) == len(front) >= 1
    aurocs = [record.objectives["auroc"] for record in front]
    assert aurocs == sorted(aurocs, reverse=True)
    for record in front:
        mine = record.objectives
        assert not any(
            other.objectives != mine and other.objectives["auroc"] >= mine["auroc"] and other.objectives["macs"] <= mine["macs"]
            for other in run.records()
        )
    assert {run.pick("knee").digest, run.pick("best:auroc").digest, run.pick("best:macs").digest} <= {record.digest for record in front} | {
        record.digest for record in run.records() if record.objectives["macs"] == min(row.objectives["macs"] for row in run.records())
    }


def test_the_primary_objective_orders_the_front_wherever_it_stands(tmp_path):
    folder = Folder(tmp_path / "run", OBJECTIVES[::-1])
    folder.add("g1", 0.7, 10)
    folder.add("g2", 0.9, 90)
    run = Run(folder.path)
    assert run.primary.name == "auroc"
    assert [record.digest for record in run.front()] == ["g2", "g1"]


# References


def test_each_role_is_told_by_its_best_record(folder):
    folder.add("late1", 0.7, 50, reference="late")
    folder.add("late1", 0.8, 60, "b", reference="late")
    folder.add("uni1", 0.6, 10, reference="best_unimodal")
    folder.add("uni2", 0.65, 10, reference="best_unimodal")
    folder.add("late1", 0.8, 60, "b", reference="late", repeat_of=1)
    folder.add("lin", state="FAIL", reference="linear")
    references = Run(folder.path).references()
    assert {role: record.number for role, record in references.items()} == {"best_unimodal": 3, "late": 1}
    assert list(references) == ["best_unimodal", "late"]


# Choices


@pytest.fixture
def choices(folder):
    folder.add("best", 0.90, 1000, spread=0.04, members=4)
    folder.add("near", 0.885, 50)
    folder.add("edge", 0.88, 40)
    folder.add("far", 0.87, 1)
    folder.add("near2", 0.886, 60, "b")
    return Run(folder.path)


def test_simplest_is_the_cheapest_within_one_standard_error_of_the_best(choices):
    assert choices.pick("simplest").digest == choices.pick().digest == "edge"


def test_simplest_without_spread_is_the_best_and_of_equals_the_cheapest(folder):
    folder.add("dear", 0.9, 1000)
    folder.add("cheap", 0.9, 500)
    folder.add("cheaper", 0.89, 1)
    assert Run(folder.path).pick().digest == "cheap"


def test_members_may_be_given_as_a_list(folder):
    folder.add("best", 0.90, 1000, spread=0.04, members=[0, 1, 2, 3])
    folder.add("edge", 0.885, 40)
    assert Run(folder.path).pick().digest == "edge"


def test_simplest_without_a_cost_among_the_objectives_goes_by_macs(tmp_path):
    folder = Folder(tmp_path / "run", OBJECTIVES[:1])
    folder.add("best", 0.90, 1000, spread=0.1, members=4)
    folder.add("small", 0.85, 10)
    assert Run(folder.path).pick().digest == "small"


def test_knee_best_and_digest(choices):
    assert choices.pick("knee").digest in {record.digest for record in choices.front()}
    assert choices.pick("best:auroc").digest == "best"
    assert choices.pick("best:macs").digest == "far"
    assert choices.pick("best:log_loss").digest == "best"
    assert choices.pick("best:auroc_without.rna").digest == "far"
    assert choices.pick("far").digest == "far"
    assert choices.pick("near2b").candidate == "near2b"


def test_a_digest_of_a_graph_gives_its_best_recipe(folder):
    folder.add("abc", 0.7, 10, "x")
    folder.add("abc", 0.8, 20, "y")
    run = Run(folder.path)
    assert run.pick("ab").candidate == "abcy"
    assert run.pick("abcx").candidate == "abcx"


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ("nea", RunError, "'nea' fits 2 designs of run"),
        ("zzz", RunError, "no design 'zzz' in run"),
        ("simples", RunError, "did you mean 'simplest'?"),
        ("", RunError, "no design '' in run"),
        ("teem", RunError, "did you mean 'team'?"),
        ("team", RunError, "'team' is several designs"),
        ("best:aurok", ObjectiveError, "metric 'aurok' is not among the values of run"),
        ("best:mine", ObjectiveError, "metric 'mine': whether more is better is not known"),
    ],
)
def test_choices_that_cannot_be_made_are_refused(choices, how, error, message):
    with pytest.raises(error) as caught:
        choices.pick(how)
    assert message in str(caught.value)


def test_an_empty_run_has_nothing_to_pick(folder):
    with pytest.raises(RunError, match="has no complete trial within the bounds to pick from"):
        Run(folder.path).pick()


# Status


def test_status_is_the_document_of_the_command_line(folder):
    folder.add("g1", 0.9, 100, spread=0.02, reference="late")
    folder.add("g2", 0.8, 50)
    folder.add("g2", 0.8, 50, repeat_of=1)
    folder.add("g3", state="FAIL", reason="boom")
    folder.add("g3", state="FAIL", reason="boom", repeat_of=3)
    folder.add("g4", state="FAIL", reason=STOPPED)
    folder.add("g5", state="PRUNED", reason="macs is 9, bound <= 1")
    folder.add("g5b", state="PRUNED", reason="macs is 8, bound <= 1")
    folder.add("g6", state="running")
    folder.study.enqueue_trial({})
    folder.drive("running")
    status = Run(folder.path).status()
    assert json.loads(json.dumps(status)) == status
    assert status["state"] == "running"
    assert status["trials"] == {
        "complete": 2,
        "raced": 0,
        "failed": 1,
        "running": 1,
        "repeated": 1,
        "pruned": 2,
        "interrupted": 1,
        "waiting": 1,
        "total": 20,
    }
    assert status["refused"] == {"macs is 9, bound <= 1": 2}
    assert status["objectives"] == [{"name": "auroc", "direction": "maximize"}, {"name": "macs", "direction": "minimize"}]
    first = status["front"][0]
    assert (first["digest"], first["formula"], first["trial"]) == ("g1", "g1 ->", 0)
    assert first["values"]["auroc"] == 0.9
    assert status["references"]["late"]["digest"] == "g1"
    assert {name: entry["digest"] for name, entry in status["best"].items()} == {"auroc": "g1", "macs": "g2"}
    # Reference point (0.79, 105): (0.9 - 0.79) * (105 - 100) + (0.8 - 0.79) * (100 - 50)
    assert status["hypervolume_reference"] == pytest.approx([0.79, 105])
    assert status["hypervolume"] == pytest.approx(0.11 * 5 + 0.01 * 50)
    assert status["seconds_left"] == pytest.approx((20 - 3) * 2.0 / 2)


def test_the_time_left_is_that_of_the_workers_that_were_seen(tmp_path):
    """Where no number of workers was asked for, and the first trial of each took longer."""
    made = Folder(tmp_path / "run", search={"trials": 20})
    for number in range(6):
        details = {"members": 1, "worker": number % 3}
        made.add(f"g{number}", 0.9, 100, details=details, seconds=20.0 if number < 3 else 2.0)
    made.drive("running")
    assert Run(made.path).status()["seconds_left"] == pytest.approx((20 - 6) * 2.0 / 3)


def test_trials_of_someone_else_are_neither_counted_nor_shown(folder):
    folder.add("g1", 0.5, 10)
    folder.drive("finished")
    before = Run(folder.path).status()
    for state in (None, "FAIL", "PRUNED", "running"):
        trial = folder.study.ask()
        trial.suggest_float("x", 0.0, 1.0)
        if state is None:
            folder.study.tell(trial, [1.0, 0.0])
        elif state != "running":
            folder.study.tell(trial, state=optuna.trial.TrialState[state])
    run = Run(folder.path)
    assert run.status() == before
    assert [record.digest for record in run.front()] == ["g1"]
    assert run.pick().digest == "g1"


def test_status_of_a_run_that_has_just_begun(folder):
    status = Run(folder.path).status()
    assert (status["front"], status["references"], status["hypervolume"], status["seconds_left"]) == ([], {}, None, None)


def test_a_driver_that_is_gone_is_told(folder):
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    process.wait()
    folder.drive("running", pid=process.pid)
    status = Run(folder.path).status()
    assert (status["state"], status["reason"]) == ("stopped", f"its driver (pid {process.pid}) is gone; resume to go on")
    folder.drive("running", pid=process.pid, host="elsewhere")
    assert Run(folder.path).status()["state"] == "running"
    folder.drive("finished", pid=process.pid, reason="20 trials are done")
    assert Run(folder.path).status()["state"] == "finished"


def test_records_are_read_anew_each_time(folder):
    run = Run(folder.path)
    assert run.records() == []
    folder.add("g1", 0.9, 100)
    assert [record.digest for record in run.records()] == ["g1"]


# One reading


def test_what_was_read_stays_as_it_was_though_the_search_goes_on(folder):
    folder.add("g1", 0.9, 100)
    run = Run(folder.path)
    trials = run.read()
    folder.add("g2", 0.95, 50, reference="late")
    folder.drive("finished")
    assert [record.digest for record in trials.front] == ["g1"]
    assert trials.references == {}
    assert (trials.pick().digest, trials.status()["trials"]["complete"], trials.status()["state"]) == ("g1", 1, "stopped")
    assert (run.pick().digest, run.status()["trials"]["complete"], run.status()["state"]) == ("g2", 2, "finished")


@pytest.mark.parametrize("ask", [Run.status, Run.front, Run.references, Run.pick, Run.feasible, Run.records])
def test_each_answer_reads_the_study_once(folder, monkeypatch, ask):
    folder.add("g1", 0.9, 100)
    run = Run(folder.path)
    reads = []
    get_trials = run.study.get_trials
    monkeypatch.setattr(run.study, "get_trials", lambda **options: reads.append(1) or get_trials(**options))
    ask(run)
    assert len(reads) == 1


def test_the_driver_is_asked_before_the_trials(folder, monkeypatch):
    """A driver that finishes between the two leaves no trial that runs in a finished search."""
    folder.add("g1", state="running")
    folder.drive("running")
    run = Run(folder.path)
    get_trials = run.study.get_trials

    def finish_meanwhile(**options):
        trials = get_trials(**options)
        folder.drive("finished")
        return trials

    monkeypatch.setattr(run.study, "get_trials", finish_meanwhile)
    status = run.status()
    assert (status["state"], status["trials"]["running"]) == ("running", 1)


# What is no run


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "expected a file 'config.yaml' there"),
        ("a: [", "cannot read"),
        ("- 1", "a list, expected the configuration of a run"),
        ("format: 1\nformat: 1", "line 2, column 1: the key 'format' stands twice"),
        ("format: 1", "is not the configuration of a run"),
        ("format: 1\nobjectives: []", "objectives: [], expected a list of one or more"),
        ("format: 1\nobjectives: auroc", "objectives: 'auroc', expected a list of one or more, each with a name and a direction"),
        ("format: 1\nobjectives: [{name: auroc}]", "objectives: [{'name': 'auroc'}], expected a list"),
        (
            f"format: {FORMAT + 1}\nfusearch: 9.9\nobjectives: []",
            f"is of format {FORMAT + 1} (fusearch 9.9), this fusearch reads formats up to {FORMAT}",
        ),
    ],
)
def test_what_is_no_run_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "config.yaml").write_text(content)
    with pytest.raises(RunError) as caught:
        read_config(tmp_path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_says_where_it_is(folder):
    assert repr(Run(folder.path)) == f"Run({str(folder.path)!r})"


def test_the_design_that_a_strategy_ended_with(choices):
    with pytest.raises(RunError, match="has no decision of its strategy 'graph' to pick"):
        choices.pick("strategy")
    (choices.path / "strategy.json").write_text(json.dumps({"strategy": "pareto-ensemble", "candidate": "fara"}))
    assert choices.pick("strategy").candidate == "fara"


def test_a_file_that_is_no_decision_is_one_line(choices):
    for content in ("[]", "{", "{}"):
        (choices.path / "strategy.json").write_text(content)
        with pytest.raises(RunError, match=r"strategy.json' is not the decision of a strategy"):
            choices.read()


def test_what_is_other_of_given_weights_is_named_and_not_the_data() -> None:
    one = {"modality": "cxr", "encoder": "resnet", "file": "a.pt", "digest": "01", "freeze": 0}
    changed = "the data changed, fingerprint before in the run and now now"

    def told(before: list[dict[str, Any]] | None, now: list[dict[str, Any]]) -> str | None:
        kept = {} if before is None else {"given_weights": before}
        return other_data({"fingerprint": "before", **kept}, {"fingerprint": "now", "given_weights": now})

    assert told(None, [one]) == changed, "runs once kept nothing of them"
    assert told([one], [dict(one)]) == changed
    assert told([], [one]) == "cxr:resnet starts from weights 'a.pt' now, and from none in the run"
    assert told([one], []) == "cxr:resnet starts from weights 'a.pt' in the run, and from none now"
    assert told([one], [{**one, "freeze": ["stem"]}]) == "`freeze` of cxr:resnet changed, 0 in the run and ['stem'] now"
    moved = {**one, "file": "b.pt"}
    assert told([one], [moved]) == changed, "the content counts"
    weights = "weights 'b.pt' ('a.pt' in the run) of cxr:resnet changed, digest 01 in the run and 02 now"
    assert told([one], [{**moved, "digest": "02"}]) == weights
    assert other_data({"fingerprint": "one", "given_weights": [one]}, {"fingerprint": "one"}) is None
