"""The conformance suite of samplers: searches of small real spaces with an evaluator that takes no time.

Built-ins and plug-ins pass the same laws. This module itself does not need pytest.
"""

# ruff: noqa: S101  # laws are assertions

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import optuna

from fusearch.contracts import Budget, Direction, Evaluator, Report
from fusearch.data.modality import Modality
from fusearch.run import Run
from fusearch.search import SAMPLERS, run_search
from fusearch.search_space import Candidate, SearchSpace
from fusearch.search_space.space.recipe_space import RecipeSpace

__all__ = ["SamplerSuite", "score_of"]

_TABLES = (Modality("mrna", "tabular", (20,)), Modality("meth", "tabular", (30,)))
_OBJECTIVES = ("score:max", "width:min", "fusions:min")


def score_of(candidate: Candidate, _budget: Budget, _report: Report, /) -> dict[str, float]:
    """Score a design by what it is: a sum of wide networks is best, and narrow is cheap."""
    fusions, width = candidate.graph.fusions, candidate.recipe.width
    bonus = sum({"sum": 2.0, "product": 1.0}.get(fusion.operator, 0.0) for fusion in fusions)
    return {"score": bonus + width / 100 - abs(np.log10(candidate.recipe.learning_rate) + 3), "width": width, "fusions": len(fusions)}


class SamplerSuite:
    """The laws of a sampler.

    Attributes:
        name: Name of the sampler.
        startup: Complete trials after which it may learn, where a law asks it directly.
        shared: Trials of a study that others use too, more than a sampler with populations has in one.

    Example:
        >>> class TestMySampler(SamplerSuite):
        ...     name = "my_sampler"
    """

    name: str
    startup: ClassVar[int] = 5
    shared: ClassVar[int] = 70

    def space(self) -> SearchSpace:
        """Return a space whose parameters come and go: designs without, with one and with two fusions."""
        return SearchSpace(_TABLES, operators=["cat", "sum", "product"], max_fusions=2, max_trunk=1, scores=False)

    def tiny_space(self) -> SearchSpace:
        """Return a space of eight candidates."""
        recipe = RecipeSpace(learning_rate=(1e-3,) * 2, weight_decay=(1e-2,) * 2, dropout=(0.1,), width=(16, 32), class_weights=("none",))
        return SearchSpace(
            _TABLES, encoders=["identity"], operators=["cat", "sum"], max_fusions=1, max_trunk=0, scores=False, recipe=recipe
        )  # fmt: skip

    def search(self, out: Path, space: SearchSpace | None = None, evaluator: Evaluator = score_of, **settings: Any) -> Run:
        """Search in this process, by default for three objectives."""
        settings = {"objectives": _OBJECTIVES, "trials": 25, "executor": "inline", **settings}
        return run_search(space or self.space(), evaluator, sampler=self.name, out=out, **settings)

    def study(self, seed: int = 0, directions: Sequence[Direction] = ("maximize", "minimize")) -> optuna.Study:
        """Return a new study that asks the sampler."""
        return optuna.create_study(directions=directions, sampler=SAMPLERS[self.name](self.space(), seed, self.startup))

    def fill(self, study: optuna.Study, num_trials: int) -> list[Candidate]:
        """Ask and tell, and return what was proposed."""
        space, proposed = self.space(), []
        for _ in range(num_trials):
            trial = study.ask()
            candidate = space.suggest(trial)
            study.tell(trial, list(_values(candidate).values())[: len(study.directions)])
            proposed.append(candidate)
        return proposed

    def test_it_is_described_in_a_sentence(self) -> None:
        """The first line of the builder's docstring is what `fusearch list samplers` shows."""
        first = (SAMPLERS[self.name].__doc__ or "").strip().split("\n")[0]
        assert first.endswith("."), f"{self.name}: the docstring of its builder starts with {first!r}, expected a sentence"

    def test_a_search_runs(self) -> None:
        """A search makes its evaluations, all of designs of the space or of the references, and has a front."""
        with tempfile.TemporaryDirectory() as folder:
            run = self.search(Path(folder) / "run")
            records, space = run.records(), self.space()
            failed = [record.reason for record in records if record.state != "complete"]
            assert not failed, f"{self.name}: {failed}"
            evaluated = [record for record in records if record.evaluated]
            assert len(evaluated) == 25, f"{self.name}: {len(evaluated)} evaluations, expected 25"
            assert run.front(), f"{self.name}: no front"
            for trial, record in zip(run.study.get_trials(deepcopy=False), records, strict=True):
                if trial.params:
                    found = space.decode(trial.params).digest
                    assert found == record.candidate, f"{self.name}: the parameters of trial {record.number} are of another design"

    def test_any_number_of_objectives(self) -> None:
        """One objective, two and three."""
        with tempfile.TemporaryDirectory() as folder:
            for count in (1, 2, 3):
                run = self.search(Path(folder) / str(count), objectives=_OBJECTIVES[:count], trials=15)
                evaluated = [record for record in run.records() if record.evaluated]
                assert [len(record.objectives) for record in evaluated] == [count] * 15, f"{self.name}: {count} objectives"

    def test_the_seed_decides(self) -> None:
        """The same seed gives the same designs, another seed others."""
        one, same, other = (self.fill(self.study(seed), 20) for seed in (1, 1, 2))
        assert one == same, f"{self.name}: the same seed gives other designs"
        assert one != other, f"{self.name}: another seed gives the same designs"

    def test_repeats_cost_nothing(self) -> None:
        """In a space smaller than the search, no candidate is evaluated twice, and the search ends."""
        counts: Counter[str] = Counter()

        def counting(candidate: Candidate, budget: Budget, report: Report) -> dict[str, float]:
            counts[candidate.digest] += 1
            return score_of(candidate, budget, report)

        with tempfile.TemporaryDirectory() as folder:
            run = self.search(Path(folder) / "run", self.tiny_space(), counting, trials=30)
            assert max(counts.values()) == 1, f"{self.name}: {max(counts.values())} evaluations of one candidate"
            evaluated = sum(record.evaluated for record in run.records())
            assert evaluated == len(counts), f"{self.name}: {evaluated} trials are evaluated, the evaluator saw {len(counts)} candidates"

    def test_the_space_is_exhausted(self) -> None:
        """All of a tiny space is found."""
        with tempfile.TemporaryDirectory() as folder:
            run = self.search(Path(folder) / "run", self.tiny_space(), trials=30)
            rng, space = np.random.default_rng(0), self.tiny_space()
            found = {record.candidate for record in run.records() if record.evaluated}
            missed = {candidate.digest: candidate.graph.formula for candidate in (space.sample(rng) for _ in range(200))}
            assert set(missed) <= found, f"{self.name}: never evaluated {[missed[digest] for digest in set(missed) - found]}"

    def test_trials_without_parameters_do_not_spoil_it(self) -> None:
        """Reference designs outside the space are trials without parameters; it goes on beside them."""
        study = self.study()
        for index in range(self.shared):
            if index % 4 == 0:
                study.enqueue_trial({})
                study.tell(study.ask(), [0.5, 10.0])
            else:
                self.fill(study, 1)
        assert len(study.trials) == self.shared, f"{self.name}: {len(study.trials)} trials, expected {self.shared}"

    def test_trials_of_someone_else_do_not_spoil_it(self) -> None:
        """A study may be shared: what others asked for in it has parameters that the space does not know."""
        study = self.study()
        for index in range(self.shared):
            if index % 4 == 0:
                trial = study.ask()
                study.tell(trial, [trial.suggest_float("x", 0.0, 1.0) + 100, 0.0])
            else:
                self.fill(study, 1)
        assert len(study.trials) == self.shared, f"{self.name}: {len(study.trials)} trials, expected {self.shared}"

    def test_failures_are_survived(self) -> None:
        """Designs that cannot be trained are told as failures, and it goes on."""

        def fails_at_products(candidate: Candidate, budget: Budget, report: Report) -> dict[str, float]:
            if any(fusion.operator == "product" for fusion in candidate.graph.fusions):
                raise MemoryError
            return score_of(candidate, budget, report)

        with tempfile.TemporaryDirectory() as folder:
            states = Counter(record.state for record in self.search(Path(folder) / "run", evaluator=fails_at_products, trials=40).records())
            assert states["complete"] > 0, f"{self.name}: {dict(states)}"
            assert states["failed"] + states["complete"] >= 40, f"{self.name}: {dict(states)}"

    def test_a_queued_design_is_kept(self) -> None:
        """A design of the user's is proposed as it is, whatever the sampler has learned."""
        study, space = self.study(), self.space()
        self.fill(study, 20)
        wanted = space.sample(np.random.default_rng(7))
        study.enqueue_trial(dict(space.encode(wanted)))
        (proposed,) = self.fill(study, 1)
        assert proposed == wanted, f"{self.name}: a queued design became another one"

    def test_recipes_are_drawn_for_a_design_that_is_given(self) -> None:
        """Where several recipes of a design are wanted, graph and width stay and the other numbers differ."""
        with tempfile.TemporaryDirectory() as folder:
            records = self.search(Path(folder) / "run", trials=50, recipes=4, reference_share=0.0).records()
            packs = {
                record.pack: [other for other in records if other.pack == record.pack] for record in records if record.pack is not None
            }
            assert packs, f"{self.name}: no design has several recipes"
            for pack in packs.values():
                designs = {(record.digest, record.recipe["width"]) for record in pack}
                assert len(designs) == 1, f"{self.name}: recipes of one design are of {len(designs)} designs or widths"
            drawn = sum(record.repeat_of is None for pack in packs.values() for record in pack)
            assert drawn > 2 * len(packs), f"{self.name}: {len(packs)} designs have {drawn} recipes, expected about {4 * len(packs)}"

    def test_a_search_goes_on(self) -> None:
        """A new sampler takes up a study that another process left."""
        with tempfile.TemporaryDirectory() as folder:
            self.search(Path(folder) / "run", trials=15)
            run = self.search(Path(folder) / "run", trials=30, resume=True)
            evaluated = sum(record.evaluated for record in run.records())
            assert evaluated == 30, f"{self.name}: {evaluated} evaluations after it went on, expected 30"


def _values(candidate: Candidate) -> dict[str, float]:
    return score_of(candidate, Budget(), lambda _step, _values: None)
