"""Puts the parts of a search together from the options of a command."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusearch.contracts import Objective
from fusearch.errors import EvaluationError, FusearchError, SpaceError, YamlError, suggestion
from fusearch.yaml_file import read_yaml

if TYPE_CHECKING:
    from fusearch.data import Dataset
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search.strategies import Strategy
    from fusearch.search_space import FusionGraph, SearchSpace
    from fusearch.tasks import Task

__all__ = ["check_outputs", "compose_evaluator", "compose_objectives", "compose_space", "compose_strategy"]

#: Options of `search` that only some strategies take.
_STRATEGY_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "--diversity": ("pareto-ensemble", "late-ensemble"),
    "--max-per-modality": ("pareto-ensemble", "late-ensemble"),
    "--require": ("pareto-ensemble", "late-ensemble"),
    "--fusion-operator": ("forward-timing",),
}

#: Chances to drop a modality in training, where a design is judged with modalities missing.
_MODALITY_DROPOUT = (0.0, 0.2)


def compose_objectives(texts: Sequence[str] | None, data: Dataset) -> tuple[Objective, ...]:
    """Read the objectives; left out, the task's headline metric against MACs."""
    return tuple(Objective.parse(text) for text in texts or (data.task.headline, "macs"))


def compose_space(
    data: Dataset,
    objectives: Sequence[Objective],
    *,
    file: Path | None = None,
    encoders: Sequence[str] | None = None,
    operators: Sequence[str] | None = None,
    max_fusions: int | None = None,
    pattern: str | None = None,
) -> SearchSpace:
    """Return the search space of a YAML file (keys: the arguments of `SearchSpace`), changed by the options that are given.

    Raises:
        SpaceError: The file cannot be read, or a setting is not legal.
    """
    from fusearch.search_space import SearchSpace

    record = _read(file) if file is not None else {}
    for key in ("modalities", "balances", "solved", "dense"):
        if key in record:
            raise SpaceError(f"{str(file)!r}: {key!r} comes from the data set, leave it out")
    if encoders:
        record["encoders"] = _encoders(encoders)
    if operators:
        record["operators"] = ["all"] if list(operators) == ["all"] else list(operators)
    if record.get("operators") == ["all"]:
        record["operators"] = "all"
    if max_fusions is not None:
        record["max_fusions"] = max_fusions
    if pattern is not None:
        record["pattern"] = pattern
    if any(_is_missing(objective) for objective in objectives):
        recipe = record.get("recipe", {})
        record["recipe"] = {"modality_dropout": _MODALITY_DROPOUT, **recipe} if isinstance(recipe, Mapping) else recipe
    modalities = [{"name": modality.name, "kind": modality.kind, "shape": modality.shape} for modality in data.modalities]
    task = {"balances": data.task.balances, "solved": data.task.solved, "dense": data.task.dense}
    return SearchSpace.from_dict({"modalities": modalities, **task, **record})


def check_outputs(task: Task, space: SearchSpace, designs: Sequence[FusionGraph]) -> None:
    """Refuse, before anything is trained, outputs that name no task of several, and designs that leave a task without an output.

    Raises:
        DesignError: A design does not fit the tasks.
        SpaceError: The pattern names another task.
    """
    from fusearch.evaluators.network.outputs import bind_outputs
    from fusearch.search_space import FusionPattern
    from fusearch.tasks.several import AUXILIARY, SeveralTasks

    if not isinstance(task, SeveralTasks):
        return
    for design in designs:
        bind_outputs(design, len(task.outputs), task.output_columns)
    known = [*task.output_columns, AUXILIARY]
    for output in FusionPattern.parse(str(space.pattern)).outputs if space.pattern is not None else ():
        if output.task is not None and output.task not in known:
            raise SpaceError(f"pattern {str(space.pattern)!r}: output -> {output.task}: {suggestion(output.task, known)}")


def compose_strategy(
    name: str,
    *,
    encoders: Sequence[str] | None = None,
    diversity: str | None = None,
    max_per_modality: int | None = None,
    required: Sequence[str] | None = None,
    operator: str | None = None,
) -> str | Strategy:
    """Return the strategy of that name with the settings that are given, or the name where there are none.

    Encoders are the candidates of a strategy that joins networks, and the fixed encoders of one that times fusions.

    Raises:
        UnknownNameError: There is no such strategy, diversity or operator.
        FusearchError: The strategy does not take a setting.
    """
    from fusearch.search.ensembles import DIVERSITIES
    from fusearch.search.strategies import ForwardTiming, ParetoEnsemble, make_strategy
    from fusearch.search_space import OPERATORS

    made = make_strategy(name)
    given = {"--diversity": diversity, "--max-per-modality": max_per_modality, "--require": required, "--fusion-operator": operator}
    for option, value in given.items():
        if value not in (None, [], ()) and name not in _STRATEGY_OPTIONS[option]:
            takers = " or ".join(f"--strategy {taker}" for taker in _STRATEGY_OPTIONS[option])
            raise FusearchError(f"{option} {_shown(value)}: strategy {name!r} does not take it, expected {takers}")
    candidates = _encoders(encoders) if encoders else None
    if isinstance(made, ParetoEnsemble):
        subsets, rules = made.subsets, made.subsets.rules
        rules = replace(rules, max_per_modality=rules.max_per_modality if max_per_modality is None else max_per_modality)
        rules = replace(rules, required=tuple(required) if required else rules.required)
        measure = subsets.diversity if diversity is None else DIVERSITIES[diversity].name
        return replace(made, subsets=replace(subsets, rules=rules, diversity=measure), encoders=candidates)
    if isinstance(made, ForwardTiming):
        several = next((f"{modality}={','.join(names)}" for modality, names in (candidates or {}).items() if len(names) > 1), None)
        if several:
            raise FusearchError(f"--encoder {several!r}: strategy {name!r} keeps one encoder a modality, expected MODALITY=NAME")
        fixed = {modality: names[0] for modality, names in candidates.items()} if candidates else None
        return replace(made, operator=made.operator if operator is None else OPERATORS[operator].name, encoders=fixed)
    return name


def compose_evaluator(
    data: Dataset,
    objectives: Sequence[Objective],
    *,
    folds: int | None,
    seeds: int,
    epochs: int,
    threads: int | None = 1,
    device: str = "auto",
    pack: str = "auto",
    cache: str = "2GB",
) -> TrainingEvaluator:
    """Return the evaluator; it measures what the objectives ask for, such as latency, or performance with a modality missing.

    Where the time of a training is an objective no stream is taken from another design.

    Raises:
        EvaluationError: A setting is not legal.
    """
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.evaluators.cost import MEASURED_COSTS

    names = {objective.name for objective in objectives}
    return TrainingEvaluator(
        data,
        folds=folds,
        seeds=seeds,
        epochs=epochs,
        threads=threads,
        device=device,
        pack=int(pack) if pack.isdecimal() else pack,
        cache=0 if "train_seconds" in names else _bytes(cache),
        costs=[name for name in MEASURED_COSTS if name in names],
        missing=any(_is_missing(objective) for objective in objectives),
    )


def _bytes(text: str) -> float:
    """Read `500MB`, `2GB` or a number of bytes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B?", text.strip())
    if match is None:
        raise EvaluationError(f"cache is {text!r}, expected a size such as 500MB or 2GB, or 0")
    return float(match[1]) * {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[match[2]]


def _shown(value: Any) -> str:
    return ", ".join(map(repr, value)) if isinstance(value, list | tuple) else repr(value)


def _is_missing(objective: Objective) -> bool:
    return "_without." in objective.name or objective.name.startswith("worst_missing_")


def _read(file: Path) -> dict[str, Any]:
    try:
        return read_yaml(file, expected="the settings of a search space, such as 'max_fusions: 2'")
    except FileNotFoundError:
        raise SpaceError(f"no search space {str(file)!r}, expected a YAML file") from None
    except YamlError as error:
        raise SpaceError(f"cannot read the search space {str(file)!r}: {error}") from None


def _encoders(options: Sequence[str]) -> dict[str, list[str]]:
    chosen = {}
    for option in options:
        modality, equals, names = option.partition("=")
        if not equals or not names:
            raise FusearchError(f"--encoder {option!r}: expected MODALITY=NAME,NAME such as mean=mlp,ft_transformer")
        # A comma inside parentheses is one between parameters.
        chosen[modality.strip()] = [name.strip() for name in re.split(r",(?![^(]*\))", names)]
    return chosen
