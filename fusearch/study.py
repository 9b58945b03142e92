"""What a study holds: the facts that each Optuna trial carries, written and read here alone, and the study as a list of records.

`search` writes them, `reports` and the command line read them; neither knows the other. Light: no torch, no ray.
"""

from __future__ import annotations

import json
import math
import re
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, Literal

from fusearch.errors import RunError
from fusearch.layout import JOURNAL

if TYPE_CHECKING:
    import optuna
    from optuna.storages import BaseStorage, JournalStorage, RDBStorage

__all__ = [
    "DIED",
    "DRIVER",
    "FORMAT",
    "NODE_LOST",
    "ROLES",
    "STOPPED",
    "STUDY_NAME",
    "TrialFacts",
    "TrialRecord",
    "absolute_storage",
    "asked_trial",
    "damaged_lines",
    "database",
    "enqueue_facts",
    "is_foreign",
    "kind_of_reason",
    "open_study",
    "read_records",
    "read_trial",
    "readable_reason",
    "standard_error",
    "storage_failure",
    "was_given_back",
    "write_trial",
]

#: Version of the run folder; a newer one is refused.
FORMAT = 1
STUDY_NAME = "fusearch"

#: Attribute of the study that says who drives it: `pid`, `host`, `state` (`running`, `finished`, `stopped`), `reason`.
DRIVER = "driver"

#: Attribute of a trial that a driver asked for; it has it from its first operation on, its candidate only once that is drawn.
_ASKED = "asked"

#: Reasons of a trial that was in flight when its driver stopped, or died, or its node was lost. It was proposed again at once, so it is no
#: failure of the design.
STOPPED, DIED, NODE_LOST = "driver stopped", "driver died", "node lost"

#: The reference designs, in the order in which they are proposed.
ROLES = ("best_unimodal", "linear", "early", "penultimate", "late", "stacked")

State = Literal["complete", "failed", "running", "pruned", "waiting"]


_SQLITE = "sqlite:///"

#: Most characters of a reason that are kept.
_REASON_CHARACTERS = 1800
#: What makes two failures of one kind look different: numbers, and where an object stands in memory.
_NUMBER = re.compile(r"0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?")
#: Most characters that failures are told apart by; a number in what was cut out of a long reason moves all that stands behind it.
_KIND_CHARACTERS = 400


@dataclass(frozen=True)
class TrialFacts:
    """What a trial carries beside what Optuna keeps of any trial. `write_trial` writes it, `read_trial` reads it.

    Attributes:
        formula: The design in text form.
        digest: Digest of the graph.
        candidate: Digest of the graph with its recipe; repeats are recognized by it.
        recipe: The numbers of training.
        rebuilt_from: The whole candidate as a dict, where the space cannot rebuild it from the trial's parameters, else None.
        reference: Role of a reference design (`late`, ...), else None.
        pack: Trial whose design it has with another recipe (or with the first), where several recipes were proposed at once; else None.
        budget: What the evaluation was allowed to spend, `epochs`, `members` (None: all), `seed`; empty where nothing was evaluated, and
            in runs of version 0.1.0, which always spent all.
        values: Every metric and cost by name, not only the objectives.
        spread: Standard deviation over members.
        details: Facts worth keeping: `members`, `best_epochs`, `worker`.
        seconds: Wall time of the evaluation.
        reason: Why the trial failed or was pruned, else None.
        repeat_of: Trial that this one repeats, else None.
        more_seeds_of: Trial whose design this one trained with a seed more; its values are those over all seeds so far. Else None.
        raced: How a race stopped it. Against a finished design: `folds` that it had, of `num_folds`, the `rival`'s trial, the `chance` to
            catch up that was left. Against other recipes of its design: the `epoch`, its `place` among so many `recipes`. Empty where none
            did.
    """

    formula: str = field(default="", metadata={"attribute": "formula"})
    digest: str = field(default="", metadata={"attribute": "graph_digest"})
    candidate: str = field(default="", repr=False, metadata={"attribute": "digest"})
    recipe: Mapping[str, Any] = field(default_factory=dict, metadata={"attribute": "recipe"})
    rebuilt_from: Mapping[str, Any] | None = field(default=None, repr=False, metadata={"attribute": "candidate"})
    reference: str | None = field(default=None, metadata={"attribute": "reference"})
    pack: int | None = field(default=None, metadata={"attribute": "pack"})
    budget: Mapping[str, Any] = field(default_factory=dict, repr=False, metadata={"attribute": "budget"})
    values: Mapping[str, float] = field(default_factory=dict, metadata={"attribute": "values"})
    spread: Mapping[str, float] = field(default_factory=dict, repr=False, metadata={"attribute": "spread"})
    details: Mapping[str, Any] = field(default_factory=dict, repr=False, metadata={"attribute": "details"})
    seconds: float | None = field(default=None, metadata={"attribute": "seconds"})
    reason: str | None = field(default=None, metadata={"attribute": "reason"})
    repeat_of: int | None = field(default=None, metadata={"attribute": "repeat_of"})
    more_seeds_of: int | None = field(default=None, metadata={"attribute": "more_seeds_of"})
    raced: Mapping[str, Any] = field(default_factory=dict, repr=False, metadata={"attribute": "raced"})

    @property
    def proposed(self) -> TrialFacts:
        """What the trial stands for, without what became of it: the facts that it is queued again with."""
        return TrialFacts(self.formula, self.digest, self.candidate, self.recipe, self.rebuilt_from, self.reference, self.pack)

    @property
    def found(self) -> TrialFacts:
        """What its evaluation found, which holds for every repeat."""
        reason = self.reason if self.raced else None
        return TrialFacts(budget=self.budget, values=self.values, spread=self.spread, details=self.details, reason=reason, raced=self.raced)

    def by_fold(self, name: str) -> dict[int, float]:
        """Return a metric of each fold in which it is defined; empty where folds are not told.

        Of several seeds it is the mean: they are no independent members.
        """
        members = self.details.get("members")
        values: dict[int, list[float]] = {}
        for member in members if isinstance(members, list) else ():
            value = member.get("metrics", {}).get(name) if isinstance(member, Mapping) else None
            if value is not None and math.isfinite(value):
                values.setdefault(int(member["fold"]), []).append(float(value))
        return {fold: fmean(each) for fold, each in values.items()}

    def partial(self, name: str) -> tuple[float, int] | None:
        """Return the mean of a metric over the folds that it had when a race stopped it, and how many those are.

        It is what is known of a design that was not trained to the end: a noisy look at the mean over all folds, and no value of it.
        None where no race stopped it, or the metric is not told.
        """
        folds = self.by_fold(name) if self.raced else {}
        return (fmean(folds.values()), len(folds)) if folds else None

    def attributes(self) -> dict[str, Any]:
        """Return the user attributes of the trial: those facts that are known."""
        held = {each.metadata["attribute"]: getattr(self, each.name) for each in fields(TrialFacts)}
        return {name: value for name, value in held.items() if value not in ("", None) and value != {}}


def asked_trial(facts: TrialFacts | None = None, **held: Any) -> optuna.trial.FrozenTrial:
    """Return a trial as a sampler finds it, or with all that it has; the mark is written with it, so that no kill comes between."""
    from optuna.trial import TrialState, create_trial

    return create_trial(state=TrialState.RUNNING, user_attrs={_ASKED: True, **(facts or TrialFacts()).attributes()}, **held)


def is_foreign(trial: optuna.trial.FrozenTrial) -> bool:
    """Whether no driver of fusearch asked for a trial, nor queued it: the study may be shared."""
    return _ASKED not in trial.user_attrs and read_trial(trial).proposed == TrialFacts()


def was_given_back(reason: str | None) -> bool:
    """Whether a trial failed only because its driver stopped or died, or its node was lost; its candidate was queued again."""
    return reason in (STOPPED, DIED, NODE_LOST)


def readable_reason(reason: str) -> str:
    r"""Return a reason as it can be kept, printed and put on a page: at most 2 kB, head and tail, and nothing invisible in it.

    Control characters and halves of a character (lone surrogates) stand there as Python writes them: `\x1b`, `\ud800`.
    """
    if len(reason) > _REASON_CHARACTERS:
        left_out = len(reason) - _REASON_CHARACTERS
        tail = _REASON_CHARACTERS // 4
        reason = f"{reason[: _REASON_CHARACTERS - tail]} ... ({left_out:,} characters left out) ... {reason[-tail:]}"
    return "".join(letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode() for letter in reason)


def kind_of_reason(reason: str | None) -> str:
    """Return what failures are counted by: the start of the first line of a reason, without the numbers and addresses in it."""
    lines = (reason or "no reason was recorded").strip().splitlines()
    return _NUMBER.sub("#", lines[0])[:_KIND_CHARACTERS] if lines else "no reason was recorded"


def write_trial(trial: optuna.Trial, facts: TrialFacts) -> None:
    """Write the facts that are known; what the trial holds of the others stays. `read_trial` gives them back."""
    held = trial.user_attrs
    for name, value in facts.attributes().items():
        if name not in held or held[name] != value:
            trial.set_user_attr(name, value)


def enqueue_facts(study: optuna.Study, params: Mapping[str, Any], facts: TrialFacts) -> None:
    """Put a trial with these parameters and facts at the end of the study's queue."""
    study.enqueue_trial(dict(params), user_attrs=facts.attributes())


def read_trial(trial: optuna.Trial | optuna.trial.FrozenTrial) -> TrialFacts:
    """Return what a trial carries; what it does not carry has its default."""
    return TrialFacts(**_facts(trial.user_attrs))


def _facts(held: Mapping[str, Any]) -> dict[str, Any]:
    return {each.name: held[each.metadata["attribute"]] for each in fields(TrialFacts) if each.metadata["attribute"] in held}


@dataclass(frozen=True, kw_only=True)
class TrialRecord(TrialFacts):
    """One trial, as the study tells it.

    Attributes:
        number: Number of the Optuna trial.
        state: `complete`, `failed`, `running`, `waiting`, or `pruned` (stopped early, or not trained as it broke a bound).
        objectives: Values of the run's objectives by name; empty unless complete.
        started: Seconds since the start of the run's first trial at which this one began; `ended` likewise.
    """

    number: int
    state: State
    objectives: Mapping[str, float] = field(default_factory=dict)
    started: float | None = None
    ended: float | None = None

    @property
    def interrupted(self) -> bool:
        """Whether it was in flight when its driver stopped, or its node was lost; the same candidate was proposed again."""
        return self.state == "failed" and was_given_back(self.reason)

    @property
    def evaluated(self) -> bool:
        """Whether an evaluation of its own finished: complete, no repeat, and no more seeds of another trial."""
        return self.state == "complete" and self.repeat_of is None and self.more_seeds_of is None

    @property
    def num_members(self) -> int:
        """Number of members behind the means; 1 where it is not known (the budget says what was allowed, not what was done)."""
        members = self.details.get("members") or 1
        return max(1, members if isinstance(members, int) else len(members))

    def value(self, name: str) -> float:
        """Return an objective, or else a metric or cost, by name; NaN where the trial has none."""
        return self.objectives.get(name, self.values.get(name, math.nan))

    def standard_error(self, name: str) -> float | None:
        """Return the standard error of the mean of a metric over its folds; None where one fold, or none, is known.

        An evaluator that tells the number of its members alone is taken at its word: spread / sqrt(members).
        """
        folds = self.by_fold(name)
        if folds:
            return standard_error(list(folds.values()))
        spread = self.spread.get(name)
        known = spread is not None and math.isfinite(spread) and self.num_members > 1
        return spread / math.sqrt(self.num_members) if known and spread is not None else None


def standard_error(values: Sequence[float]) -> float | None:
    """Return the standard error of the mean of independent values; None where fewer than two do not tell it."""
    return stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None


def absolute_storage(storage: str | None, folder: Path | None = None) -> str | None:
    """Return a storage URL that means the same from every folder: a SQLite file by its whole path.

    Args:
        storage: The URL; None for the journal of a run folder.
        folder: Where the run is, to look for the file that an older run names by a path from the folder of its driver.
    """
    if storage is None or not storage.startswith(_SQLITE) or storage == f"{_SQLITE}:memory:":
        return storage
    file = Path(storage.removeprefix(_SQLITE).partition("?")[0])
    if file.is_absolute():
        return storage
    places = [Path.cwd(), *(folder.resolve().parents if folder is not None else ())]
    found = next((place / file for place in places if (place / file).is_file()), Path.cwd() / file)
    return storage.replace(str(file), str(found), 1)


def database(storage: str) -> RDBStorage:
    """Connect to an Optuna storage URL; the connections are closed when nobody uses them any more."""
    from optuna.storages import RDBStorage

    store = RDBStorage(storage)
    weakref.finalize(store, store.engine.dispose)
    return store


def storage_failure(storage: str, error: Exception) -> str:
    """Say in one line why a storage cannot be used.

    Args:
        storage: Its URL.
        error: What Optuna raised, or the driver of the database.
    """
    scheme = storage.partition(":")[0]
    if isinstance(error, ImportError):
        is_known = scheme.startswith("postgresql")
        what = "pip install 'fusearch[postgresql]', and write postgresql+psycopg://" if is_known else "install the driver of that database"
        return f"no driver for {scheme} is installed: {what}"
    said = str(error.__cause__ or error)
    return said.splitlines()[0] if said else type(error).__name__


def damaged_lines(path: Path) -> list[int]:
    """Return the numbers of the lines of a journal that hold no operation; the last line may be half written, and does not count."""
    lines = path.read_bytes().split(b"\n")[:-1]
    return [number for number, line in enumerate(lines, start=1) if not _is_operation(line)]


def _is_operation(line: bytes) -> bool:
    try:
        operation = json.loads(line)
    except ValueError:  # not UTF-8, or no JSON
        return False
    return isinstance(operation, dict) and "op_code" in operation


def open_study(
    folder: Path,
    storage: str | None = None,
    name: str = STUDY_NAME,
    *,
    journal: type[JournalStorage] | None = None,
    cache: Callable[[RDBStorage], BaseStorage] | None = None,
) -> optuna.Study:
    """Open the study of a run folder (a journal file, or the Optuna storage URL that the run was given).

    Args:
        folder: The run folder.
        storage: The URL; None for the journal of the folder.
        name: The name of the study.
        journal: What reads a journal, where Optuna's own class will not do.
        cache: What stands before a database, likewise.

    Raises:
        RunError: There is no study at that place, or it cannot be read.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage = absolute_storage(storage, folder)
    place = storage or str(folder / JOURNAL)
    if storage is not None and storage.startswith(_SQLITE) and not Path(storage.removeprefix(_SQLITE).partition("?")[0]).is_file():
        raise RunError(f"no study in {place!r}: there is no such file")  # reading must not make one
    if storage is None and not (folder / JOURNAL).is_file():
        raise RunError(f"no run in {str(folder)!r}: expected a file {JOURNAL!r} there (made by `fusearch search ... --out {folder}`)")
    try:
        if storage is None:
            store: BaseStorage = (journal or JournalStorage)(JournalFileBackend(place))
        else:
            store = database(storage) if cache is None else cache(database(storage))
        return optuna.load_study(study_name=name, storage=store)
    except KeyError:
        raise RunError(f"no study named {name!r} in {place!r}") from None
    except Exception as error:  # a database driver raises what it likes
        damaged = damaged_lines(folder / JOURNAL) if storage is None else []
        if damaged:
            more = f" (and {len(damaged) - 1} more)" if len(damaged) > 1 else ""
            what = f"line {damaged[0]}{more} of {place!r} is damaged"
            raise RunError(f"{what}: `fusearch repair {folder}` keeps what can be read, and the damaged file beside it") from error
        raise RunError(f"cannot read the study in {place!r}: {storage_failure(place, error)}") from error


def read_records(study: optuna.Study, objectives: Sequence[str]) -> list[TrialRecord]:
    """Return every trial of a study, in the order of its numbers."""
    trials = study.get_trials(deepcopy=False)
    starts = [trial.datetime_start for trial in trials if trial.datetime_start is not None]
    zero = min(starts) if starts else None
    names = {"COMPLETE": "complete", "FAIL": "failed", "RUNNING": "running", "PRUNED": "pruned", "WAITING": "waiting"}
    records = []
    for trial in trials:
        complete = trial.state.name == "COMPLETE" and trial.values is not None
        began, ended = trial.datetime_start, trial.datetime_complete
        held = _facts(trial.user_attrs)
        records.append(
            TrialRecord(
                number=trial.number,
                state=names[trial.state.name],  # type: ignore[arg-type]  # the dict's values are the literals
                **{**held, "reason": None if held.get("reason") is None else readable_reason(held["reason"])},
                objectives=dict(zip(objectives, trial.values, strict=True)) if complete else {},
                started=(began - zero).total_seconds() if began is not None and zero is not None else None,
                ended=(ended - zero).total_seconds() if ended is not None and zero is not None else None,
            )
        )
    return records
