from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fusearch.cli.composition import check_outputs, compose_evaluator, compose_objectives, compose_space, compose_strategy
from fusearch.data import Dataset, load_data
from fusearch.errors import DesignError, EvaluationError, FusearchError, SpaceError
from fusearch.search.ensembles import SubsetRules, SubsetSearch
from fusearch.search.strategies import ForwardTiming, LateEnsemble, ParetoEnsemble
from fusearch.search_space import FusionGraph
from fusearch.tasks import TASKS, SeveralTasks, TaskPart


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_data("wisconsin")


def test_objectives_left_out(data: Dataset) -> None:
    assert [objective.name for objective in compose_objectives(None, data)] == ["auroc", "macs"]


def test_options_change_the_file(data: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text("max_fusions: 2\noperators: [cat, sum]\nencoders: {mean: [ft_transformer]}\nrecipe: {width: [8]}\n", encoding="utf-8")
    space = compose_space(data, (), file=file, operators=["product"])
    assert space.settings.max_fusions == 2
    assert space.settings.operators == ("product",)
    assert space.settings.encoders["mean"] == ("ft_transformer",)
    assert space.settings.recipe.width == (8,)


def test_a_pattern_comes_from_the_option_or_the_file(data: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text("pattern: 'F1 = ⊞(x1^x, x2^y) →'\n", encoding="utf-8")
    assert compose_space(data, (), file=file).pattern == "F1 = ⊞(x1^x, x2^y) →"
    assert compose_space(data, (), file=file, pattern="F1 = ⊕(x1^1, x2^1) →").pattern == "F1 = ⊕(x1^1, x2^1) →"
    assert compose_space(data, ()).pattern is None


@pytest.mark.parametrize("kind", list(TASKS))
def test_a_space_knows_what_its_task_can(kind: str, data: Dataset) -> None:
    """Of a task without classes nothing is balanced, of one that solves nothing no reference is."""
    task = SimpleNamespace(kind=kind, balances=TASKS[kind].balances, solved=TASKS[kind].solved, dense=TASKS[kind].dense)
    space = compose_space(SimpleNamespace(task=task, modalities=data.modalities), ())  # type: ignore[arg-type]
    assert (space.settings.balances, space.settings.solved, space.settings.dense) == (task.balances, task.solved, task.dense)


def test_all_operators(data: Dataset) -> None:
    assert len(compose_space(data, (), operators=["all"]).settings.operators) >= 45


def test_encoders_of_one_modality(data: Dataset) -> None:
    assert compose_space(data, (), encoders=["mean=mlp1, mlp2"]).settings.encoders["mean"] == ("mlp1", "mlp2")
    fixed = ("ft_transformer(blocks=1, heads=2)", "mlp(layers=3)")
    assert compose_space(data, (), encoders=[f"mean={', '.join(fixed)}"]).settings.encoders["mean"] == fixed


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("max_fusion: 2", "did you mean 'max_fusions'?"),
        ("modalities: []", "'modalities' comes from the data set"),
        ("balances: false", "'balances' comes from the data set"),
        ("- a", "expected the settings of a search space"),
        ("a: [", "cannot read the search space"),
        ("max_fusions: 2\nmax_fusions: 3", "space.yaml': line 2, column 1: the key 'max_fusions' stands twice, first in line 1"),
    ],
)
def test_a_bad_file_is_one_line(content: str, message: str, data: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SpaceError) as caught:
        compose_space(data, (), file=file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_malformed_encoder_option(data: Dataset) -> None:
    with pytest.raises(FusearchError, match="--encoder 'mean': expected MODALITY=NAME"):
        compose_space(data, (), encoders=["mean"])


def test_settings_reach_an_ensemble() -> None:
    made = compose_strategy("late-ensemble", encoders=["mean=mlp1,mlp2"], diversity="kappa", max_per_modality=2, required=["mean", "worst"])
    assert isinstance(made, LateEnsemble)
    assert made.describe()["encoders"] == {"mean": ["mlp1", "mlp2"]}
    assert made.subsets == SubsetSearch(SubsetRules(("mean", "worst"), 2, "odd"), diversity="kappa")
    assert compose_strategy("pareto-ensemble") == ParetoEnsemble()


def test_settings_reach_forward_timing() -> None:
    made = compose_strategy("forward-timing", encoders=["mean=mlp1"], operator="gated_unit")
    assert made == ForwardTiming(operator="gated_unit", encoders={"mean": "mlp1"})


def test_graph_takes_its_encoders_from_the_space() -> None:
    assert compose_strategy("graph", encoders=["mean=mlp1"], required=[]) == "graph"


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (
            "graph",
            {"diversity": "kappa"},
            "--diversity 'kappa': strategy 'graph' does not take it, expected --strategy pareto-ensemble or --strategy late-ensemble",
        ),
        ("forward-timing", {"required": ["mean"]}, "--require 'mean': strategy 'forward-timing' does not take it"),
        ("forward-timing", {"max_per_modality": 2}, "--max-per-modality 2: strategy 'forward-timing' does not take it"),
        ("late-ensemble", {"operator": "film"}, "expected --strategy forward-timing"),
        ("forward-timing", {"encoders": ["mean=mlp1,mlp2"]}, "--encoder 'mean=mlp1,mlp2': strategy 'forward-timing' keeps one"),
        ("pareto-ensemble", {"diversity": "kapa"}, "did you mean 'kappa'?"),
        ("forward-timing", {"operator": "flim"}, "did you mean 'film'?"),
        ("forward-timming", {}, "did you mean 'forward-timing'?"),
    ],
)
def test_a_setting_that_a_strategy_does_not_take(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(FusearchError) as caught:
        compose_strategy(name, **settings)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_evaluator_measures_what_the_objectives_ask_for(data: Dataset) -> None:
    objectives = compose_objectives(["worst_missing_auroc", "latency_ms"], data)
    evaluator = compose_evaluator(data, objectives, folds=2, seeds=1, epochs=1)
    assert {"worst_missing_auroc", "latency_ms"} <= evaluator.objectives()
    assert compose_space(data, objectives).settings.recipe.modality_dropout == (0.0, 0.2)
    assert "latency_ms" not in compose_evaluator(data, compose_objectives(None, data), folds=2, seeds=1, epochs=1).objectives()


@pytest.mark.parametrize(("given", "expected"), [("auto", "auto"), ("off", "off"), ("15", 15)])
def test_members_that_are_trained_together(given: str, expected: int | str, data: Dataset) -> None:
    evaluator = compose_evaluator(data, compose_objectives(None, data), folds=2, seeds=1, epochs=1, pack=given)
    assert evaluator.pack == evaluator.describe()["settings"]["pack"] == expected


@pytest.mark.parametrize(("given", "expected"), [("2GB", 2e9), ("500MB", 5e8), ("1.5 kB", 1500), ("7", 7), ("0", 0)])
def test_bytes_of_streams_that_are_kept(given: str, expected: float, data: Dataset) -> None:
    evaluator = compose_evaluator(data, compose_objectives(None, data), folds=2, seeds=1, epochs=1, cache=given)
    assert evaluator.cache == evaluator.describe()["settings"]["cache"] == expected


def test_no_stream_is_taken_from_another_design_where_the_time_of_a_training_counts(data: Dataset) -> None:
    assert compose_evaluator(data, compose_objectives(["auroc", "train_seconds"], data), folds=2, seeds=1, epochs=1).cache == 0


@pytest.mark.parametrize("given", ["much", "-1", "2 apples", ""])
def test_a_size_that_is_none_is_refused(given: str, data: Dataset) -> None:
    with pytest.raises(EvaluationError, match=r"^cache is .*, expected a size such as 500MB or 2GB, or 0$"):
        compose_evaluator(data, compose_objectives(None, data), folds=2, seeds=1, epochs=1, cache=given)


def test_outputs_that_do_not_fit_several_tasks_are_refused_before_the_search(data: Dataset) -> None:
    number, classes = TASKS["regression"]("age"), TASKS["classification"]("died", ("no", "yes"))
    several = SeveralTasks.of([TaskPart.of("age", number, np.zeros(2)), TaskPart.of("died", classes, np.zeros(2, np.int64))])
    drawn = compose_space(data, [], pattern="F1 = ⊞(x1^?, x2^?) → died; F2 = ⊞(x1^?, x2^?) →")
    fits, alone, unknown = (
        FusionGraph.parse(f"F1 = cat(mean@1, error@1) -> {name}", modalities=data.modalities) for name in ("", "died", "dead")
    )
    check_outputs(several, drawn, [fits])
    check_outputs(number, drawn, [unknown])  # of one task the name of its output says nothing
    with pytest.raises(DesignError, match="no output gives age"):
        check_outputs(several, drawn, [fits, alone])
    with pytest.raises(DesignError, match="did you mean 'died'"):
        check_outputs(several, drawn, [unknown])
    wrong = compose_space(data, [], pattern="F1 = ⊞(x1^?, x2^?) → dead; F2 = ⊞(x1^?, x2^?) →")
    with pytest.raises(SpaceError, match="output -> dead: did you mean 'died'"):
        check_outputs(several, wrong, [])
