"""The design that was picked from a run, and the data set that the run was searched on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusearch.data import Dataset, Modality, load_data
from fusearch.errors import RunError
from fusearch.run import Run
from fusearch.search_space import Candidate, FusionGraph, Recipe
from fusearch.study import TrialRecord

__all__ = ["Choice", "load_choice_data", "read_choice"]


@dataclass(frozen=True)
class Choice:
    """A design of a run, ready to be trained again.

    Attributes:
        record: Its trial.
        candidate: The design and its recipe.
        epochs: Phase of training -> epochs: the median of the best epochs of its members.
        batch_size: Rows of one step, as in the search.
        modalities: What the design reads, in the order of the data set.
    """

    record: TrialRecord
    candidate: Candidate
    epochs: Mapping[str, int]
    batch_size: int
    modalities: tuple[Modality, ...]


def load_choice_data(run: Run, data: Dataset | str | Path | None = None) -> Dataset:
    """Load the data set of a run again, or check that `data` (a data set, or what `load_data` takes) is it.

    Raises:
        RunError: The run tells of no data set, or the data are not those that it was searched on.
    """
    described: Mapping[str, Any] = run.config.get("evaluator", {}).get("data") or {}
    if not described.get("fingerprint"):
        raise RunError(f"run {str(run.path)!r} was not searched on a data set (its evaluator is a function of its own): nothing to refit")
    if data is None:
        if not described.get("source"):
            raise RunError(f"run {str(run.path)!r} was searched on {described.get('name')!r}, a data set in memory: give it as `data`")
        source = _find_source(run, described["source"])
        if Path(source).suffix and not Path(source).is_file():
            raise RunError(
                f"run {str(run.path)!r} was searched on {str(source)!r}, which is not there: say where it is now by `--data` (`data=`)"
            )
        data = load_data(source)
    elif not isinstance(data, Dataset):
        data = load_data(data)
    run.refuse_other_data(data.identity)
    return data


def _find_source(run: Run, source: str) -> str | Path:
    """Return where the data are: at the path that the search was given, or at the end of it from a folder above the run's.

    So a project may be moved as a whole; whether the data are the same, their fingerprint tells.
    """
    if Path(source).exists() or not Path(source).suffix:
        return source
    parts = Path(source).parts[1:] if Path(source).is_absolute() else Path(source).parts
    tails = [Path(*parts[start:]) for start in range(len(parts))]
    folders = run.path.resolve().parents
    return next((folder / tail for tail in tails for folder in folders if (folder / tail).is_file()), source)


def read_choice(run: Run, record: TrialRecord, data: Dataset) -> Choice:
    """Return the design of a trial.

    Raises:
        RunError: The trial does not tell for how many epochs its members were trained.
    """
    epochs = record.details.get("best_epochs")
    if not isinstance(epochs, Mapping):
        raise RunError(f"trial {record.number} of run {str(run.path)!r} has no 'best_epochs': fusearch's own evaluator did not train it")
    candidate = Candidate(FusionGraph.parse(record.formula, modalities=data.modalities), Recipe.from_dict(record.recipe))
    used = {modality.name for modality in candidate.graph.modalities}
    return Choice(
        record,
        candidate,
        epochs={phase: int(count) for phase, count in epochs.items()},
        batch_size=int(run.config["evaluator"].get("settings", {}).get("batch_size", 64)),
        modalities=tuple(modality for modality in data.modalities if modality.name in used),
    )
