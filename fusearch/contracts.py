"""The seams between the rooms: what is optimized, what an evaluator is, and what it returns."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from fusearch.errors import EvaluationError, ObjectiveError, suggestion
from fusearch.metrics import CHEAP_OBJECTIVES, COSTS, METRICS, Direction
from fusearch.notebook import html_values

if TYPE_CHECKING:
    import numpy as np

    from fusearch.search_space import Candidate

__all__ = [
    "CHEAP_OBJECTIVES",
    "COSTS",
    "LOSS_SIGN",
    "Budget",
    "CachingEvaluator",
    "CheapEvaluator",
    "DeviceEvaluator",
    "Direction",
    "Evaluation",
    "Evaluator",
    "FoldwiseEvaluator",
    "KeepingEvaluator",
    "Objective",
    "Outrun",
    "PackEvaluator",
    "PackNews",
    "Report",
    "costs",
    "feasible",
    "primary",
    "read_objectives",
]

#: What a value is multiplied by so that smaller is better.
LOSS_SIGN: Mapping[Direction, float] = {"maximize": -1.0, "minimize": 1.0}

_OBJECTIVE = re.compile(
    r"^\s*(?P<name>[^\W\d][\w.@]*)\s*(?::(?P<direction>max|min)(?:imize)?)?\s*(?:(?P<sign><=|>=)\s*(?P<bound>[-+.\deE]+))?\s*$"
)


@dataclass(frozen=True)
class Objective:
    """A quantity to optimize; the only place that knows what its direction means.

    Attributes:
        name: A metric or cost that the evaluator returns, such as `auroc` or `macs`.
        direction: `maximize` or `minimize`.
        bound: Worst value allowed (an upper bound where the direction is minimize, else a lower bound), or None.
        cheap: Whether the value is known before training; a broken cheap bound means that the design is never trained.

    Example:
        >>> Objective.parse("macs<=1e6")
        Objective(name='macs', direction='minimize', bound=1000000.0, cheap=True)
    """

    name: str
    direction: Direction
    bound: float | None = None
    cheap: bool = False

    def __post_init__(self) -> None:
        if self.direction not in LOSS_SIGN:
            raise ObjectiveError(f"objective {self.name!r}: direction {self.direction!r}, expected 'maximize' or 'minimize'")
        if self.bound is not None and not math.isfinite(self.bound):
            raise ObjectiveError(f"objective {self.name!r}: bound {self.bound} is not finite")

    @classmethod
    def parse(cls, text: str) -> Objective:
        """Read `auroc`, `macs<=1e6` or, for a metric of your own, `my_score:max`.

        Raises:
            ObjectiveError: The text does not fit the form, or the direction of the metric is not known.
        """
        match = _OBJECTIVE.match(text)
        if match is None:
            raise ObjectiveError(f"objective {text!r}: expected NAME, NAME<=BOUND, NAME>=BOUND or NAME:max / NAME:min")
        name, sign = match["name"], match["sign"]
        # `auroc_without.rna`, and `died.auroc` of one of several tasks, share the direction of `auroc`.
        base = name.split("_without.")[0].removeprefix("worst_missing_").rpartition(".")[2]
        if match["direction"]:
            direction: Direction = "maximize" if match["direction"] == "max" else "minimize"
        elif base in COSTS:
            direction = "minimize"
        elif base in METRICS:
            direction = METRICS[base].direction
        else:
            hint = suggestion(name, [*METRICS, *sorted(COSTS)])
            raise ObjectiveError(f"objective {name!r}: {hint} (a metric of your own needs its direction: {name}:max or {name}:min)")
        try:
            bound = float(match["bound"]) if sign else None
        except ValueError:
            raise ObjectiveError(f"objective {text!r}: the bound {match['bound']!r} is not a number") from None
        objective = cls(name, direction, bound, cheap=name in CHEAP_OBJECTIVES)
        if sign and sign != objective.sign:
            raise ObjectiveError(f"objective {text!r}: a {direction}d quantity takes the bound {objective.sign}")
        return objective

    def __str__(self) -> str:
        """Return the text that `parse` reads back, with the direction in it: `auroc:max`, `macs:min<=1e+06`."""
        short = "" if self.bound is None else f"{self.bound:g}"
        bound = short if self.bound is None or float(short) == self.bound else repr(self.bound)
        return f"{self.name}:{self.direction[:3]}{self.sign if bound else ''}{bound}"

    @property
    def cost(self) -> bool:
        """Whether it says what a design costs, rather than how good it is."""
        return self.name in COSTS

    @property
    def aim(self) -> Literal["more", "less"]:
        """What is better."""
        return "less" if self.direction == "minimize" else "more"

    @property
    def sign(self) -> Literal["<=", ">="]:
        """How an allowed value stands to the bound."""
        return "<=" if self.direction == "minimize" else ">="

    def loss(self, value: float) -> float:
        """Return the value oriented so that smaller is better; the loss of a loss is the value."""
        return LOSS_SIGN[self.direction] * value

    def better(self, first: float, second: float) -> bool:
        """Whether the first value is strictly better."""
        return self.loss(first) < self.loss(second)

    def gain(self, first: float, second: float) -> float:
        """Return by how much the first value is better; negative where it is worse."""
        return self.loss(second) - self.loss(first)

    def best(self, values: Iterable[float]) -> float:
        """Return the best of one or more values."""
        return min(values, key=self.loss)

    def allows(self, value: float) -> bool:
        """Whether `value` keeps the bound."""
        return self.bound is None or self.loss(value) <= self.loss(self.bound)


def primary(objectives: Sequence[Objective]) -> Objective:
    """Return the objective that decides where one number must: the first that is not a cost, else the first.

    Example:
        >>> primary([Objective.parse("macs"), Objective.parse("auroc")]).name
        'auroc'
    """
    return next((objective for objective in objectives if not objective.cost), objectives[0])


def costs(objectives: Sequence[Objective]) -> list[Objective]:
    """Return the objectives that say what a design costs; without a known one, what is minimized beside the primary one."""
    known = [objective for objective in objectives if objective.cost]
    return known or [objective for objective in objectives if objective != primary(objectives) and objective.aim == "less"]


def feasible(objectives: Sequence[Objective], point: Sequence[float]) -> bool:
    """Whether a design keeps all bounds, by its values in the order of the objectives."""
    return all(objective.allows(value) for objective, value in zip(objectives, point, strict=True))


def read_objectives(entries: Any) -> tuple[Objective, ...]:
    """Read the objectives of a run's configuration.

    Raises:
        ObjectiveError: They are not a list of one or more with the attributes of an objective.
    """
    try:
        objectives = tuple(Objective(**entry) for entry in entries)
    except TypeError:
        objectives = ()
    if not objectives:
        raise ObjectiveError(f"objectives: {entries!r}, expected a list of one or more, each with a name and a direction")
    return objectives


@dataclass(frozen=True)
class Budget:
    """How much an evaluation may spend: epochs for each member, and how many members (None: all of them).

    Attributes:
        epochs: Most epochs of a member; None: those of the evaluator.
        members: Members that are trained; None: all of them.
        seed: The one seed that each fold is trained with, beside those that a design had before; None: all seeds of the evaluator.

    Example:
        >>> Budget(epochs=5, members=2)
        Budget(epochs=5, members=2, seed=None)
    """

    epochs: int | None = None
    members: int | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Evaluation(Mapping[str, float]):
    """What one evaluation found; itself the mapping from names to values.

    Attributes:
        metrics: Every metric and cost, as the mean over the members.
        spread: Standard deviation over the members, for the metrics that vary between them.
        details: Facts worth keeping, JSON-able: `members`, `best_epochs`, `seconds`, `worker`.
        arrays: Arrays worth keeping beside the study, such as out-of-fold predictions.

    Example:
        >>> evaluation = Evaluation({"auroc": 0.91, "macs": 2048.0}, spread={"auroc": 0.02})
        >>> evaluation["auroc"], evaluation.spread["auroc"]
        (0.91, 0.02)
    """

    metrics: Mapping[str, float]
    spread: Mapping[str, float] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> float:
        return self.metrics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.metrics)

    def __len__(self) -> int:
        return len(self.metrics)

    def _repr_html_(self) -> str:
        return html_values(self.metrics, self.spread)

    @classmethod
    def of(cls, result: Mapping[str, float]) -> Evaluation:
        """Take whatever an evaluator returned; refuse what is not a mapping of names to finite numbers.

        Raises:
            EvaluationError: The result is no mapping, or a value is not a finite number.
        """
        if not isinstance(result, Mapping):
            raise EvaluationError(f"an evaluator returned {type(result).__name__}, expected a mapping from names to numbers")
        values = {}
        for name, value in result.items():
            try:
                values[str(name)] = float(value)
            except (TypeError, ValueError):
                raise EvaluationError(f"metric {name!r} is {value!r}, expected a number") from None
            if not math.isfinite(values[str(name)]):
                raise EvaluationError(f"metric {name!r} is {value}, expected a finite number")
        return replace(result, metrics=values) if isinstance(result, Evaluation) else cls(values)


class Report(Protocol):
    """Called by an evaluator as it goes: `report(step, values)`; step counts epochs from 1."""

    def __call__(self, step: int, values: Mapping[str, float], /) -> None: ...


@runtime_checkable
class Evaluator(Protocol):
    """How good is a design? A plain function will do.

    Example:
        >>> def evaluate(candidate, budget, report):
        ...     return {"score": 1.0 / len(candidate.graph.streams), "fusions": float(len(candidate.graph.fusions))}
    """

    def __call__(self, candidate: Candidate, budget: Budget, report: Report, /) -> Mapping[str, float]: ...


@runtime_checkable
class CheapEvaluator(Evaluator, Protocol):
    """An evaluator that knows some objectives before training, and can describe itself for the run's configuration."""

    def cheap(self, candidate: Candidate, /) -> Mapping[str, float]:
        """Return the cheap objectives of `candidate` (parameters, MACs, memory) without training it."""
        ...

    def objectives(self) -> frozenset[str]:
        """Return the names of every quantity that an evaluation holds, so that a wrong objective is refused at once."""
        ...

    def describe(self) -> Mapping[str, Any]:
        """Return JSON-able settings for `config.yaml`; `data.source` and `data.fingerprint` where there are data."""
        ...


@runtime_checkable
class FoldwiseEvaluator(Evaluator, Protocol):
    """An evaluator that tells what it has found after folds, so that a design that has no chance can be stopped there."""

    def by_fold(self, candidate: Candidate, budget: Budget, report: Report, /) -> Iterator[Evaluation]:
        """Give what is known after the first fold, with all its seeds, and whenever more folds are done; the last is the whole evaluation.

        `details["members"]` is a list of mappings with `fold`, `seed` and `metrics`, one for each training so far.
        """
        ...


@dataclass(frozen=True)
class Outrun:
    """That a recipe was stopped while better ones of the same design went on.

    Attributes:
        epoch: Epochs that it had.
        place: Its place among the recipes that were still trained; 1 is the best.
        recipes: How many those were.
    """

    epoch: int
    place: int
    recipes: int

    @property
    def reason(self) -> str:
        """What is told of the trial."""
        return f"stopped after epoch {self.epoch}: place {self.place} of {self.recipes} recipes of this design by the loss of held-out rows"


@dataclass(frozen=True)
class PackNews:
    """What became known of one of several recipes that are trained together.

    Attributes:
        place: Which recipe, by its place among the candidates.
        found: What was found: in all folds, or (`is_last` is false) in those that are done. Or why there is nothing.
        is_last: Whether nothing more will be known of it.
    """

    place: int
    found: Evaluation | Outrun | EvaluationError
    is_last: bool = True


@runtime_checkable
class PackEvaluator(FoldwiseEvaluator, Protocol):
    """An evaluator that trains several recipes of one design together."""

    def usual_recipes(self, candidate: Candidate, /) -> int:
        """Return how many recipes of a design are worth it where nobody says: as many as take about as long as one."""
        ...

    def price_of_look(self, candidate: Candidate, budget: Budget, recipes: int = 1, /) -> float:
        """Return how likely the first fold must stop a design, for a look after it to spare the time it takes; 0 where it takes none."""
        ...

    def recipes(
        self,
        candidates: Sequence[Candidate],
        budget: Budget,
        report: Report,
        /,
        *,
        by_fold: bool,
        halving: bool,
        goes_on: Callable[[int], bool],
    ) -> Iterator[PackNews]:
        """Give what becomes known of candidates that differ in their recipes alone, of each as soon as it is known.

        Args:
            candidates: The design with each of its recipes; width is the same.
            budget: What one evaluation may spend.
            report: Told of every epoch.
            by_fold: Whether the first fold is trained before the others, with all recipes, and told of.
            halving: Whether the worse recipes are stopped early.
            goes_on: Asked before each pack which recipes are still wanted, by their places.
        """
        ...


@runtime_checkable
class CachingEvaluator(Evaluator, Protocol):
    """An evaluator that can keep what several designs need, so that it is computed once."""

    def caching(self, folder: str | Path) -> Evaluator:
        """Return the same evaluator, which keeps in `folder` what other designs may need, and takes from there what is there."""
        ...


@runtime_checkable
class DeviceEvaluator(Evaluator, Protocol):
    """An evaluator that knows whether each of its evaluations computes on a GPU (`needs_gpu`), so that a worker should hold one."""

    needs_gpu: bool


@runtime_checkable
class KeepingEvaluator(Evaluator, Protocol):
    """An evaluator that can keep trained weights, a folder for each candidate's digest, and start others from them."""

    def keeping(self, folder: str | Path) -> Evaluator:
        """Return the same evaluator, which keeps what it trains in `folder` and reads from there what a candidate starts from."""
        ...
