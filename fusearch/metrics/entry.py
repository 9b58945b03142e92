"""A metric: a number that says how good outputs are, with its direction. Built-ins and a user's own enter by the same call.

Axis letters: N samples, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from fusearch.errors import EvaluationError, FusearchError
from fusearch.registry import Registry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CHEAP_OBJECTIVES", "COSTS", "METRICS", "Direction", "Metric", "Score", "metric", "metrics_of"]

Direction = Literal["maximize", "minimize"]

#: Objectives that are computed from the design alone, before anything is trained.
CHEAP_OBJECTIVES = frozenset({"parameters", "macs", "memory"})

#: Quantities that say what a design costs, not how good it is; less is better.
COSTS = CHEAP_OBJECTIVES | {"latency_ms", "peak_memory_mb", "train_seconds"}

#: How often each of B draws holds each of N rows, (N, B), after targets and outputs -> the value of each draw, (B,); NaN where undefined.
WeightedScore = Callable[..., "NDArray[np.floating[Any]]"]

#: Targets, (N,) or (N, numbers of a sample), and outputs in their units, class probabilities (N, K) or predictions (N,) -> the value.
Score = Callable[..., float]

F = TypeVar("F", bound=Score)


@dataclass(frozen=True)
class Metric:
    """A metric of held-out rows.

    Attributes:
        name: Name as an objective.
        direction: Whether more is better (`maximize`) or less (`minimize`).
        kinds: Names of the tasks that have it.
        function: Gives the value from targets, (N,), and outputs: class probabilities (N, K), rows summing to one, or predictions (N,).
            NaN where it is undefined, as a rank is with one class alone; such a fold is left out of the mean.
        summary: One line on what it is.
        weighted: The same for many draws of the rows at once; None: rows are repeated, draw by draw.
        decides: Whether it reads which class has the largest probability and nothing else, and weighs all classes, so that a threshold
            can be fitted for it.
        labelled: Whether `function` and `weighted` take the `labels` of the task as well, last: of a survival the times.
        bounds: The least and the greatest value that there may be, which bound what is estimated of it.
    """

    name: str
    direction: Direction
    kinds: tuple[str, ...]
    function: Score
    summary: str = ""
    weighted: WeightedScore | None = None
    decides: bool = False
    labelled: bool = False
    bounds: tuple[float, float] = (-math.inf, math.inf)

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name in COSTS or "_without" in self.name or self.name.startswith("worst_missing_"):
            raise FusearchError(f"metric {self.name!r}: expected a name such as 'my_score' that is no cost and no variant of a metric")
        if self.direction not in get_args(Direction):
            raise FusearchError(f"metric {self.name!r}: direction {self.direction!r}, expected 'maximize' or 'minimize'")
        if not self.bounds[0] < self.bounds[1]:
            raise FusearchError(f"metric {self.name!r}: bounds {self.bounds}, expected the least and the greatest value, such as (0, 1)")
        # Tasks stand above metrics, because they name theirs; so that they exist is a law of the suite.
        if not self.kinds or not all(kind.isidentifier() for kind in self.kinds):
            raise FusearchError(f"metric {self.name!r}: kinds {self.kinds}, expected names of tasks, such as 'classification'")

    def __call__(self, targets: NDArray[Any], outputs: NDArray[np.floating], labels: Sequence[str] = ()) -> float:
        """Return the value; `labels` are those of the task, which a metric that is `labelled` reads.

        Raises:
            EvaluationError: The function failed, or gave no number.
        """
        try:
            return float(self.function(targets, outputs, *self._more(labels)))
        except EvaluationError:
            raise
        except Exception as error:
            raise self._failed(error) from error

    def on_draws(
        self, targets: NDArray[Any], outputs: NDArray[np.floating], weights: NDArray[np.floating], labels: Sequence[str] = ()
    ) -> NDArray[np.floating]:
        """Return the value on each of many draws of the rows, (B,); NaN where it is undefined.

        Args:
            targets: As for a call.
            outputs: As for a call.
            weights: How often each draw holds each row, (N, B): whole numbers.
            labels: As for a call.

        Raises:
            EvaluationError: The function failed, or gave no number.
        """
        import numpy as np

        if self.weighted is not None:
            try:
                return self.weighted(targets, outputs, weights, *self._more(labels))
            except EvaluationError:
                raise
            except Exception as error:
                raise self._failed(error) from error
        values = np.full(weights.shape[1], np.nan)
        for draw, counts in enumerate(weights.T.astype(int)):
            rows = np.repeat(np.arange(len(targets)), counts)
            if len(rows):
                values[draw] = self(targets[rows], outputs[rows], labels)
        return values

    def _failed(self, error: Exception) -> EvaluationError:
        return EvaluationError(f"metric {self.name!r}: {type(error).__name__}: {error}")

    def _more(self, labels: Sequence[str]) -> tuple[Sequence[str], ...]:
        return (labels,) if self.labelled else ()


METRICS: Registry[Metric] = Registry("metric")


def metric(
    name: str,
    *,
    direction: Direction,
    kinds: str | tuple[str, ...],
    summary: str = "",
    weighted: WeightedScore | None = None,
    decides: bool = False,
    labelled: bool = False,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Callable[[F], F]:
    """Register a function of targets and outputs as the metric `name`, an objective from then on.

    Args:
        name: Name as an objective.
        direction: `maximize` or `minimize`.
        kinds: Name, or names, of the tasks that have it.
        summary: One line on what it is; left out, the first line of the function's docstring.
        weighted: The same for many draws of the rows at once (`fusearch.metrics.weighted` shows the built-in ones): targets, outputs and
            how often each draw holds each row, (N, B), to a value of each draw, (B,). Left out, a bootstrap repeats rows, which is slow.
        decides: Whether it reads which class has the largest probability and nothing else, and weighs all classes: an exported model then
            gets a threshold that was fitted for it, where that pays.
        labelled: Whether the function, and `weighted`, take the `labels` of the task as well, last.
        bounds: The least and the greatest value that there may be.

    Raises:
        FusearchError: The name is taken or no name of a metric, the direction is not known, or the bounds are none.

    Example:
        >>> from fusearch.contracts import Objective
        >>> @metric("hit_rate", direction="maximize", kinds="classification")
        ... def hit_rate(targets, outputs):
        ...     "Share of the right class among the first two."
        ...     return (outputs.argsort(axis=1)[:, -2:] == targets[:, None]).any(axis=1).mean()
        >>> Objective.parse("hit_rate").direction, METRICS["hit_rate"].summary
        ('maximize', 'Share of the right class among the first two.')
        >>> METRICS.remove("hit_rate")
    """

    def register(function: F) -> F:
        about = summary or (function.__doc__ or "").strip().split("\n")[0]
        tasks = (kinds,) if isinstance(kinds, str) else tuple(kinds)
        METRICS.add(name, Metric(name, direction, tasks, function, about, weighted, decides, labelled, bounds))
        return function

    return register


def metrics_of(kind: str) -> tuple[Metric, ...]:
    """Return the metrics of a kind of task, in the order of their names."""
    return tuple(found for found in METRICS.values() if kind in found.kinds)
