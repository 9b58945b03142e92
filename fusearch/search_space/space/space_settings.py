"""The settings of a search space, checked and with everything that is left out filled in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, TypeVar

from fusearch.data.modality import Modality
from fusearch.errors import FormulaError, SpaceError, suggestion
from fusearch.registry import Registry
from fusearch.search_space.design.parts import RESERVED, TRAININGS, TRUNKS, Training, TrunkFamily
from fusearch.search_space.encoders import offered_encoders
from fusearch.search_space.entries.encoder import ENCODERS, Chain, Encoder
from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Value, complete_params
from fusearch.search_space.notation import parse_document
from fusearch.search_space.space.recipe_space import RecipeSpace

__all__ = [
    "DEFAULT_OPERATORS",
    "DENSE_OPERATORS",
    "EXTRAS",
    "SEARCHED",
    "SpaceSettings",
    "choose_encoders",
    "default_trainings",
    "read_chain",
    "read_names",
    "read_operator",
]

Name = TypeVar("Name", bound=str)
Entry = TypeVar("Entry", Encoder, Operator)

#: Two or more of each class, and the votes. All of them work on a single token as on many.
DEFAULT_OPERATORS = (
    "cat",
    "gated_cat",
    "sum",
    "product",
    "low_rank",
    "cross_attention",
    "modality_attention",
    "gated_unit",
    "film",
    "shared_private",
    "contrastive",
    "vote_mean",
    "vote_weighted",
    "stacking",
)

#: Those of a task with a class at each position of a grid: they keep the grid, and class scores have their mean alone (decision 0099).
DENSE_OPERATORS = (
    "cat_channels",
    "gated_cat",
    "sum",
    "product",
    "low_rank",
    "cross_attention",
    "modality_attention",
    "gated_unit",
    "film",
    "shared_private",
    "vote_mean",
)

#: What a space holds beside the usual designs only where it is asked for.
EXTRAS: Mapping[str, str] = {
    "argument_order": "the order of all arguments of an operator, not only the first one",
    "idle_parts": "operators and trunks of which some part is never trained, as attention over one key",
    "ports": "one named result of an operator that gives one per argument",
    "scores_beside_features": "class scores among the arguments of a fusion of features",
    "several_outputs": "fusions that go to a head of their own, beside the last one",
    "source_twice": "one source at two depths in one fusion",
    "ties": "streams that share the weights of one of another modality",
}

#: Training modes that a space may hold; a linear model that is solved is a reference.
SEARCHED = tuple(training for training in TRAININGS if training != "convex")


@dataclass(frozen=True, kw_only=True)
class SpaceSettings:
    """What a search may use; see `SearchSpace` for each attribute."""

    modalities: tuple[Modality, ...]
    encoders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    operators: tuple[str, ...] = DEFAULT_OPERATORS
    max_fusions: int = 3
    max_trunk: int = 2
    max_streams: int = 1
    trunks: tuple[TrunkFamily, ...] = ("fc",)
    trainings: tuple[Training, ...] = ("joint",)
    scores: bool = True
    auxiliary: bool = False
    all_stages: bool = False
    extras: tuple[str, ...] = ()
    recipe: RecipeSpace = field(default_factory=RecipeSpace)
    pattern: str | None = None
    balances: bool = True
    solved: bool = True
    dense: bool = False

    def __post_init__(self) -> None:
        if not self.modalities:
            raise SpaceError("a search space needs one modality or more")
        names = [modality.name for modality in self.modalities]
        if len(set(names)) != len(names):
            raise SpaceError(f"two modalities have the same name: {', '.join(names)}")
        for name, least, most in (("max_fusions", 0, 12), ("max_trunk", 0, 8), ("max_streams", 1, 8)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise SpaceError(f"{name} is {value!r}, expected a whole number from {least} to {most}")
        for name in ("scores", "auxiliary", "all_stages", "balances", "solved", "dense"):
            if not isinstance(getattr(self, name), bool):
                raise SpaceError(f"{name} is {getattr(self, name)!r}, expected true or false")
        for name, legal in (("trunks", TRUNKS), ("trainings", SEARCHED)):
            for value in getattr(self, name):
                if value not in legal:
                    raise SpaceError(f"{name}: {value!r}, {suggestion(str(value), legal)}")
        if not self.families or not self.trainings_of_features:
            raise SpaceError("expected at least one trunk family other than 'continue' and one training other than 'independent'")
        for extra in self.extras:
            if extra not in EXTRAS:
                raise SpaceError(f"extras: {extra!r}, {suggestion(extra, EXTRAS)}")
        if self.dense and "scores_beside_features" in self.extras:
            raise SpaceError(
                "extras: 'scores_beside_features', where a task has scores of each position of a grid, expected their mean alone"
            )
        if self.max_fusions and not (self.features or self.votes):
            raise SpaceError("operators: expected at least one that joins two arguments of any kind, such as 'cat'")
        if self.max_fusions and self.features and self.max_args < 2:
            raise SpaceError(f"operators: {', '.join(self.features)}: expected one among them that joins any two arguments, such as 'cat'")

    def __getstate__(self) -> dict[str, Any]:
        return {entry.name: getattr(self, entry.name) for entry in fields(self)}  # what is worked out is worked out again

    @cached_property
    def joins(self) -> Mapping[str, tuple[Operator, Mapping[str, Value]]]:
        """By the text of each operator: the operator, and the parameters that are fixed."""
        return {text: read_operator(text) for text in self.operators}

    @cached_property
    def features(self) -> tuple[str, ...]:
        """Operators that join features."""
        return tuple(text for text, (operator, _) in self.joins.items() if not operator.scores_only)

    @cached_property
    def votes(self) -> tuple[str, ...]:
        """Operators that join class scores: votes, and `cat` with a head; those of each position of a grid have their mean alone."""
        if not self.scores:
            return ()
        if self.dense:
            return tuple(text for text, (operator, _) in self.joins.items() if operator.name == "vote_mean")
        votes = tuple(text for text, (operator, _) in self.joins.items() if operator.scores_only or operator.name == "cat")
        return votes if any(self.joins[text][0].takes(2) for text in votes) else ()

    @cached_property
    def families(self) -> tuple[TrunkFamily, ...]:
        """Trunk families with stages of their own."""
        return tuple(family for family in self.trunks if family != "continue")

    @cached_property
    def trainings_of_features(self) -> tuple[Training, ...]:
        """Training modes of a design that joins features."""
        return tuple(training for training in self.trainings if training != "independent")

    @cached_property
    def vector_families(self) -> tuple[TrunkFamily, ...]:
        """Trunk families of a single token: without others a convolution, a recurrence or an attention is but a layer with dead weights."""
        return ("fc",) if "fc" in self.families else self.families

    @cached_property
    def chains(self) -> Mapping[str, Mapping[str, Chain]]:
        """For each modality, by the text of its encoders: the encoder, and the parameters that are fixed."""
        return {name: {text: read_chain(text) for text in texts} for name, texts in self.encoders.items()}

    @cached_property
    def max_args(self) -> int:
        """Most arguments of a fusion: every number from 2 up to it has an operator that works on any kind of argument."""
        return self._most_args([text for text in self.features if not self.joins[text][0].needs_grid])

    @cached_property
    def max_votes(self) -> int:
        """Most streams of a design at the level of class scores."""
        return self._most_args(self.votes)

    def _most_args(self, operators: Sequence[str]) -> int:
        most = 1
        while most < self.max_sources and any(self.joins[text][0].takes(most + 1) for text in operators):
            most += 1
        return most

    @cached_property
    def max_sources(self) -> int:
        """Most streams and earlier fusions that a fusion could take."""
        return len(self.modalities) * self.max_streams + self.max_fusions

    @cached_property
    def max_joined(self) -> int:
        """Most fusions of a design: none where there is nothing to join, one where only votes are left."""
        if len(self.modalities) * self.max_streams < 2:
            return 0
        return self.max_fusions if self.features else min(self.max_fusions, 1)

    @cached_property
    def max_joinable(self) -> int:
        """Most streams of a design."""
        joined = 1 + self.max_joined * (self.max_args - 1) if self.features else 1
        return max(1, joined, self.max_votes if self.votes and self.max_joined else 1)

    @cached_property
    def counted_modalities(self) -> int:
        """Most modalities where their number is drawn, that is, where not all of them are used."""
        return min(self.max_joinable, len(self.modalities) - 1)

    @property
    def all_or_some(self) -> tuple[float, float]:
        """Odds of a design of all modalities; of two, one alone is but a small part of what can be built."""
        return (3.0, 1.0) if len(self.modalities) == 2 else (1.0, 1.0)

    def levels(self, num_streams: int) -> tuple[str, ...]:
        """Return where that many streams can be joined: by their features, by their class scores."""
        features = self.features and self.least_fusions(num_streams) <= self.max_joined
        scores = self.votes and num_streams <= self.max_votes and self.max_joined
        return (("features",) if features else ()) + (("scores",) if scores else ())

    def least_fusions(self, num_streams: int) -> int:
        """Return how many fusions it takes to join the features of that many streams."""
        return math.ceil((num_streams - 1) / (self.max_args - 1)) if self.max_args > 1 else self.max_fusions + 1

    @cached_property
    def slots(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the streams that a modality may have."""
        taken = {modality.name for modality in self.modalities} | RESERVED
        slots: dict[str, tuple[str, ...]] = {}
        for modality in self.modalities:
            names = []
            for number in range(1, self.max_streams + 1):
                name = modality.name if number == 1 and modality.name not in RESERVED else f"{modality.name}_{number}"
                while name in taken and name != modality.name:
                    name += "_"
                taken.add(name)
                names.append(name)
            slots[modality.name] = tuple(names)
        return slots

    @cached_property
    def prefix(self) -> str:
        """Begin of the names of fusions, chosen so that no stream has such a name."""
        prefix = "F"
        streams = {name for names in self.slots.values() for name in names}
        while any(f"{prefix}{number}" in streams for number in range(1, self.max_fusions + 1)):
            prefix += "F"
        return prefix

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-able values."""
        return {
            "modalities": [{"name": item.name, "kind": item.kind, "shape": list(item.shape)} for item in self.modalities],
            "encoders": {name: list(names) for name, names in self.encoders.items()},
            "operators": list(self.operators),
            "max_fusions": self.max_fusions,
            "max_trunk": self.max_trunk,
            "max_streams": self.max_streams,
            "trunks": list(self.trunks),
            "trainings": list(self.trainings),
            "scores": self.scores,
            "auxiliary": self.auxiliary,
            "all_stages": self.all_stages,
            "extras": list(self.extras),
            "recipe": self.recipe.to_dict(),
            **({} if self.pattern is None else {"pattern": self.pattern}),
            **{name: False for name in ("balances", "solved") if not getattr(self, name)},
            **({"dense": True} if self.dense else {}),
        }


def default_trainings(modalities: Iterable[Modality], *, dense: bool = False) -> tuple[Training, ...]:
    """Return the training modes of a space: streams of images, volumes or series cost enough to be trained once and then kept.

    Not those whose states a `dense` head reads: they are as large as the images, times their width.
    """
    if dense:
        return ("joint", "staged")
    return ("joint", "staged", "frozen") if any(modality.layout.positions for modality in modalities) else ("joint",)


def read_chain(text: str) -> Chain:
    """Return the encoder that a text names, `cnn` or `cnn(stages=4)`, and the parameters that it fixes.

    Raises:
        SpaceError: It is no encoder, or a parameter is not legal.
        UnknownNameError: There is no such encoder.
    """
    encoder, fixed = _read_entry(ENCODERS, "encoder", text, "'cnn', or one with parameters such as 'cnn(stages=4)'")
    return encoder.name, fixed


def read_operator(text: str) -> tuple[Operator, Mapping[str, Value]]:
    """Return the operator that a text names, `cat` or `low_rank(rank=8)`, and the parameters that it fixes.

    Raises:
        SpaceError: It is no operator, or a parameter is not legal.
        UnknownNameError: There is no such operator.
    """
    return _read_entry(OPERATORS, "operator", text, "'cat', or one with parameters such as 'low_rank(rank=8)'")


def _read_entry(registry: Registry[Entry], what: str, text: str, expected: str) -> tuple[Entry, Mapping[str, Value]]:
    """Read a name with parameters, in the grammar of an encoder in a formula: the entry, and the values of the parameters that stand."""
    try:
        streams = parse_document(f"x:{text}").streams
    except FormulaError:
        streams = []
    if len(streams) != 1 or not streams[0].encoder or streams[0].tie is not None:
        raise SpaceError(f"{what}s: {text!r}, expected a name such as {expected}")
    entry, given = registry[streams[0].encoder], streams[0].params
    where = f"{what} {entry.name!r}"
    given = entry.without_size(given, where) if isinstance(entry, Encoder) else given
    complete = complete_params(given, entry.params, where)
    return entry, {key: complete[key] for key in given if key in complete}


def choose_encoders(
    modalities: Sequence[Modality], encoders: Mapping[str, Sequence[str]] | Sequence[str] | None
) -> dict[str, tuple[str, ...]]:
    """Return the encoders of each modality: those given that read its kind, else its default.

    Args:
        modalities: The modalities of the space.
        encoders: Names, such as `cnn` or `cnn(stages=4)`, for all modalities or by modality; None for the defaults.

    Raises:
        SpaceError: A name is not a modality, or an encoder does not read it.
        UnknownNameError: There is no such encoder.
    """
    if not isinstance(encoders, Mapping):
        listed = {text: ENCODERS[read_chain(text)[0]] for text in read_names("encoders", () if encoders is None else encoders)}
        fitting = {m.name: tuple(text for text, encoder in listed.items() if encoder.reads(m.kind)) for m in modalities}
        return {m.name: fitting[m.name] or offered_encoders(m) for m in modalities}
    by_name = {modality.name: modality for modality in modalities}
    chosen: dict[str, tuple[str, ...]] = {modality.name: offered_encoders(modality) for modality in modalities}
    for name, given in encoders.items():
        if name not in by_name:
            raise SpaceError(f"encoders: unknown modality {name!r}, {suggestion(name, by_name)}")
        names = read_names(f"encoders: {name}", given)
        for encoder in names:
            if not ENCODERS[read_chain(encoder)[0]].reads(by_name[name].kind):
                raise SpaceError(f"encoders: {encoder!r} does not read modality {name!r}, which is {by_name[name].kind}")
        if not names:
            raise SpaceError(f"encoders: none for modality {name!r}")
        chosen[name] = names
    return chosen


def read_names(what: str, value: Name | Iterable[Name]) -> tuple[Name, ...]:
    """Return names that are given as one name or several, each once.

    Raises:
        SpaceError: It is something else.
    """
    names: tuple[Any, ...] = (value,)
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        names = tuple(value)
    if not all(isinstance(name, str) for name in names):
        raise SpaceError(f"{what}: {value!r}, expected a name or a list of names")
    return tuple(dict.fromkeys(names))
