"""What a trial carries, written and read; the study as a list of records."""

import math

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from fusearch.errors import RunError
from fusearch.study import (
    JOURNAL,
    STOPPED,
    STUDY_NAME,
    TrialFacts,
    TrialRecord,
    enqueue_facts,
    kind_of_reason,
    open_study,
    read_records,
    read_trial,
    readable_reason,
    write_trial,
)

optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture
def study(tmp_path):
    storage = JournalStorage(JournalFileBackend(str(tmp_path / JOURNAL)))
    return optuna.create_study(study_name=STUDY_NAME, storage=storage, directions=["maximize", "minimize"])


texts = st.text(min_size=1, max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
numbers = st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False), max_size=3)
facts = st.builds(
    TrialFacts,
    formula=st.text(max_size=8),
    digest=st.text(max_size=8),
    candidate=st.text(max_size=8),
    recipe=st.dictionaries(texts, plain, max_size=3),
    rebuilt_from=st.none() | st.dictionaries(texts, plain, min_size=1, max_size=3),
    reference=st.none() | texts,
    budget=st.fixed_dictionaries({}, optional={"epochs": st.none() | st.integers(1), "members": st.none() | st.integers(1)}),
    values=numbers,
    spread=numbers,
    details=st.dictionaries(texts, plain, max_size=3),
    seconds=st.none() | st.floats(0, 1e6),
    reason=st.none() | texts,
    repeat_of=st.none() | st.integers(0, 1000),
)


@given(facts)
def test_reading_gives_back_what_was_written(written):
    study = optuna.create_study()
    trial = study.ask()
    write_trial(trial, written)
    assert read_trial(trial) == read_trial(study.trials[0]) == written
    enqueue_facts(study, {}, written)
    assert read_trial(study.trials[1]) == written


@given(facts, facts)
def test_writing_again_keeps_what_the_new_facts_do_not_know(first, second):
    trial = optuna.create_study().ask()
    write_trial(trial, first)
    write_trial(trial, second)
    assert read_trial(trial).attributes() == first.attributes() | second.attributes()


@given(facts)
def test_what_is_proposed_and_what_is_found_are_told_apart(written):
    proposed, found = written.proposed.attributes(), written.found.attributes()
    assert not proposed.keys() & found.keys()
    assert {name: written.attributes()[name] for name in proposed | found} == proposed | found
    assert not (proposed | found).keys() & {"seconds", "reason", "repeat_of"}, "these are one trial's own"


def test_what_is_written_survives_the_journal(study, tmp_path):
    written = TrialFacts("a@L ->", "abc", "def", {"width": 8}, budget={"epochs": 1, "members": None}, values={"auroc": 0.1 + 0.2})
    trial = study.ask()
    write_trial(trial, written)
    assert read_trial(open_study(tmp_path).trials[0]) == written


def test_a_trial_of_version_0_1_0_has_no_budget_and_is_read():
    trial = optuna.create_study().ask()
    for name, value in {"formula": "a@L ->", "graph_digest": "abc", "digest": "def", "values": {"auroc": 0.9}}.items():
        trial.set_user_attr(name, value)
    assert read_trial(trial) == TrialFacts("a@L ->", "abc", "def", values={"auroc": 0.9})


def test_every_state_has_its_record(study):
    complete, failed, pruned, _running = (study.ask() for _ in range(4))
    values = {"auroc": 0.9, "macs": 10.0, "brier": 0.1}
    write_trial(complete, TrialFacts("mrna@L ->", "abc", "def", values=values, reference="best_unimodal", seconds=1.5))
    study.tell(complete, [0.9, 10.0])
    write_trial(failed, TrialFacts(reason="boom"))
    study.tell(failed, state=TrialState.FAIL)
    study.tell(pruned, state=TrialState.PRUNED)
    study.enqueue_trial({})
    records = read_records(study, ["auroc", "macs"])
    assert [record.state for record in records] == ["complete", "failed", "pruned", "running", "waiting"]
    first = records[0]
    assert (first.formula, first.digest, first.candidate) == ("mrna@L ->", "abc", "def")
    assert first.objectives == {"auroc": 0.9, "macs": 10.0}
    assert first.values["brier"] == 0.1
    assert (first.reference, first.seconds, first.repeat_of) == ("best_unimodal", 1.5, None)
    assert first.started == 0.0
    assert first.ended >= first.started
    assert records[1].reason == "boom"
    assert records[4].started is None
    assert [record.objectives for record in records[1:]] == [{}] * 4


def test_what_counts_as_evaluated_and_what_as_interrupted(study):
    for reason, repeat_of, state in (
        (None, None, TrialState.COMPLETE),
        (None, 0, TrialState.COMPLETE),
        ("boom", None, TrialState.FAIL),
        (STOPPED, None, TrialState.FAIL),
    ):
        trial = study.ask()
        write_trial(trial, TrialFacts(reason=reason, repeat_of=repeat_of))
        study.tell(
            trial, *([[0.5, 1.0]] if state == TrialState.COMPLETE else []), **({} if state == TrialState.COMPLETE else {"state": state})
        )
    records = read_records(study, ["auroc", "macs"])
    assert [record.evaluated for record in records] == [True, False, False, False]
    assert [record.interrupted for record in records] == [False, False, False, True]


def test_a_study_is_opened_from_its_folder_or_its_storage(study, tmp_path):
    assert open_study(tmp_path).study_name == STUDY_NAME
    url = f"sqlite:///{tmp_path}/studies.db"
    optuna.create_study(study_name="mine", storage=url, directions=["maximize"])
    assert open_study(tmp_path, url, "mine").study_name == "mine"


def test_what_is_no_study_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"no run in .*: expected a file 'study.journal' there"):
        open_study(tmp_path)
    url = f"sqlite:///{tmp_path}/studies.db"
    optuna.create_study(study_name="mine", storage=url, directions=["maximize"])
    with pytest.raises(RunError, match="no study named 'yours'"):
        open_study(tmp_path, url, "yours")
    with pytest.raises(RunError, match="cannot read the study in 'nonsense://x'"):
        open_study(tmp_path, "nonsense://x")


def test_reading_does_not_disturb_a_line_that_is_being_written(study, tmp_path):
    study.tell(study.ask(), [0.5, 1.0])
    with (tmp_path / JOURNAL).open("ab") as journal:
        journal.write(b'{"op_code":')
        journal.flush()
        assert len(read_records(open_study(tmp_path), ["auroc", "macs"])) == 1


def record(**facts):
    return TrialRecord(number=0, state="complete", formula="mrna@L ->", **facts)


@pytest.mark.parametrize(
    ("details", "budget", "expected"),
    [
        ({"members": 5}, {}, 5),
        ({"members": [{"fold": 0}, {"fold": 1}]}, {}, 2),
        ({"members": [{"fold": 0}, {"fold": 1}]}, {"members": 3}, 2),
        ({}, {"members": 3}, 1),
        ({"members": None}, {}, 1),
        ({"members": []}, {}, 1),
        ({"members": 0}, {}, 1),
    ],
)
def test_members_are_those_behind_the_means(details, budget, expected):
    assert record(details=details, budget=budget).num_members == expected


def test_standard_error_is_the_spread_over_the_root_of_the_members():
    trial = record(details={"members": 4}, spread={"auroc": 0.1, "brier": math.nan})
    assert trial.standard_error("auroc") == pytest.approx(0.05)
    assert trial.standard_error("brier") is None
    assert trial.standard_error("macs") is None


def test_a_fold_in_which_a_metric_is_undefined_is_no_member_of_its_standard_error():
    """Five folds, two of them without a positive row: three values tell the error, not five, and not the spread over sqrt(5)."""
    values = [0.7, None, 0.8, math.nan, 0.9]
    members = [{"fold": fold, "seed": 0, "metrics": {"auroc": value, "log_loss": 0.5 + fold / 10}} for fold, value in enumerate(values)]
    trial = record(details={"members": members}, spread={"auroc": 0.1, "log_loss": 0.1})
    assert trial.by_fold("auroc") == {0: 0.7, 2: 0.8, 4: 0.9}
    assert trial.standard_error("auroc") == pytest.approx(0.1 / math.sqrt(3))
    assert trial.standard_error("log_loss") == pytest.approx(np.std([0.5, 0.6, 0.7, 0.8, 0.9], ddof=1) / math.sqrt(5))
    one = record(details={"members": members[:2]}, spread={})
    assert one.standard_error("auroc") is None


def test_a_value_is_an_objective_or_else_what_was_reported():
    trial = record(objectives={"auroc": 0.9}, values={"auroc": 0.8, "macs": 10.0})
    assert (trial.value("auroc"), trial.value("macs")) == (0.9, 10.0)
    assert math.isnan(trial.value("brier"))


def test_a_record_shows_what_people_read_of_it() -> None:
    bulk = {"details": {"members": list(range(500))}, "rebuilt_from": {"graph": list(range(500))}, "budget": {"epochs": 3}}
    shown = repr(TrialRecord(number=7, state="complete", formula="a@L ->", objectives={"auroc": 0.9}, **bulk))
    assert len(shown) < 400
    assert "formula='a@L ->'" in shown
    assert "objectives={'auroc': 0.9}" in shown


def test_failures_are_of_one_kind_where_numbers_alone_differ() -> None:
    first, second = "ValueError: 3 rows, expected 4\n  at x", "ValueError: 12 rows, expected 4.5e3"
    assert kind_of_reason(first) == kind_of_reason(second) == "ValueError: # rows, expected #"
    assert kind_of_reason("x") == "x"
    assert kind_of_reason("no <A object at 0x7f3ab0>") == kind_of_reason("no <A object at 0xcafe12>") == "no <A object at #>"
    one, other = (readable_reason("no " + "x" * 5000 + f" at {number}") for number in (7.25, 1234567.5))
    assert one != other
    assert kind_of_reason(one) == kind_of_reason(other)
    assert kind_of_reason(None) == kind_of_reason("  \n") == "no reason was recorded"


def test_a_reason_is_kept_short_and_visible() -> None:
    assert readable_reason("ValueError: é 数\nat x") == "ValueError: é 数\nat x"
    assert readable_reason("a\x00b\x1b[0m\ud800\u202e") == "a\\x00b\\x1b[0m\\ud800\\u202e"
    long = readable_reason("head " + "x" * 5000 + " tail")
    assert long.startswith("head xxx")
    assert long.endswith("xxx tail")
    assert "(3,210 characters left out)" in long
    assert len(long) < 1900
