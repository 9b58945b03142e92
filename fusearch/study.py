"""What a study holds: the attributes that each Optuna trial carries, and the study as a list of records.

`search` writes them, `reports` and the command line read them; neither knows the other. Light: no torch, no ray.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fusearch.errors import RunError
from fusearch.layout import JOURNAL

if TYPE_CHECKING:
    import optuna

__all__ = ["DRIVER", "FORMAT", "ROLES", "STOPPED", "STUDY_NAME", "TrialRecord", "open_study", "read_records"]

#: Version of the run folder; a newer one is refused.
FORMAT = 1
STUDY_NAME = "fusearch"

#: Attribute of the study that says who drives it: `pid`, `host`, `state` (`running`, `finished`, `stopped`), `reason`.
DRIVER = "driver"

#: Reason of a trial that was in flight when its driver stopped. It was proposed again at once, so it is no failure of the design.
STOPPED = "driver stopped"

#: The reference designs, in the order in which they are proposed.
ROLES = ("best_unimodal", "linear", "early", "penultimate", "late")

State = Literal["complete", "failed", "running", "pruned", "waiting"]

#: User attributes of a trial. `values` holds every metric and cost, not only the objectives.
ATTRIBUTES = (
    "formula",  # the design, in text form
    "recipe",  # dict of the numbers of training
    "graph_digest",  # digest of the graph
    "digest",  # digest of graph + recipe
    "values",
    "spread",
    "details",
    "budget",  # {"epochs": ..., "members": ...}
    "seconds",  # wall time of the evaluation
    "reason",  # why it failed or was not trained
    "reference",  # role, for a reference design
    "repeat_of",  # number of the trial that answered it
    "candidate",  # the whole candidate as a dict, only where the space cannot rebuild it from the trial's parameters
)


@dataclass(frozen=True)
class TrialRecord:
    """One trial, as the study tells it.

    Attributes:
        number: Number of the Optuna trial.
        state: `complete`, `failed`, `running`, `waiting`, or `pruned` (stopped early, or not trained as it broke a bound).
        formula: The design in text form; `digest` identifies the graph, `candidate` the graph with its recipe.
        objectives: Values of the run's objectives by name; empty unless complete.
        values: Every metric and cost by name.
        spread: Standard deviation over members.
        reference: Role of a reference design (`late`, ...), else None.
        repeat_of: Trial that this one repeats, else None.
        reason: Why the trial failed or was pruned, else None.
        seconds: Wall time of the evaluation.
        started: Seconds since the start of the run's first trial at which this one began; `ended` likewise.
    """

    number: int
    state: State
    formula: str
    digest: str
    candidate: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    objectives: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    spread: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    budget: Mapping[str, Any] = field(default_factory=dict)
    reference: str | None = None
    repeat_of: int | None = None
    reason: str | None = None
    seconds: float | None = None
    started: float | None = None
    ended: float | None = None

    @property
    def interrupted(self) -> bool:
        """Whether it was in flight when its driver stopped; the same candidate was proposed again."""
        return self.state == "failed" and self.reason == STOPPED

    @property
    def evaluated(self) -> bool:
        """Whether an evaluation of its own finished: complete, and no repeat."""
        return self.state == "complete" and self.repeat_of is None


def open_study(folder: Path, storage: str | None = None, name: str = STUDY_NAME) -> optuna.Study:
    """Open the study of a run folder (a journal file, or the Optuna storage URL that the run was given).

    Raises:
        RunError: There is no study at that place, or it cannot be read.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    place = storage or str(folder / JOURNAL)
    if storage is None and not (folder / JOURNAL).is_file():
        raise RunError(f"no run in {str(folder)!r}: expected a file {JOURNAL!r} there (made by `fusearch search ... --out {folder}`)")
    try:
        store: Any = storage if storage is not None else JournalStorage(JournalFileBackend(place))
        return optuna.load_study(study_name=name, storage=store)
    except KeyError:
        raise RunError(f"no study named {name!r} in {place!r}") from None
    except Exception as error:  # a database driver raises what it likes
        raise RunError(
            f"cannot read the study in {place!r}: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
        ) from error


def read_records(study: optuna.Study, objectives: Sequence[str]) -> list[TrialRecord]:
    """Return every trial of a study, in the order of its numbers."""
    trials = study.get_trials(deepcopy=False)
    starts = [trial.datetime_start for trial in trials if trial.datetime_start is not None]
    zero = min(starts) if starts else None
    names = {"COMPLETE": "complete", "FAIL": "failed", "RUNNING": "running", "PRUNED": "pruned", "WAITING": "waiting"}
    records = []
    for trial in trials:
        attributes = trial.user_attrs
        complete = trial.state.name == "COMPLETE" and trial.values is not None
        began, ended = trial.datetime_start, trial.datetime_complete
        records.append(
            TrialRecord(
                number=trial.number,
                state=names[trial.state.name],  # type: ignore[arg-type]  # the dict's values are the literals
                formula=attributes.get("formula", ""),
                digest=attributes.get("graph_digest", ""),
                candidate=attributes.get("digest", ""),
                recipe=attributes.get("recipe", {}),
                objectives=dict(zip(objectives, trial.values, strict=True)) if complete else {},
                values=attributes.get("values", {}),
                spread=attributes.get("spread", {}),
                details=attributes.get("details", {}),
                budget=attributes.get("budget", {}),
                reference=attributes.get("reference"),
                repeat_of=attributes.get("repeat_of"),
                reason=attributes.get("reason"),
                seconds=attributes.get("seconds"),
                started=(began - zero).total_seconds() if began is not None and zero is not None else None,
                ended=(ended - zero).total_seconds() if ended is not None and zero is not None else None,
            )
        )
    return records
