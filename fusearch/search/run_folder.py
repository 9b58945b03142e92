"""The run folder: made at once or not at all, locked while it is driven, checked before it is gone on with."""

from __future__ import annotations

import io
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from fusearch.contracts import Direction, read_objectives
from fusearch.errors import FusearchError, RunError
from fusearch.layout import CONFIG, JOURNAL, JOURNAL_LOCK, LOCK, PREDICTIONS, predictions_file, replace_file, whole_folder
from fusearch.run import other_data, read_config
from fusearch.search.open_trials import AskedDatabase, OpenTrialsJournal
from fusearch.search_space import SearchSpace
from fusearch.study import DRIVER, STUDY_NAME, database, open_study, storage_failure
from fusearch.yaml_file import dump_yaml, parse_yaml

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "check_resume",
    "create_folder",
    "discard_folder",
    "driven",
    "mend_journal",
    "open_folder",
    "read_predictions",
    "save_predictions",
    "writing",
]


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn the operating system's refusals into one readable line.

    Raises:
        RunError: The folder cannot be written: no permission, disk full, not a folder.
    """
    try:
        yield
    except OSError as error:
        raise RunError(f"cannot write run folder {str(folder)!r}: {error.strerror or error}") from error
    except optuna.exceptions.StorageInternalError as error:
        raise RunError(f"cannot write the study of run {str(folder)!r}: {str(error.__cause__ or error).splitlines()[0]}") from error


def create_folder(folder: Path, config: Mapping[str, Any], directions: Sequence[Direction]) -> None:
    """Make a run folder with its configuration and an empty study, in one step: it is there whole, or not at all.

    Raises:
        RunError: The folder exists, or cannot be written; the study exists in the storage.
    """
    with writing(folder):
        exists = folder.exists() or folder.is_symlink()
    if exists:
        hint = "resume it (--resume), or choose another folder" if (folder / CONFIG).is_file() else "choose another folder"
        raise RunError(f"run folder {str(folder)!r} exists: {hint}")
    with writing(folder), whole_folder(folder) as draft:
        (draft / PREDICTIONS).mkdir()
        _write_config(draft, config)
        _create_study(config["study"]["storage"], config["study"]["name"], draft, directions)


def discard_folder(folder: Path, study: optuna.Study) -> None:
    """Undo `create_folder`: the folder and the study are gone."""
    optuna.delete_study(study_name=study.study_name, storage=study._storage)
    shutil.rmtree(folder, ignore_errors=True)


def check_resume(folder: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """Check that a run can be gone on with by a search of this configuration; return the configuration to go on with.

    The new search settings count (more trials, another sampler); what the finished trials mean must not change.

    Raises:
        RunError: There is no run, its format is newer, or space, data, objectives, strategy, budget or the evaluator's settings
            differ; both fingerprints are shown.
    """
    old = read_config(folder)
    for key in ("space", "evaluator", "search", "study"):
        if not isinstance(old.get(key), dict):
            raise RunError(f"cannot resume {str(folder)!r}: {CONFIG!r} has no section {key!r}; it was cut off or changed by hand")
    config = parse_yaml(dump_yaml(config))  # as it will be read again: tuples become lists
    of_space, space = old["space"].get("fingerprint"), config["space"]["fingerprint"]
    changed = other_data(*(each["evaluator"].get("data") or {} for each in (old, config)))
    if of_space != space and of_space != _fingerprint_0_1_0(config["space"]):
        changed = f"the search space changed, fingerprint {of_space} in the run and {space} now"
    if changed is not None:
        raise RunError(f"cannot resume {str(folder)!r}: {changed}; use another run folder")
    aims, new_aims = (" ".join(map(str, read_objectives(each["objectives"]))) for each in (old, config))
    if aims != new_aims:
        raise RunError(f"cannot resume {str(folder)!r}: its objectives are {aims}, now {new_aims} are asked for; use another run folder")
    befores, nows = _meaning(old), _meaning(config)
    for what in befores:
        before, now = befores[what], nows[what]
        changes = [
            f"{key} is {before.get(key)} in the run and {now.get(key)} now" for key in before | now if before.get(key) != now.get(key)
        ]
        if changes:
            raise RunError(f"cannot resume {str(folder)!r}: its {what} changed, {changes[0]}; use another run folder")
    resolved = {**config, "study": old["study"], "resumed": [*old.get("resumed", ()), config["command"]]}
    if "command" in old:
        return {**resolved, "command": old["command"]}
    del resolved["command"]  # a run of version 0.1.0 kept none
    return resolved


def open_folder(folder: Path, config: Mapping[str, Any]) -> optuna.Study:
    """Write the configuration, mend the journal, and open the study. Call it while the folder is `driven`."""
    with writing(folder):
        for leftover in folder.rglob(".*.part"):  # of a writer that was killed; nobody else writes while the folder is driven
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        _write_config(folder, config)
        (folder / PREDICTIONS).mkdir(exist_ok=True)
        if config["study"]["storage"] is None:
            mend_journal(folder / JOURNAL)
    return open_study(folder, config["study"]["storage"], config["study"]["name"], journal=OpenTrialsJournal, cache=AskedDatabase)


@contextmanager
def driven(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: one driver at a time.

    Raises:
        RunError: Another driver holds it; the message names its process.
    """
    lock = filelock.FileLock(folder / LOCK)
    with writing(folder):
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise RunError(f"run folder {str(folder)!r} is being driven by {_driver(folder)}: wait for it, or stop it first") from None
    try:
        yield
    finally:
        lock.release()


def save_predictions(folder: Path, digest: str, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Save the arrays of an evaluation, whole or not at all."""
    import numpy as np

    if not arrays:
        return
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]  # the stub takes a keyword of another type into account
    replace_file(predictions_file(folder, digest), buffer.getvalue())


def read_predictions(folder: Path, digest: str) -> dict[str, Any]:
    """Return the arrays that are kept of a candidate's evaluation; nothing where none are.

    Raises:
        OSError: The file cannot be read; a `ValueError` or a `zipfile.BadZipFile`, where it is damaged.
    """
    import numpy as np

    path = predictions_file(folder, digest)
    if not path.is_file():
        return {}
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def mend_journal(path: Path) -> None:
    """Cut off what a driver that was killed, or ran out of disk, left behind: half a line, and its lock.

    A line is one operation; half of one was never acknowledged. Optuna would append to it and could read neither.
    """
    path.with_name(JOURNAL_LOCK).unlink(missing_ok=True)
    with path.open("rb+") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            file.truncate(whole)


def _create_study(storage: str | None, name: str, draft: Path, directions: Sequence[Direction]) -> None:
    try:
        store: Any = JournalStorage(JournalFileBackend(str(draft / JOURNAL))) if storage is None else database(storage)
        optuna.create_study(study_name=name, storage=store, directions=list(directions))
    except optuna.exceptions.DuplicatedStudyError:
        raise RunError(f"a study named {name!r} exists in {storage!r}") from None
    except OSError:
        raise
    except Exception as error:  # a database driver raises what it likes
        raise RunError(f"cannot create a study in {storage!r}: {storage_failure(str(storage), error)}") from error


def _write_config(folder: Path, config: Mapping[str, Any]) -> None:
    replace_file(folder / CONFIG, dump_yaml(config).encode())


def _meaning(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the settings that the values of a trial depend on; where and in what order an evaluator computes is none of them."""
    settings = config["evaluator"].get("settings") or {}
    return {
        "strategy": {"name": "graph"} | (config.get("strategy") or {}),
        "evaluator": {name: value for name, value in settings.items() if name not in ("threads", "device", "pack", "cache")},
        "budget": config["search"].get("budget") or {},
    }


def _fingerprint_0_1_0(space: Mapping[str, Any]) -> str | None:
    """Return what version 0.1.0 would have written of a space; None of a space of someone else."""
    try:
        return SearchSpace.from_dict({name: value for name, value in space.items() if name != "fingerprint"}).fingerprint_0_1_0
    except FusearchError:
        return None


def _driver(folder: Path) -> str:
    try:
        study = read_config(folder)["study"]
        driver = open_study(folder, study["storage"], study.get("name", STUDY_NAME)).user_attrs[DRIVER]
    except (RunError, KeyError):
        return "another process"
    return f"process {driver['pid']}" + ("" if driver["host"] == socket.gethostname() else f" on {driver['host']}")
