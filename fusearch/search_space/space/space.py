"""All candidates over some modalities, as one define-by-run program."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fusearch.data.modality import Modality
from fusearch.errors import FusearchError, SpaceError, suggestion
from fusearch.search_space.design.candidate import Candidate
from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.parts import TRUNKS, Training, TrunkFamily
from fusearch.search_space.design.recipe import Recipe
from fusearch.search_space.encoders import POOL, default_encoder
from fusearch.search_space.entries.encoder import ENCODERS
from fusearch.search_space.entries.operator import OPERATORS
from fusearch.search_space.entries.parameter import Param, Value
from fusearch.search_space.notation import print_entry
from fusearch.search_space.space.answers import read_answers
from fusearch.search_space.space.choosers import AnswerChooser, Chooser, MutatingChooser, RandomChooser, ReplayChooser, Trial, TrialChooser
from fusearch.search_space.space.counting import Size, count_designs
from fusearch.search_space.space.pattern_answers import read_pattern_answers
from fusearch.search_space.space.pattern_program import check_pattern, draw_design
from fusearch.search_space.space.program import Parts, build
from fusearch.search_space.space.recipe_space import RecipeSpace
from fusearch.search_space.space.references import reference_designs
from fusearch.search_space.space.space_settings import (
    DEFAULT_OPERATORS,
    DENSE_OPERATORS,
    EXTRAS,
    SEARCHED,
    SpaceSettings,
    choose_encoders,
    default_trainings,
    read_names,
)

if TYPE_CHECKING:
    import numpy as np

__all__ = ["DEFAULT_OPERATORS", "SearchSpace"]

#: Children that are made until one is new and lies in the space: a join of joins may become one that no decision spells.
TRIES = 20

#: Candidates whose decisions are kept.
ENCODED = 2_000


class SearchSpace:
    """Every candidate that a search may propose.

    Args:
        modalities: What the data have.
        encoders: Names of encoders, `cnn` or with fixed parameters `cnn(stages=4)`, or names by modality; None for the default of each
            kind.
        operators: Names of operators, `cat` or `low_rank(rank=8)`, or `"all"`; None for two or more of each class, and the votes.
        max_fusions: Most fusions of a design; designs without a fusion are always in the space.
        max_trunk: Most stages of a trunk.
        max_streams: Most streams of one modality.
        trunks: Families of trunks; with `continue`, a trunk may be the rest of the encoder of its first argument.
        trainings: Training modes; None for `joint`, and where a modality has positions (an image, a series), so that its stream is costly,
            `staged` and `frozen` too. Votes train independently in any case; `independent` here also allows it for `cat` of class
            scores.
        scores: Whether designs may join class scores: late and joint-late.
        auxiliary: Whether streams may have auxiliary heads.
        all_stages: Whether a fusion may take all stages of a stream (`@*`).
        extras: What is seldom wanted: `argument_order`, `idle_parts`, `ports`, `scores_beside_features`, `several_outputs`, `source_twice`,
            `ties`, or `"all"`.
        recipe: Ranges of the numbers of training.
        pattern: A formula with letters, `?` or classes of operators: only designs that it stands for are drawn.
        balances: Whether the task has classes that a recipe may balance (`data.task.balances`).
        solved: Whether the task solves linear models (`data.task.solved`); else no reference is one.
        dense: Whether the task has a class at each position of a grid (`data.task.dense`): by default operators that keep a grid, and
            references that end in one.

    Raises:
        SpaceError: A setting is not legal.
        UnknownNameError: An operator or encoder is not known.

    Example:
        >>> import numpy as np
        >>> from fusearch.data.modality import Modality
        >>> space = SearchSpace([Modality("mrna", "tabular", (200,)), Modality("meth", "tabular", (200,))], max_fusions=1)
        >>> candidate = space.sample(np.random.default_rng(0))
        >>> space.decode(space.encode(candidate)) == candidate
        True
    """

    def __init__(
        self,
        modalities: Sequence[Modality],
        *,
        encoders: Mapping[str, Sequence[str]] | Sequence[str] | None = None,
        operators: str | Sequence[str] | None = None,
        max_fusions: int = 3,
        max_trunk: int = 2,
        max_streams: int = 1,
        trunks: Sequence[TrunkFamily] = ("fc",),
        trainings: Sequence[Training] | None = None,
        scores: bool = True,
        auxiliary: bool = False,
        all_stages: bool = False,
        extras: str | Sequence[str] = (),
        recipe: RecipeSpace | Mapping[str, Any] | None = None,
        pattern: str | None = None,
        balances: bool = True,
        solved: bool = True,
        dense: bool = False,
    ) -> None:
        if operators is None:
            operators = DENSE_OPERATORS if dense else DEFAULT_OPERATORS
        elif operators == "all":
            operators = tuple(OPERATORS)
        self.settings = SpaceSettings(
            modalities=tuple(modalities),
            encoders=choose_encoders(modalities, encoders),
            operators=read_names("operators", operators),
            max_fusions=max_fusions,
            max_trunk=max_trunk,
            max_streams=max_streams,
            trunks=read_names("trunks", trunks),
            trainings=default_trainings(modalities, dense=dense) if trainings is None else read_names("trainings", trainings),
            scores=scores,
            auxiliary=auxiliary,
            all_stages=all_stages,
            extras=tuple(EXTRAS) if extras == "all" else read_names("extras", extras),
            recipe=recipe if isinstance(recipe, RecipeSpace) else RecipeSpace.from_dict(recipe or {}),
            pattern=pattern,
            balances=balances,
            solved=solved,
            dense=dense,
        )
        self._encoded: dict[str, dict[str, Value]] = {}
        if pattern is not None:
            check_pattern(self.settings)

    @classmethod
    def widest(cls, modalities: Sequence[Modality], designs: Sequence[FusionGraph] = ()) -> SearchSpace:
        """Return the space with every operator and every switch on.

        Args:
            modalities: What the data have.
            designs: Designs whose encoders and operators, with their parameters, are in it too, and which fit its sizes.

        Example:
            >>> from fusearch.search_space import PUBLISHED, Candidate, published_design
            >>> design = published_design("mmdynamics")
            >>> SearchSpace.widest(design.modalities, [design]).contains(Candidate(design))
            True
        """
        encoders: dict[str, list[str]] = {modality.name: [] for modality in modalities}
        for stream in (stream for design in designs for stream in design.streams):
            encoders[stream.modality].append(print_entry(stream.encoder, stream.params))
        for modality in modalities:
            encoders[modality.name].append(default_encoder(modality))
        stated = [print_entry(fusion.operator, fusion.params) for design in designs for fusion in design.fusions]
        streams = [[stream.modality for stream in design.streams] for design in designs]
        return cls(
            modalities,
            encoders=encoders,
            operators=[*stated, *(operator.name for operator in OPERATORS.values())],
            max_fusions=max([4, *(len(design.fusions) for design in designs)]),
            max_trunk=max([3, *(fusion.trunk.num_stages for design in designs for fusion in design.fusions)]),
            max_streams=max([2, *(used.count(name) for used in streams for name in used)]),
            trunks=TRUNKS,
            trainings=SEARCHED,
            auxiliary=True,
            all_stages=True,
            extras="all",
        )

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """The modalities of the data."""
        return self.settings.modalities

    @property
    def pattern(self) -> str | None:
        """The formula that restricts it; None for the whole language."""
        return self.settings.pattern

    def suggest(self, trial: Trial) -> Candidate:
        """Return the candidate that a trial decides on.

        Args:
            trial: Anything with the `suggest_categorical`, `suggest_int` and `suggest_float` of an Optuna trial.
        """
        return self._run(TrialChooser(trial))

    def sample(self, rng: np.random.Generator) -> Candidate:
        """Draw a candidate; each decision is uniform over its choices."""
        return self._run(RandomChooser(rng))

    def sample_recipe(self, rng: np.random.Generator) -> Recipe:
        """Draw a recipe alone, to tune a design that is given."""
        return self.settings.recipe.suggest(
            RandomChooser(rng), balances=self.settings.balances, augments=any(each.has_grid for each in self.modalities)
        )

    def encode(self, candidate: Candidate) -> dict[str, Value]:
        """Return the decisions that lead to a candidate, by name, as an Optuna trial would hold them.

        Raises:
            SpaceError: The candidate lies outside of the space.
        """
        # A sampler asks again and again for the parents of its children, which it has read before.
        if (known := self._encoded.get(candidate.digest)) is not None:
            return dict(known)
        recipe = self.settings.recipe.answers(candidate.recipe)
        chooser, found = self._replayed(candidate.graph, recipe)
        if found.graph.digest != candidate.graph.digest:
            raise SpaceError(f"the design lies outside of this space; the nearest in it is: {found.graph.formula}")
        # Numbers that the space does not ask for in this design have to be the defaults.
        if found.recipe != candidate.recipe:
            raise SpaceError(f"the recipe lies outside of this space: {candidate.recipe}; the nearest in it is: {found.recipe}")
        if len(self._encoded) >= ENCODED:
            self._encoded.clear()
        self._encoded[candidate.digest] = chooser.params
        return dict(chooser.params)

    def decode(self, params: Mapping[str, Value]) -> Candidate:
        """Return the candidate that decisions lead to; parameters that nothing asks for are ignored.

        Raises:
            SpaceError: A decision is missing, or is none of the choices.
        """
        return self._run(ReplayChooser(params))

    def contains(self, candidate: Candidate) -> bool:
        """Whether the candidate can be read back as decisions of the program."""
        try:
            self.encode(candidate)
        except FusearchError:
            return False
        return True

    def mutate(self, candidate: Candidate, rng: np.random.Generator) -> Candidate:
        """Return another candidate, one to three decisions away; what they make undefined is drawn anew.

        Raises:
            SpaceError: The candidate lies outside of the space.
        """
        params = self.encode(candidate)
        names = list(params)
        for _ in range(TRIES):
            count = min(1 + int(rng.geometric(0.6)) // 2, 3, len(names))
            renewed = {names[int(index)] for index in rng.permutation(len(names))[:count]}
            child = self._run(MutatingChooser(rng, params, renewed))
            if child.digest != candidate.digest and self.contains(child):
                return child
        return candidate

    def cross(self, first: Candidate, second: Candidate, rng: np.random.Generator) -> Candidate:
        """Return a child that takes each decision from one of two parents, and draws those that neither of them had to take.

        Raises:
            SpaceError: A parent lies outside of the space.
        """
        one, other = self.encode(first), self.encode(second)
        for _ in range(TRIES):
            mixed = {name: (one if name in one and (name not in other or rng.random() < 0.5) else other)[name] for name in {**one, **other}}
            child = self._run(MutatingChooser(rng, mixed))
            if self.contains(child):
                return child
        return first

    def size(self) -> Size:
        """Return how many designs there are, recipes apart: exact where the space is small, else an estimate of its order."""
        return count_designs(self.settings)

    def references(self) -> dict[str, tuple[FusionGraph, ...]]:
        """Return the reference designs by role (`fusearch.study.ROLES`). They need not lie in the space."""
        return reference_designs(self.settings)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits of everything that decides what the space holds, choices of operators and encoders included."""
        return _hexadecimal(self.to_dict(), self._declared())

    @property
    def fingerprint_0_1_0(self) -> str:
        """The same as version 0.1.0 worked it out, which knew neither pooling nor patterns, extras and tasks."""
        later = ("extras", "pattern", "balances", "solved", "dense")
        settings = {name: value for name, value in self.to_dict().items() if name not in later}
        declared = self._declared()
        encoders = {name: {key: of for key, of in params.items() if key != POOL} for name, params in declared["encoders"].items()}
        return _hexadecimal(settings, {**declared, "encoders": encoders})

    def _declared(self) -> dict[str, dict[str, dict[str, list[Value]]]]:
        return {
            "operators": {operator.name: _choices(operator.params) for operator, _ in self.settings.joins.values()},
            "encoders": {name: _choices(ENCODERS[name].params) for chains in self.settings.chains.values() for name, _ in chains.values()},
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-able values."""
        return self.settings.to_dict()

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> SearchSpace:
        """Read what `to_dict` wrote; settings left out take their defaults.

        Raises:
            SpaceError: A key is unknown or a setting is not legal.
        """
        names = list(SpaceSettings.__dataclass_fields__)
        for name in record:
            if name not in names:
                raise SpaceError(f"search space: unknown key {name!r}, {suggestion(name, names)}")
        given = dict(record)
        modalities = [Modality(item["name"], item["kind"], tuple(item.get("shape", ()))) for item in given.pop("modalities", ())]
        if "recipe" in given:
            given["recipe"] = RecipeSpace.from_dict(given["recipe"])
        return cls(modalities, **given)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SearchSpace) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        names = ", ".join(modality.name for modality in self.modalities)
        return f"SearchSpace({names}; {len(self.settings.operators)} operators, up to {self.settings.max_fusions} fusions)"

    def _replayed(self, graph: FusionGraph, recipe: dict[str, Value]) -> tuple[Chooser, Candidate]:
        """Return the answers that make a design again, or where none does, those of the last try."""
        if self.settings.pattern is None:
            chooser = AnswerChooser(read_answers(self.settings, graph) | recipe)
            return chooser, self._run(chooser)
        failure = SpaceError(f"the design is none of the pattern {self.settings.pattern!r}: {graph.formula}")
        for answers in read_pattern_answers(self.settings, graph):
            chooser = AnswerChooser({**answers, **recipe})
            try:
                found = self._run(chooser)
            except FusearchError as error:
                failure = SpaceError(str(error))
                continue
            if found.graph.digest == graph.digest:
                return chooser, found
        raise failure

    def _run(self, choose: Chooser) -> Candidate:
        parts = draw_design(self.settings, choose)
        graph = build(self.settings, parts)
        used = {"fused": bool(parts.fusions), "adds_loss": _adds_loss(parts), "balances": self.settings.balances}
        used["augments"] = any(graph.modality(stream.modality).has_grid for stream in parts.streams)
        return Candidate(graph, self.settings.recipe.suggest(choose, **used))


def _adds_loss(parts: Parts) -> bool:
    return any(OPERATORS[fusion.operator].adds_loss for fusion in parts.fusions) or any(output.task for output in parts.outputs)


def _hexadecimal(settings: Mapping[str, Any], declared: Mapping[str, Any]) -> str:
    text = json.dumps([settings, declared], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _choices(params: Mapping[str, Param]) -> dict[str, list[Value]]:
    return {name: [param.default, *param.choices] for name, param in params.items() if not param.stated}
