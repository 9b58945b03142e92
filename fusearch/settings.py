"""`Settings`: every number of a search, once. `run_search`, the options of `fusearch search` and `config.yaml` are made from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from numbers import Integral, Real
from typing import Any, get_type_hints

from fusearch.contracts import Budget
from fusearch.errors import RunError, suggestion
from fusearch.layout import CONFIG

__all__ = ["GROUPS", "SELECTIONS", "Pace", "Setting", "Settings"]

#: What settings are listed under, in this order.
GROUPS = ("What", "How long", "Where", "Advanced")

#: What designs may be ranked and picked by.
SELECTIONS = ("metric", "loss", "both")


class Pace:
    """How long a trial takes a worker, so far.

    The first trial of a worker holds what it does once (imports, the preparation of the data), which takes seconds. So it counts only as
    long as there is no other, and only where it is so long that they hardly matter.
    """

    LONG = 60.0

    def __init__(self) -> None:
        self._first: dict[Any, float] = {}
        self._later, self._num_later = 0.0, 0

    def add(self, worker: Any, seconds: float) -> None:
        """Take note of a trial."""
        if worker not in self._first:
            self._first[worker] = seconds
        else:
            self._later, self._num_later = self._later + seconds, self._num_later + 1

    @property
    def num_workers(self) -> int:
        """How many workers were seen."""
        return len(self._first)

    @property
    def seconds(self) -> float | None:
        """Mean seconds of a trial; None before there is one that tells."""
        if self._num_later:
            return self._later / self._num_later
        long = [each for each in self._first.values() if each >= self.LONG]
        return sum(long) / len(long) if long else None


@dataclass(frozen=True)
class Setting:
    """What is known of one setting.

    Attributes:
        name: Name in `Settings`, in `run_search` and, with dashes, on the command line.
        type: Type of the value.
        default: Value where none is given.
        help: What it means, in a sentence.
        least: Smallest value allowed.
        most: Largest value allowed.
        is_option: Whether the command line offers it.
        unset: What None stands for, in words; empty where None is no value or says it itself.
        group: What it is listed under: one of `GROUPS`.
        metavar: What stands for a value of it in the help.
    """

    name: str
    type: Any
    default: Any
    help: str
    least: float
    most: float
    is_option: bool
    unset: str
    group: str
    metavar: str

    @property
    def may_be_none(self) -> bool:
        return type(None) in getattr(self.type, "__args__", ())

    def check(self, value: Any) -> None:
        """Refuse a value of another type, or out of range.

        Raises:
            RunError: So it is.
        """
        if value is None and self.may_be_none:
            return
        kinds = {self.type, *getattr(self.type, "__args__", ())}
        if int not in kinds and float not in kinds:
            return
        noun, number = ("whole number", Integral) if int in kinds else ("number", Real)
        is_number = isinstance(value, number) and value is not True and value is not False
        if not is_number or not self.least <= float(value) <= self.most:
            raise RunError(f"{self.name} is {value!r}, expected a {noun}{self._range()}")

    def _range(self) -> str:
        if self.most < math.inf:
            return f" between {self.least:g} and {self.most:g}"
        return f" of at least {self.least:g}" if self.least > -math.inf else ""


#: Whether designs that cannot win are stopped.
_RACES = ("on", "off")
#: What may come before the sampler, beside the designs of the user's.
_STARTS = ("references", "published")


def _facts(
    text: str,
    *,
    group: str = "Advanced",
    metavar: str = "N",
    least: float = -math.inf,
    most: float = math.inf,
    is_option: bool = True,
    unset: str = "",
) -> dict[str, Any]:
    return {"help": text, "least": least, "most": most, "is_option": is_option, "unset": unset, "group": group, "metavar": metavar}


@dataclass(frozen=True)
class Settings:
    """How to search. `Settings.table()` lists what each setting means; so does `fusearch search --help`.

    Raises:
        RunError: A value is of the wrong type or out of range.

    Example:
        >>> Settings(trials=20, executor="inline").changed(seed=1)
        Settings(trials=20, executor='inline', seed=1)
    """

    trials: int | None = field(
        default=60,
        metadata=_facts(
            "Designs to evaluate; failures count, repeats and designs that break a bound on a cheap objective do not.",
            least=1,
            group="How long",
        ),
    )
    time_limit: float | None = field(
        default=None,
        metadata=_facts(
            "Seconds from the first evaluation after which no new one starts; those in flight are finished.",
            least=0,
            unset="no limit",
            group="How long",
            metavar="SECONDS",
        ),
    )
    trial_time_limit: float | None = field(
        default=None,
        metadata=_facts(
            "Seconds after which one evaluation is stopped; it counts as failed.",
            least=0,
            unset="no limit",
            group="How long",
            metavar="SECONDS",
        ),
    )
    sampler: str = field(
        default="tpe", metadata=_facts("Which designs next, in the strategy `graph`: see `fusearch list samplers`.", metavar="NAME")
    )
    strategy: Any = field(
        default="graph",
        metadata=_facts(
            "What decides: see `fusearch list strategies`. All but `graph` end by themselves, after `trials` at most, "
            "and leave their decision in the run folder.",
            metavar="NAME",
        ),
    )
    start: str = field(
        default="references",
        metadata=_facts(
            "What comes before the sampler: the `references`, or after them every `published` design that fits the data, each once. "
            "Only for the strategy `graph`.",
            metavar="NAME",
        ),
    )
    executor: str = field(
        default="ray", metadata=_facts("Where trials run: `ray` (Ray Tune) or `inline` (this process).", group="Where", metavar="NAME")
    )
    workers: int | None = field(
        default=None,
        metadata=_facts("Evaluations side by side; inline has one.", least=1, unset="as many as fit; nodes may come and go", group="Where"),
    )
    cpus_per_trial: float = field(
        default=1.0, metadata=_facts("CPU cores of one evaluation; its worker uses as many threads.", least=0, group="Where")
    )
    gpus_per_trial: float | None = field(
        default=None,
        metadata=_facts(
            "GPUs of one evaluation; may be a fraction.",
            least=0,
            unset="1 where designs are trained on a GPU by name (`--device cuda`), else 0",
            group="Where",
        ),
    )
    address: str | None = field(
        default=None,
        metadata=_facts("Address of a Ray cluster (`auto`, `ray://...`).", unset="this machine", group="Where", metavar="ADDRESS"),
    )
    ship: bool | None = field(
        default=None,
        metadata=_facts(
            "Send the fusearch package of this machine to the nodes of the cluster.", unset="where a node has none", group="Where"
        ),
    )
    storage: str | None = field(
        default=None,
        metadata=_facts(
            f"Optuna storage URL; it stands in `{CONFIG}` as given.", unset="a journal in the run folder", group="Where", metavar="URL"
        ),
    )
    seed: int = field(
        default=0,
        metadata=_facts(
            "Seed of the search. Inline, the same seed gives the same trials; with several workers, order decides too.", least=0
        ),
    )
    reference_share: float = field(
        default=0.3,
        metadata=_facts("Share of the evaluations that tune the reference designs; each of them has at least one.", least=0, most=1),
    )
    select: str = field(
        default="both",
        metadata=_facts(
            "What designs are ranked and picked by: `metric` (the first objective that is no cost), `loss` (what is trained, such as log "
            "loss), or `both` (the sum of their ranks). What the search optimizes stays.",
            metavar="NAME",
        ),
    )
    races: str = field(
        default="on",
        metadata=_facts(
            "Whether a design that the sampler proposed is stopped after a fold where it has less than a 5 % chance to catch up with a "
            "finished one that costs no more: `on` or `off`. Only for the strategy `graph`.",
            metavar="NAME",
        ),
    )
    recipes: int | None = field(
        default=None,
        metadata=_facts(
            "Recipes (learning rate, weight decay, dropout, ...) of each design that the sampler proposes, each a trial of its own. Where "
            "members are packed, they are trained together, and the worse half leaves early. Only for the strategy `graph`.",
            least=1,
            unset="8 where designs are trained on a GPU in packs, else 1",
        ),
    )
    seeds_front: int = field(
        default=0,
        metadata=_facts(
            "Seeds that a design gets at most beside those of every design, after the search, as long as the order of the front, and of "
            "what is next to it, does not stand. They count neither for `trials` nor for `time_limit`. Only for the strategy `graph`.",
            least=0,
            group="How long",
        ),
    )
    max_parameters: float = field(
        default=1e8,
        metadata=_facts("Most parameters of a design; one with more is not trained. 0: no bound.", least=0),
    )
    max_memory: float = field(
        default=float(2**30),
        metadata=_facts(
            "Most bytes that a training step of a design may keep for its backward pass, at the batch size; one that keeps more is not "
            "trained. 0: no bound.",
            least=0,
        ),
    )
    keep_weights: float = field(
        default=1e9,
        metadata=_facts(
            "Most bytes of trained weights that the run folder keeps: those of the designs on the front and of what is picked, for "
            "`run.network`. 0: none. Only for the strategy `graph`; others keep what they go on from.",
            least=0,
        ),
    )
    budget: Budget = field(default_factory=Budget, metadata=_facts("What one evaluation may spend.", is_option=False))

    def __post_init__(self) -> None:
        for setting in self.table():
            setting.check(getattr(self, setting.name))
        if self.start not in _STARTS:
            raise RunError(f"start is {self.start!r}: {suggestion(str(self.start), _STARTS)}")
        if not self.cpus_per_trial:
            raise RunError(f"cpus_per_trial is {self.cpus_per_trial}, expected more than 0")
        if self.select not in SELECTIONS:
            raise RunError(f"select {self.select!r}: {suggestion(self.select, SELECTIONS)}")
        if self.races not in _RACES:
            raise RunError(f"races is {self.races!r}: {suggestion(str(self.races), _RACES)}")
        if self.trials is None and self.time_limit is None:
            raise RunError("neither trials nor time_limit is given: the search would never end")

    def __repr__(self) -> str:
        changed = [setting.name for setting in self.table() if getattr(self, setting.name) != setting.default]
        return f"Settings({', '.join(f'{name}={getattr(self, name)!r}' for name in changed)})"

    @classmethod
    def table(cls) -> tuple[Setting, ...]:
        """Return every setting, in the order in which they are declared."""
        types = get_type_hints(cls)
        defaults = {each.name: Budget() if each.default is MISSING else each.default for each in fields(cls)}
        return tuple(Setting(each.name, types[each.name], defaults[each.name], **each.metadata) for each in fields(cls))

    def changed(self, **values: Any) -> Settings:
        """Return the same settings with other values.

        Raises:
            RunError: There is no setting of that name, or a value is not legal.
        """
        names = [each.name for each in fields(self)]
        for name in values:
            if name not in names:
                raise RunError(f"no setting {name!r}: {suggestion(name, names)}")
        return replace(self, **values)

    def refusal(self, costs: Mapping[str, float]) -> str | None:
        """Say why a design is too large to be trained, by what it costs; None where it is not.

        Args:
            costs: `parameters` and `memory`; one that is not known is not bounded.
        """
        for name, setting in (("parameters", "max_parameters"), ("memory", "max_memory")):
            most = getattr(self, setting)
            if most and costs.get(name, 0.0) > most:
                advice = f"take smaller encoders or operators, or raise {setting} (0: no bound)"
                return f"{name} is {costs[name]:g}, {setting} is {most:g}: {advice}"
        return None

    def seconds_left(self, elapsed: float, done: int, pace: Pace, workers: int) -> float | None:
        """Estimate the seconds until a search ends at the pace so far; None where nothing tells.

        Args:
            elapsed: Seconds since its start.
            done: Trials that count towards `trials`.
            pace: How long trials took.
            workers: How many work side by side.
        """
        limits = [] if self.time_limit is None else [self.time_limit - elapsed]
        if self.trials is not None and pace.seconds is not None:
            limits.append((self.trials - done) * pace.seconds / max(1, workers))
        return max(0.0, min(limits)) if limits else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for `config.yaml`; strategy and storage have sections of their own there."""
        return {
            **{each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("strategy", "storage")},
            "budget": asdict(self.budget),
        }
