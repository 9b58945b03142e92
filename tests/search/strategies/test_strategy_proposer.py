"""A strategy of one's own, on the engine: repeats, references, stops and resume."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fusearch.errors import RunError
from fusearch.search import run_search
from fusearch.search.strategies import STRATEGIES, Decision, Rounds, make_strategy
from fusearch.search_space import Candidate, FusionGraph, Recipe, SearchSpace

Drawn = Callable[..., Any]


class WidestOfTwo:
    """Two rounds: three widths of one design, then the best width of another."""

    name = "widest-of-two"

    def __init__(self, widths: tuple[int, ...] = (8, 16, 32)) -> None:
        self.widths = widths

    def describe(self) -> dict[str, Any]:
        return {"widths": list(self.widths)}

    def check(self, space: SearchSpace, evaluator: Any) -> None:
        del space, evaluator

    def rounds(self, space: SearchSpace) -> Rounds:
        graphs = [FusionGraph.parse(f"{name}:mlp\n{name}@L ->", space.modalities) for name in ("rna", "meth")]
        first = yield [Candidate(graphs[0], Recipe(width=width)) for width in self.widths]
        best = min(first, key=lambda result: result.values.get("log_loss", 9.0))
        (second,) = yield [Candidate(graphs[1], best.candidate.recipe, (best.candidate.digest,))]
        return Decision(second.candidate.digest, {"width": best.candidate.recipe.width})


def search(space: SearchSpace, evaluator: Any, out: Path, **settings: Any) -> Any:
    settings = {"strategy": WidestOfTwo(), "reference_share": 0, **settings}
    return run_search(space, evaluator, objectives=["accuracy", "parameters"], out=out, executor="inline", **settings)


def by_width(evaluator: Any, best: int) -> Any:
    evaluator.loss = lambda candidate: abs(candidate.recipe.width - best) / 100
    return evaluator


def test_a_round_follows_from_the_results_of_the_last(space: SearchSpace, drawn: Drawn, tmp_path: Path) -> None:
    evaluator = by_width(drawn(), 16)
    run = search(space, evaluator, tmp_path / "run")
    assert [candidate.recipe.width for candidate in evaluator.calls] == [8, 16, 32, 16]
    assert evaluator.calls[3].start == (evaluator.calls[1].digest,)
    assert json.loads((tmp_path / "run" / "strategy.json").read_text()) == {
        "strategy": "widest-of-two",
        "candidate": evaluator.calls[3].digest,
        "width": 16,
    }
    status = run.status()
    assert (status["state"], status["trials"]["complete"], status["trials"]["repeated"]) == ("finished", 4, 0)
    assert run.config["strategy"] == {"name": "widest-of-two", "widths": [8, 16, 32]}


def test_the_references_come_first_where_they_are_asked_for(space: SearchSpace, drawn: Drawn, tmp_path: Path) -> None:
    evaluator = drawn()
    run = search(space, evaluator, tmp_path / "run", reference_share=0.3)
    assert set(run.references()) == {"best_unimodal", "linear", "early", "penultimate", "late", "stacked"}
    roles = [record.reference for record in run.records()]
    firsts = ["best_unimodal", "linear", "early", "penultimate", "late", "stacked"]
    assert roles[:10] == [*firsts, "best_unimodal", "linear", *["best_unimodal"] * 2]  # then the second of those that have more
    assert len(evaluator.calls) == len({candidate.digest for candidate in evaluator.calls}), "nothing is trained twice"


def test_a_run_that_was_stopped_goes_on_where_it_was(space: SearchSpace, drawn: Drawn, tmp_path: Path) -> None:
    class Interrupted(type(drawn())):
        def __call__(self, *args: Any) -> Any:
            if len(self.calls) == 2:
                raise KeyboardInterrupt
            return super().__call__(*args)

    first = by_width(Interrupted(), 32)
    run = search(space, first, tmp_path / "run")
    assert run.status()["state"] == "stopped"
    assert not (tmp_path / "run" / "strategy.json").exists()
    second = by_width(drawn(), 32)
    run = search(space, second, tmp_path / "run", resume=True)
    assert [candidate.recipe.width for candidate in second.calls] == [32, 32], "to be stopped is no answer of the third"
    assert run.status()["state"] == "finished"
    assert json.loads((tmp_path / "run" / "strategy.json").read_text())["width"] == 32
    third = drawn()
    search(space, third, tmp_path / "run", resume=True)
    assert third.calls == [], "a run that has decided has nothing left to do"


def test_a_failure_is_an_answer_and_is_not_tried_again(space: SearchSpace, drawn: Drawn, tmp_path: Path) -> None:
    evaluator = by_width(drawn(), 8)
    loss = evaluator.loss
    evaluator.loss = lambda candidate: float("inf") if candidate.recipe.width == 8 and not candidate.start else loss(candidate)
    run = search(space, evaluator, tmp_path / "run")
    assert [candidate.recipe.width for candidate in evaluator.calls] == [8, 16, 32, 16]
    assert run.status()["trials"]["failed"] == 1


def test_the_last_evaluation_that_is_allowed_still_decides(space: SearchSpace, drawn: Drawn, tmp_path: Path) -> None:
    search(space, drawn(), tmp_path / "whole", trials=4)
    assert (tmp_path / "whole" / "strategy.json").exists()
    run = search(space, drawn(), tmp_path / "cut", trials=3)
    assert not (tmp_path / "cut" / "strategy.json").exists()
    assert run.status()["reason"] == "3 trials are done"


def test_another_strategy_does_not_go_on_with_the_run(space: SearchSpace, drawn: Drawn, tmp_path: Path) -> None:
    search(space, drawn(), tmp_path / "run")
    for strategy in (WidestOfTwo((8,)), "graph", "pareto-ensemble"):
        with pytest.raises(RunError, match=r"its strategy changed, .* in the run and .* now; use another run folder"):
            search(space, drawn(), tmp_path / "run", strategy=strategy, resume=True)


def test_graph_is_the_search_by_a_sampler(space: SearchSpace, drawn: Drawn, tmp_path: Path) -> None:
    assert make_strategy("graph") is None
    assert list(STRATEGIES) == ["forward-timing", "graph", "late-ensemble", "pareto-ensemble"]
    run = search(space, drawn(), tmp_path / "run", strategy="graph", trials=5, sampler="random")
    assert run.status()["trials"]["complete"] == 5
    assert run.config["strategy"] == {"name": "graph"}


def test_what_the_strategy_ended_with_can_be_picked(space: SearchSpace, drawn: Drawn, tmp_path: Path) -> None:
    evaluator = by_width(drawn(), 16)
    run = search(space, evaluator, tmp_path / "run")
    assert run.pick("strategy").candidate == evaluator.calls[3].digest
    run = search(space, drawn(), tmp_path / "graph", strategy="graph", trials=1)
    with pytest.raises(RunError, match=r"has no decision of its strategy 'graph' to pick: expected 'simplest'"):
        run.pick("strategy")
