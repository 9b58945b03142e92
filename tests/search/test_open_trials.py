"""What is not finished is found without looking through what is, and is what Optuna finds; what is asked for carries the mark."""

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from fusearch.search.open_trials import AskedDatabase, OpenTrialsJournal
from fusearch.study import database, is_foreign

optuna.logging.set_verbosity(optuna.logging.WARNING)
SETS = (
    None,
    (TrialState.WAITING,),
    (TrialState.RUNNING,),
    (TrialState.WAITING, TrialState.RUNNING),
    (TrialState.COMPLETE, TrialState.RUNNING),
)


def test_every_question_is_answered_as_optuna_answers_it_also_for_trials_of_another_process(tmp_path):
    backend = JournalFileBackend(str(tmp_path / "journal"))
    ours = optuna.create_study(study_name="s", storage=OpenTrialsJournal(backend))
    other = optuna.load_study(study_name="s", storage=JournalStorage(JournalFileBackend(str(tmp_path / "journal"))))
    running = []
    for step in range(30):
        (ours if step % 3 else other).enqueue_trial({"x": step})
        if step % 2:
            running.append((other if step % 5 == 0 else ours).ask())
        if step % 4 == 3:
            other.tell(running.pop(0).number, 1.0 if step % 8 == 3 else None, state=None if step % 8 == 3 else TrialState.FAIL)
        for states in SETS:
            assert ours.get_trials(deepcopy=False, states=states) == other.get_trials(deepcopy=False, states=states)


def test_a_copy_is_handed_over_where_one_is_asked_for(tmp_path):
    study = optuna.create_study(storage=OpenTrialsJournal(JournalFileBackend(str(tmp_path / "journal"))))
    study.enqueue_trial({"x": 1})
    study.get_trials(states=(TrialState.WAITING,))[0].system_attrs.clear()
    assert study.get_trials(deepcopy=False, states=(TrialState.WAITING,))[0].system_attrs == {"fixed_params": {"x": 1}}


def test_a_study_that_is_not_there_is_an_error_as_optuna_has_it(tmp_path):
    with pytest.raises(KeyError):
        OpenTrialsJournal(JournalFileBackend(str(tmp_path / "journal"))).get_all_trials(7, states=(TrialState.WAITING,))


@pytest.mark.parametrize("kind", ["journal", "database"])
def test_what_a_driver_asks_for_is_marked_with_the_operation_that_makes_it(tmp_path, kind):
    def open_storage():
        if kind == "journal":
            return OpenTrialsJournal(JournalFileBackend(str(tmp_path / "journal")))
        return AskedDatabase(database(f"sqlite:///{tmp_path / 'studies.db'}"))

    study = optuna.create_study(study_name="s", storage=open_storage())
    lines = (tmp_path / "journal").read_bytes().count(b"\n") if kind == "journal" else 0
    trial = study.ask()
    if kind == "journal":
        assert (tmp_path / "journal").read_bytes().count(b"\n") == lines + 1
    study.tell(trial, trial.suggest_float("x", 0.0, 1.0))
    study.enqueue_trial({"x": 0.5})
    asked, queued = optuna.load_study(study_name="s", storage=open_storage()).get_trials()
    assert (asked.state, asked.value, is_foreign(asked)) == (TrialState.COMPLETE, asked.params["x"], False)
    assert asked.datetime_start <= asked.datetime_complete
    assert (queued.state, is_foreign(queued)) == (TrialState.WAITING, True)
