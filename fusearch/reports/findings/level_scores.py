"""Scores of the recommended design and the best simple one for each level of a column, such as the sexes or the sites, with intervals."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusearch.amounts import counted
from fusearch.contracts import Objective
from fusearch.errors import RunError
from fusearch.inference.correction import taken_out_of_fold
from fusearch.inference.kept import KeptPredictions, NotEstimableError, read_kept
from fusearch.inference.resampling import Resampled, over_draws
from fusearch.layout import LEVELS, predictions_file, replace_file
from fusearch.reports.findings.predicted import pick_and_best_simple
from fusearch.reports.wording import number, sentence_case, signed_number
from fusearch.run import Run
from fusearch.study import TrialRecord
from fusearch.trials import Trials

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fusearch.data import Dataset

__all__ = ["NOTE", "ColumnScores", "LevelScores", "ScoreWithInterval", "keep_levels", "level_cells", "level_note", "read_level_scores"]

#: A level with fewer rows, or with fewer of a class, has no score.
LEAST_ROWS, LEAST_OF_CLASS = 20, 5
#: Numbers with more values than this are cut into thirds; of other columns so many levels are shown, the largest ones.
_MOST_NUMBERS, _MOST_LEVELS = 8, 12
_NO_VALUE = "no value"

#: Said once, above the tables.
NOTE = (
    "Held-out rows of all folds together, so the score of all rows may differ a little from the mean over folds in other tables. In "
    "brackets: 90 % interval over draws of the rows of a level. Of many levels some lie apart by chance. A difference above 0 is a gain of "
    "the recommended design."
)

Texts = Mapping[str, str | None]


@dataclass(frozen=True)
class ScoreWithInterval:
    """A score on some rows, with its 5 % and 95 % quantile over draws of them."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class LevelScores:
    """One level of a column.

    Attributes:
        level: Its name; None for all rows.
        rows: How many rows it has.
        scores: Of each design; empty where there is none.
        gain: By how much the recommended design is better, on the same draws.
        reason: Why there is no score.
    """

    level: str | None
    rows: int
    scores: tuple[ScoreWithInterval, ...] = ()
    gain: ScoreWithInterval | None = None
    reason: str | None = None


@dataclass(frozen=True)
class ColumnScores:
    """What a column tells.

    Attributes:
        column: Its name.
        metric: What designs are scored by.
        designs: What the designs are called: the recommended one, then the best simple one beside it.
        levels: All rows first, then its levels.
        left_out: How many further levels there are, and how many rows they have together.
        reason: Why there is nothing.
    """

    column: str
    metric: str
    designs: tuple[str, ...] = ()
    levels: tuple[LevelScores, ...] = ()
    left_out: tuple[int, int] = (0, 0)
    reason: str | None = None


def keep_levels(run: Run | Path | str, columns: Sequence[str], data: Dataset) -> Path:
    """Keep what stands in some columns of the rows of a run in its folder, so that its reports score each level apart.

    Nothing is trained: the predictions that were kept are scored again. Columns of an earlier call are forgotten.

    Args:
        run: A run, or its folder.
        columns: Names of columns of the data set's tables, also of such that no model reads.
        data: The data set that the run was searched on.

    Returns:
        The file.

    Raises:
        RunError: The data are not those of the run, or the file cannot be written.
        DataError: No table has such a column.
    """
    from fusearch.data.assembly.row_texts import texts_of_rows

    opened = run if isinstance(run, Run) else Run(run)
    opened.refuse_other_data(data.identity)
    kept = {column: texts_of_rows(data, column) for column in dict.fromkeys(columns)}
    path = opened.path / LEVELS
    try:
        replace_file(path, json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
    except OSError as error:
        raise RunError(f"cannot write {str(path)!r}: {error.strerror or error}") from None
    return path


def read_level_scores(
    trials: Trials, pick: TrialRecord | None, label: Callable[[TrialRecord], str], *, seed: int = 0
) -> tuple[ColumnScores, ...]:
    """Score each level of the columns that `keep_levels` kept; nothing where it kept none.

    Args:
        trials: One reading of the run.
        pick: The recommended design.
        label: What a design is called, with its trial.
        seed: What the draws hang on.

    Raises:
        RunError: The file is not what `keep_levels` writes.
    """
    import numpy as np

    columns = _read(trials.path)
    if not columns or pick is None:
        return ()
    objective = trials.primary
    records = pick_and_best_simple(trials, pick)
    try:
        kept = read_kept(trials.path, records, trials.described_task)
        ids = _ids(trials.path, pick)
        Resampled(kept, objective, draws=1)  # refuses what is no metric of predictions
    except NotEstimableError as error:
        return tuple(ColumnScores(column, objective.name, reason=str(error)) for column in columns)
    kept = replace(kept, outputs=np.stack([taken_out_of_fold(kept, outputs, objective) for outputs in kept.outputs]))
    names = tuple(label(record) for record in records)
    return tuple(
        ColumnScores(column, objective.name, names, *_score(kept, [texts.get(each) for each in ids], objective, seed))
        for column, texts in columns.items()
    )


def level_note(told: ColumnScores) -> str:
    """Say what is not shown of a column; empty where all is shown."""
    further, rows = told.left_out
    if told.reason is not None:
        return f"Nothing to show: {told.reason}."
    return f"{sentence_case(counted(further, 'further level'))} with {counted(rows, 'row')} in all are not shown." if further else ""


def level_cells(told: ColumnScores, level: LevelScores) -> tuple[str, ...]:
    """Return what stands in the row of a level: its name, how many rows, a score for each design, the difference."""
    name = "all rows" if level.level is None else level.level
    blank = ("–",) * (len(told.designs) - 1 + (len(told.designs) > 1))
    if level.reason is not None:
        return (name, str(level.rows), level.reason, *blank)
    gain = () if level.gain is None else (_with_ends(level.gain, signed_number),)
    return (name, str(level.rows), *(_with_ends(score, number) for score in level.scores), *gain)


def _with_ends(score: ScoreWithInterval, write: Callable[[float], str]) -> str:
    return f"{write(score.value)} ({write(score.low)} to {write(score.high)})"


def _read(folder: Path | None) -> Mapping[str, Texts]:
    if folder is None:
        return {}
    path = folder / LEVELS
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return {str(column): {str(each): text for each, text in texts.items()} for column, texts in told.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise RunError(f"{str(path)!r} does not hold levels of rows: {error}") from None


def _ids(folder: Path | None, record: TrialRecord) -> list[str]:
    """Return the id of each row, in the order of the predictions as they are read."""
    import numpy as np

    try:
        with np.load(predictions_file(folder or Path(), record.candidate), allow_pickle=False) as file:
            place = np.unique(file["rows"], return_index=True)[1]
            return [str(each) for each in file["ids"][place]]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        raise NotEstimableError("the predictions that were kept do not tell the ids of their rows") from None


def _score(
    kept: KeptPredictions, texts: Sequence[str | None], objective: Objective, seed: int
) -> tuple[tuple[LevelScores, ...], tuple[int, int]]:
    import numpy as np

    shown, rest = _levels(texts)
    scored = [_of_level(kept, None, np.arange(len(texts)), objective, seed)]
    scored += [_of_level(kept, name, np.array(rows), objective, seed) for name, rows in shown]
    return tuple(scored), (len(rest), sum(len(rows) for _, rows in rest))


def _levels(texts: Sequence[str | None]) -> tuple[list[tuple[str, list[int]]], list[tuple[str, list[int]]]]:
    """Return the levels that are shown, and the rest, each with its rows: in their order, or the largest first; numbers in thirds."""
    numbers = [None if text is None else _number(text) for text in texts]
    known = sorted(each for each in numbers if each is not None)
    is_number = len(known) > 0 and len(known) == sum(text is not None for text in texts)
    names: Sequence[str | None] = texts
    if is_number and len(set(known)) > _MOST_NUMBERS:
        first, second = known[len(known) // 3], known[2 * len(known) // 3]
        words = (f"below {first:g}", f"{first:g} to below {second:g}", f"{second:g} or more")
        names = [None if each is None else words[(each >= first) + (each >= second)] for each in numbers]
        order = [word for word in words if word in names]
    else:
        counts = Counter(text for text in texts if text is not None)
        order = sorted(counts, key=lambda text: (_number(text) or 0.0, text) if is_number else (0.0, text))
        order = order if len(order) <= _MOST_LEVELS else [text for text, _ in counts.most_common()]
    rows_of: dict[str | None, list[int]] = {}
    for row, name in enumerate(names):
        rows_of.setdefault(name, []).append(row)
    found = [(name, rows_of[name]) for name in order]
    missing = [(_NO_VALUE, rows_of[None])] if None in rows_of else []
    return found[:_MOST_LEVELS] + missing, found[_MOST_LEVELS:]


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def _of_level(kept: KeptPredictions, level: str | None, rows: NDArray[np.int64], objective: Objective, seed: int) -> LevelScores:
    """Score the designs on the rows of a level, all folds together, or say why that would tell nothing."""
    import numpy as np

    reason = _too_few(kept, rows)
    if reason is not None:
        return LevelScores(level, len(rows), reason=reason)
    groups = None if kept.groups is None else np.unique(kept.groups[rows], return_inverse=True)[1]
    part = replace(
        kept,
        fold=np.zeros(len(rows), np.int64),
        targets=kept.targets[rows],
        strata=kept.strata[rows],
        groups=groups,
        outputs=kept.outputs[:, rows],
    )
    resampled, sign = Resampled(part, objective, seed=seed), objective.loss(1.0)
    as_they_are = np.ones((len(rows), 1))
    observed = [float(sign * resampled.losses_of(outputs, as_they_are)[0, 0]) for outputs in part.outputs]
    drawn = [sign * resampled.losses_of(outputs, resampled.drawn)[0] for outputs in part.outputs]
    try:
        if not np.isfinite(observed).all():
            raise NotEstimableError("the metric is undefined on these rows")
        scores = tuple(_with_interval(value, draws) for value, draws in zip(observed, drawn, strict=True))
        gain = None
        if len(observed) > 1:
            gain = _with_interval(objective.gain(observed[0], observed[1]), resampled.gain(drawn[1], drawn[0]))
    except NotEstimableError as error:
        return LevelScores(level, len(rows), reason=str(error))
    return LevelScores(level, len(rows), scores, gain)


def _with_interval(value: float, draws: NDArray[Any]) -> ScoreWithInterval:
    _, low, high = over_draws(draws)
    return ScoreWithInterval(value, low, high)


def _too_few(kept: KeptPredictions, rows: NDArray[np.int64]) -> str | None:
    """Say so where a level has too few rows for a score."""
    import numpy as np

    if len(rows) < LEAST_ROWS:
        return f"too few rows: fewer than {LEAST_ROWS}"
    if kept.task.named_classes and kept.targets.ndim == 1:
        counts = np.bincount(kept.targets[rows].astype(np.int64), minlength=len(kept.task.labels))
        rare = [f"{kept.task.labels[at]} ({number})" for at, number in enumerate(counts) if number < LEAST_OF_CLASS]
        if rare:
            return f"too few rows of {', '.join(rare)}: fewer than {LEAST_OF_CLASS}"
    return None
