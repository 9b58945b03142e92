"""The one tree of errors. A message gives the value, where it stands, what was expected, and the nearest legal name."""

from __future__ import annotations

import difflib
import os
import traceback
from collections.abc import Iterable

__all__ = [
    "DataError",
    "DesignError",
    "EstimatorError",
    "EvaluationError",
    "ExportError",
    "FormulaError",
    "FusearchError",
    "LeakError",
    "ManifestError",
    "ObjectiveError",
    "RunError",
    "SpaceError",
    "UnknownNameError",
    "YamlError",
    "failure_text",
    "nearest",
    "suggestion",
]


class FusearchError(Exception):
    """Anything that fusearch refuses. `str(error)` is one readable message; the command line exits with code 2."""


class ManifestError(FusearchError):
    """A data manifest that cannot be read: unknown key, missing file, wrong column."""


class DataError(FusearchError):
    """Data that cannot be used: labels of one class, row counts that differ, duplicate ids.

    Args:
        faults: One line each; the message is the first of them.
    """

    def __init__(self, *faults: str) -> None:
        self.faults = faults
        super().__init__(faults[0] + (f" (and {len(faults) - 1} more: see `fusearch check`)" if len(faults) > 1 else ""))


class EstimatorError(DataError, ValueError):
    """Data that an estimator cannot use; also the `ValueError` that scikit-learn expects."""


class LeakError(FusearchError):
    """Something asked for rows that it must not see, such as the test split during a search."""


class FormulaError(FusearchError):
    """A fusion formula with a syntax error.

    Args:
        message: What is wrong and what was expected.
        text: The line of the formula that holds the error.
        column: Zero-based position in that line; a caret is drawn under it.
    """

    def __init__(self, message: str, text: str = "", column: int | None = None) -> None:
        self.message, self.text, self.column = message, text, column
        if text and column is not None:
            message = f"{message}\n  {text}\n  {' ' * column}^"
        super().__init__(message)


class DesignError(FusearchError):
    """A design that breaks a rule: a cycle, a depth out of range, a fusion that nothing uses."""


class SpaceError(FusearchError):
    """A search space that cannot be built, or a design that lies outside it."""


class ObjectiveError(FusearchError):
    """An objective that the task or the evaluator does not have."""


class EvaluationError(FusearchError):
    """An evaluation without a usable result, such as a metric that is not finite."""


class RunError(FusearchError):
    """A run folder that cannot be used: it exists, is locked, is of a newer format, or belongs to other data."""


class ExportError(FusearchError):
    """An export that failed, whose files do not reproduce the network, or that cannot be served."""


class UnknownNameError(FusearchError):
    """A name that a registry does not hold."""


class YamlError(FusearchError):
    """A file that is not YAML as fusearch reads it. The message gives the place in the file; who reads it adds which file."""


#: So many legal names stand in a message: all operators do, the columns of a table of genes do not.
_MOST_NAMES = 100


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """Return the legal name closest to `name`, or None where nothing is close."""
    by_lower = {choice.lower(): choice for choice in choices}
    matches = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.5)
    return by_lower[matches[0]] if matches else None


def suggestion(name: str, choices: Iterable[str]) -> str:
    """Return the end of a message: `did you mean 'x'?`, or the legal names where nothing is close, of very many the first."""
    choices = list(choices)
    match = nearest(name, choices)
    if match is not None:
        return f"did you mean {match!r}?"
    more = f", ... ({len(choices):,} in all)" if len(choices) > _MOST_NAMES else ""
    return f"expected one of: {', '.join(choices[:_MOST_NAMES]) or '(nothing)'}{more}"


def failure_text(error: BaseException) -> str:
    """Say in one line what was raised, and where, unless it is one of our own errors, which say it themselves."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # an error of someone else's, which cannot say what it is
        text = ""
    if isinstance(error, EvaluationError):
        return text
    name = "out of memory" if isinstance(error, MemoryError) else type(error).__name__
    said = f"{name}: {text}" if text else name
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, FusearchError) or not frames:
        return said
    return f"{said} ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno}, in {frames[-1].name})"
