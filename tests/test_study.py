"""The study as a list of records."""

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from fusearch.errors import RunError
from fusearch.layout import JOURNAL
from fusearch.study import STOPPED, STUDY_NAME, open_study, read_records

optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture
def study(tmp_path):
    storage = JournalStorage(JournalFileBackend(str(tmp_path / JOURNAL)))
    return optuna.create_study(study_name=STUDY_NAME, storage=storage, directions=["maximize", "minimize"])


def test_every_state_has_its_record(study):
    complete, failed, pruned, _running = (study.ask() for _ in range(4))
    complete.set_user_attr("formula", "mrna@L ->")
    complete.set_user_attr("graph_digest", "abc")
    complete.set_user_attr("digest", "def")
    complete.set_user_attr("values", {"auroc": 0.9, "macs": 10.0, "brier": 0.1})
    complete.set_user_attr("reference", "best_unimodal")
    complete.set_user_attr("seconds", 1.5)
    study.tell(complete, [0.9, 10.0])
    failed.set_user_attr("reason", "boom")
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
        for name, value in (("reason", reason), ("repeat_of", repeat_of)):
            if value is not None:
                trial.set_user_attr(name, value)
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
