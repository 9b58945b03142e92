"""Forward timing: the designs, the steps, the stop."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusearch.contracts import Budget, Evaluation
from fusearch.data import load_data
from fusearch.data.modality import Modality
from fusearch.errors import RunError, SpaceError
from fusearch.evaluators import FusionNetwork, TrainingEvaluator
from fusearch.search import run_search
from fusearch.search.strategies import ForwardTiming
from fusearch.search_space import Candidate, FusionGraph, Recipe, SearchSpace

Drawn = Callable[..., Any]


def active(graph: FusionGraph) -> tuple[int, ...]:
    """Return the stages at which fusions stand, read off their names."""
    return tuple(sorted({int(fusion.name.rsplit("_", 1)[1]) for fusion in graph.fusions if "_" in fusion.name}))


class ScriptedEvaluator:
    """The loss of each candidate is what is said, the mean over rows that have it give or take a luck of their own."""

    def __init__(self, loss: Callable[[Candidate], float], *, luck: float = 0.02, groups: int | None = None) -> None:
        self.loss, self.luck, self.groups = loss, luck, groups
        self.calls: list[Candidate] = []

    @classmethod
    def by_stages(cls, losses: dict[tuple[int, ...], float], **settings: Any) -> ScriptedEvaluator:
        """Let the loss depend on the stages that are on."""
        return cls(lambda candidate: losses.get(active(candidate.graph), 0.9), **settings)

    def keeping(self, folder: str | Path) -> ScriptedEvaluator:
        return self

    def objectives(self) -> frozenset[str]:
        return frozenset({"log_loss", "parameters"})

    def __call__(self, candidate: Candidate, budget: Budget, report: object) -> Evaluation:
        self.calls.append(candidate)
        rng = np.random.default_rng(int(candidate.digest, 16))
        rows = np.arange(200)
        drawn = rng.normal(size=200) if self.groups is None else np.repeat(rng.normal(size=self.groups), 200 // self.groups)
        surprises = self.loss(candidate) + self.luck * (drawn - drawn.mean()) / drawn.std()
        right = np.exp(-surprises)
        arrays = {
            "rows": rows,
            "fold": rows % 4,
            "seed": np.zeros(200, int),
            "targets": rows % 2,
            "probabilities": np.where(np.eye(2)[rows % 2] > 0, right[:, None], 1 - right[:, None]),
            **({} if self.groups is None else {"groups": rows * self.groups // 200}),
        }
        return Evaluation({"log_loss": float(surprises.mean()), "parameters": 1.0}, arrays=arrays)


def decide(space: SearchSpace, evaluator: Any, out: Path, strategy: Any = "forward-timing") -> dict[str, Any]:
    run_search(space, evaluator, objectives=["log_loss", "parameters"], out=out, strategy=strategy, executor="inline", reference_share=0)
    return json.loads((out / "strategy.json").read_text())


def test_the_design_with_fusions_at_two_stages(space: SearchSpace) -> None:
    graph = ForwardTiming().design(space, (1, 3))
    assert str(graph).splitlines()[1:] == [
        "rna_1 = film(rna@1, meth@1; trunk=continue(rna))",
        "meth_1 = film(meth@1, rna@1; trunk=continue(meth))",
        "rna_3 = film(rna_1@2, meth_1@2)",
        "meth_3 = film(meth_1@2, rna_1@2)",
        "joined = cat(rna_3@0, meth_3@0) ->",
    ]
    assert graph.labels.synchronous


@pytest.mark.parametrize("on", [(), (1,), (2,), (3,), (1, 2), (1, 2, 3)])
def test_every_design_compiles_with_the_encoders_of_the_others(on: tuple[int, ...]) -> None:
    space = SearchSpace([Modality("a", "tabular", (4,)), Modality("b", "tabular", (3,)), Modality("c", "timeseries", (12, 2))])
    strategy = ForwardTiming()
    network = FusionNetwork(strategy.design(space, on), 2, Recipe())
    none = FusionNetwork(strategy.design(space, ()), 2, Recipe())
    shapes = {name: values.shape for name, values in network.state_dict().items()}
    assert {name: values.shape for name, values in none.state_dict().items()}.items() <= shapes.items(), "all weights can go on"
    assert len(strategy.design(space, on).fusions) == 3 * len(on) + 1


def test_it_keeps_the_fusion_of_least_loss_and_stops_when_none_helps(space: SearchSpace, tmp_path: Path) -> None:
    losses = {(): 0.6, (1,): 0.55, (2,): 0.5, (3,): 0.58, (1, 2): 0.45, (2, 3): 0.52, (1, 2, 3): 0.46}
    evaluator = ScriptedEvaluator.by_stages(losses)
    told = decide(space, evaluator, tmp_path / "run")
    assert [step["kept"] for step in told["path"]] == [[2], [1, 2], None]
    assert [[entry["on"] for entry in step["tried"]] for step in told["path"]] == [[[1], [2], [3]], [[1, 2], [2, 3]], [[1, 2, 3]]]
    assert told["chosen"]["on"] == [1, 2]
    assert told["chosen"]["loss"] == 0.45
    assert set(told["comparisons"]) == {"none", "all", "late", "rna", "meth"}
    starts: dict[tuple[int, ...], tuple[str, ...]] = {}
    by_stages: dict[tuple[int, ...], str] = {}
    for candidate in evaluator.calls:  # the first of each, as the controls come after it
        if candidate.start:
            starts.setdefault(active(candidate.graph), candidate.start)
        if candidate.start or active(candidate.graph) == ():
            by_stages.setdefault(active(candidate.graph), candidate.digest)
    assert starts[(2,)] == (told["comparisons"]["none"]["candidate"],)
    assert starts[(1, 2)] == (by_stages[(2,)],)
    assert starts[(1, 2, 3)] == (by_stages[(1, 2)],)
    assert [step["control"]["on"] for step in told["path"]] == [[], [2], [1, 2]]
    assert told["path"][0]["control"]["candidate"] != told["comparisons"]["none"]["candidate"]


def test_with_no_fusion_that_helps_none_is_on(space: SearchSpace, tmp_path: Path) -> None:
    told = decide(space, ScriptedEvaluator.by_stages({(): 0.3}), tmp_path / "run")
    assert (told["chosen"]["on"], len(told["path"])) == ([], 1)
    assert told["candidate"] == told["comparisons"]["none"]["candidate"]


def test_a_fusion_is_not_kept_for_its_epochs_alone(space: SearchSpace, tmp_path: Path) -> None:
    """Noise: each training lowers the loss by as much, whatever is switched on. Without the control every fusion would be kept."""
    trainings: dict[str, int] = {}

    def loss(candidate: Candidate) -> float:
        trainings[candidate.digest] = 1 + max((trainings[digest] for digest in candidate.start), default=0)
        return 0.9 - 0.1 * trainings[candidate.digest]

    told = decide(space, ScriptedEvaluator(loss), tmp_path / "run")
    (step,) = told["path"]
    assert (
        [entry["loss"] for entry in step["tried"]]
        == [pytest.approx(0.7)] * 3
        == [pytest.approx(told["comparisons"]["none"]["loss"] - 0.1)] * 3
    )
    assert (step["control"]["loss"], step["kept"], told["chosen"]["on"]) == (pytest.approx(0.7), None, [])
    assert told["candidate"] == step["control"]["candidate"], "the same design, trained on, is the better one"


def test_a_fusion_is_kept_where_it_lowers_the_loss_by_more_than_training_on(space: SearchSpace, tmp_path: Path) -> None:
    def loss(candidate: Candidate) -> float:
        return (0.6 if candidate.start else 0.7) - 0.2 * (2 in active(candidate.graph))

    told = decide(space, ScriptedEvaluator(loss), tmp_path / "run")
    assert [step["kept"] for step in told["path"]] == [[2], None]
    assert [step["control"]["on"] for step in told["path"]] == [[], [2]]
    assert told["path"][0]["control"]["loss"] == pytest.approx(0.6)
    assert told["path"][1]["control"]["loss"] == told["chosen"]["loss"] == pytest.approx(0.4)


def test_a_fusion_is_not_kept_for_what_chance_gives(space: SearchSpace, tmp_path: Path) -> None:
    """The same lower loss is a gain where rows agree on it, and none where they hardly do, or where few groups stand behind them."""
    losses = {(): 0.6, (2,): 0.59}
    kept = {}
    for name, settings in {"clear": {"luck": 0.02}, "luck": {"luck": 0.2}, "groups": {"luck": 0.02, "groups": 5}}.items():
        told = decide(space, ScriptedEvaluator.by_stages(losses, **settings), tmp_path / name)
        step = told["path"][0]
        gain = step["tried"][1]["gain"]
        assert gain["difference"] == pytest.approx(step["control"]["loss"] - 0.59, abs=1e-3)
        assert (gain["outcome"] == "gain") == (gain["p_corrected"] <= 0.05) == (step["kept"] == [2])
        assert [entry["gain"]["outcome"] for entry in step["tried"][::2]] == ["loss", "loss"]
        kept[name] = step["kept"]
    assert kept == {"clear": [2], "luck": None, "groups": None}


def test_of_several_gains_the_least_loss_is_kept_and_each_pays_for_the_others(space: SearchSpace, tmp_path: Path) -> None:
    told = decide(space, ScriptedEvaluator.by_stages({(): 0.6, (1,): 0.5, (2,): 0.4, (3,): 0.45}), tmp_path / "run")
    step = told["path"][0]
    assert [entry["gain"]["outcome"] for entry in step["tried"]] == ["gain"] * 3
    assert step["kept"] == [2]
    assert min(entry["gain"]["p_corrected"] for entry in step["tried"]) == pytest.approx(3 / 2001)


def test_without_predictions_no_fusion_is_kept(space: SearchSpace, tmp_path: Path) -> None:
    class Silent(ScriptedEvaluator):
        def __call__(self, candidate: Candidate, budget: Budget, report: object) -> Evaluation:
            return Evaluation(super().__call__(candidate, budget, report).metrics)

    told = decide(space, Silent.by_stages({(): 0.6, (2,): 0.3}), tmp_path / "run")
    assert (told["chosen"]["on"], [entry["gain"] for entry in told["path"][0]["tried"]]) == ([], [None] * 3)


def test_a_control_that_fails_stops_nothing(space: SearchSpace, tmp_path: Path) -> None:
    losses = {(): 0.6, (2,): 0.5}
    evaluator = ScriptedEvaluator(
        lambda candidate: float("nan") if candidate.start and not active(candidate.graph) else losses.get(active(candidate.graph), 0.9)
    )
    told = decide(space, evaluator, tmp_path / "run")
    assert told["path"][0]["control"]["loss"] is None
    assert told["chosen"]["on"] == [2]


def test_all_may_be_on(space: SearchSpace, tmp_path: Path) -> None:
    losses = {(): 0.6, (1,): 0.5, (1, 2): 0.4}
    told = decide(space, ScriptedEvaluator.by_stages(losses), tmp_path / "run", ForwardTiming(max_stages=2))
    assert (told["stages"], told["chosen"]["on"], len(told["path"])) == ([1, 2], [1, 2], 2)


def test_a_step_that_fails_is_not_kept(space: SearchSpace, tmp_path: Path) -> None:
    evaluator = ScriptedEvaluator.by_stages({(): 0.6, (2,): 0.5})
    evaluate = evaluator.loss
    evaluator.loss = lambda candidate: float("nan") if 1 in active(candidate.graph) else evaluate(candidate)
    told = decide(space, evaluator, tmp_path / "run", ForwardTiming(max_stages=2))
    assert [step["kept"] for step in told["path"]] == [[2], None]
    assert told["path"][0]["tried"][0]["loss"] is None
    assert "nan" in told["path"][0]["tried"][0]["reason"]


def test_what_cannot_end_well_is_refused_before_anything_is_written(space: SearchSpace, drawn: Drawn, tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match="joins modalities, but the data have 1"):
        decide(SearchSpace([Modality("a", "tabular", (4,))]), drawn(), tmp_path / "run")
    with pytest.raises(SpaceError, match="operator 'cat' does not recalibrate one of 2 streams by the others"):
        decide(space, drawn(), tmp_path / "run", ForwardTiming(operator="cat"))
    with pytest.raises(SpaceError, match="an encoder has no stage"):
        decide(space, drawn(), tmp_path / "run", ForwardTiming(encoders={"rna": "identity"}))
    with pytest.raises(RunError, match="keeping"):
        decide(space, lambda candidate, budget, report: {"log_loss": 1.0, "parameters": 1.0}, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_on_real_data_each_step_goes_on_from_the_weights_of_the_last(tmp_path: Path) -> None:
    data = load_data("wisconsin")
    evaluator = TrainingEvaluator(data, folds=2, epochs=3)
    told = decide(SearchSpace(data.modalities), evaluator, tmp_path / "run", ForwardTiming(max_stages=2, recipe=Recipe(width=8)))
    first = told["path"][0]
    losses = [entry["loss"] for entry in first["tried"]]
    assert max(*losses, first["control"]["loss"]) < told["comparisons"]["none"]["loss"], "three more epochs lower the loss of three"
    outcomes = [entry["gain"]["outcome"] for entry in first["tried"]]
    assert (first["kept"] is not None) == ("gain" in outcomes)
    assert told["chosen"]["loss"] <= first["control"]["loss"]


@pytest.mark.slow
@pytest.mark.ray
def test_on_ray_the_steps_wait_for_each_other(tmp_path: Path) -> None:
    data = load_data("wisconsin")
    strategy = ForwardTiming(max_stages=1, recipe=Recipe(width=8))
    run = run_search(
        SearchSpace(data.modalities),
        TrainingEvaluator(data, folds=2, epochs=2),
        objectives=["log_loss", "parameters"],
        out=tmp_path / "run",
        strategy=strategy,
        executor="ray",
        workers=2,
        reference_share=0,
    )
    told = json.loads((tmp_path / "run" / "strategy.json").read_text())
    assert (run.status()["state"], run.status()["reason"]) == ("finished", "the strategy has decided")
    assert len(told["path"]) == 1
    assert run.pick("strategy").candidate == told["candidate"]
