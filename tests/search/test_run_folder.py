"""The run folder: whole or not at all, one driver at a time, mended after a crash."""

import errno

import numpy as np
import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from fusearch.contracts import Objective
from fusearch.errors import RunError
from fusearch.search.configuration import describe_run
from fusearch.search.run_folder import check_resume, create_folder, driven, mend_journal, open_folder, save_predictions, writing
from fusearch.settings import Settings

optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture
def config(space, toy_evaluator):
    return describe_run(space, toy_evaluator, [Objective.parse("score:max")], Settings())


@pytest.fixture
def folder(tmp_path, config):
    create_folder(tmp_path / "deep" / "run", config, ["maximize"])
    return tmp_path / "deep" / "run"


def test_a_new_folder_holds_configuration_study_and_predictions(folder, config):
    assert sorted(path.name for path in folder.iterdir()) == ["config.yaml", "predictions", "study.journal"]
    assert check_resume(folder, config) == {**config, "resumed": [config["command"]]}
    assert open_folder(folder, config).trials == []


def test_what_a_killed_writer_left_is_cleaned_when_a_run_goes_on(folder, config):
    (folder / "predictions" / ".a.npz.1234.part").write_bytes(b"half")
    (folder / ".config.yaml.5678.part").write_bytes(b"half")
    (folder / ".export.9.part").mkdir()
    open_folder(folder, config)
    assert list(folder.rglob("*.part")) == []


def test_a_run_that_goes_on_keeps_the_command_that_made_it(folder, config):
    again = check_resume(folder, {**config, "command": ["fusearch", "search", "--resume"]})
    assert (again["command"], again["resumed"]) == (config["command"], [["fusearch", "search", "--resume"]])


def test_a_folder_that_could_not_be_finished_leaves_nothing(tmp_path, config, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fusearch.search.run_folder._create_study", full)
    with pytest.raises(RunError, match=r"cannot write run folder .*run': No space left on device"):
        create_folder(tmp_path / "run", config, ["maximize"])
    assert list(tmp_path.iterdir()) == []


def test_the_lock_is_held_by_one(folder):
    with driven(folder), pytest.raises(RunError, match="is being driven by another process: wait for it"), driven(folder):
        pytest.fail("entered twice")
    with driven(folder):
        pass


def test_a_journal_that_was_cut_off_is_mended(folder, config):
    study = open_folder(folder, config)
    study.enqueue_trial({"x": 1})
    journal = folder / "study.journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":4,"worker_id":"ab')
    (folder / "study.journal.lock").symlink_to(journal)
    study = open_folder(folder, config)
    assert journal.read_bytes() == whole
    study.enqueue_trial({"x": 2})
    again = optuna.load_study(study_name="fusearch", storage=JournalStorage(JournalFileBackend(str(journal))))
    assert len(again.trials) == 2


def test_a_whole_journal_is_left_alone(folder):
    before = (folder / "study.journal").read_bytes()
    mend_journal(folder / "study.journal")
    assert (folder / "study.journal").read_bytes() == before


def test_predictions_are_written_whole(folder):
    save_predictions(folder, "abc", {"probabilities": np.eye(2)})
    save_predictions(folder, "empty", {})
    assert [path.name for path in (folder / "predictions").iterdir()] == ["abc.npz"]
    with np.load(folder / "predictions" / "abc.npz") as arrays:
        assert np.array_equal(arrays["probabilities"], np.eye(2))


def test_refusals_of_the_system_are_one_line(folder):
    with pytest.raises(RunError, match=r"cannot write run folder .*: Permission denied"), writing(folder):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_a_storage_that_cannot_be_opened_is_one_line(tmp_path, config):
    config = {**config, "study": {"storage": f"sqlite:///{tmp_path}/missing/studies.db", "name": "fusearch-x"}}
    with pytest.raises(RunError, match=r"cannot create a study in 'sqlite:///.*unable to open database file"):
        create_folder(tmp_path / "run", config, ["maximize"])
    assert list(tmp_path.iterdir()) == []
