"""A small search space and evaluators that take no time: the room knows a space and an evaluator by their protocols alone."""

import hashlib
import math
from dataclasses import replace
from functools import cache, cached_property

import pytest

from fusearch.contracts import Evaluation
from fusearch.data.modality import Modality
from fusearch.search_space import Candidate, FusionGraph, Recipe

TABLES = (Modality("mrna", "tabular", (20,)), Modality("meth", "tabular", (30,)))
OPERATORS = ("cat", "sum", "product", "low_rank")
WIDTHS = (8, 16, 32)


@cache
def graph(text):
    return FusionGraph.parse(text, modalities=TABLES)


class Draws:
    """Answers `suggest_*` from given parameters, else at random, as Optuna's trial would."""

    def __init__(self, rng=None, params=None):
        self.rng, self.given, self.params = rng, params or {}, {}

    def suggest_categorical(self, name, choices):
        value = self.given[name] if name in self.given else choices[int(self.rng.integers(len(choices)))]
        self.params[name] = value
        return value


class ToySpace:
    """One stream, or one join of two streams, with three widths: small enough to be exhausted."""

    modalities = TABLES

    def __init__(self, operators=OPERATORS, widths=WIDTHS):
        self.operators, self.widths = operators, widths
        self.fingerprint = hashlib.sha256(repr((operators, widths)).encode()).hexdigest()[:12]

    def to_dict(self):
        return {"operators": list(self.operators), "widths": list(self.widths)}

    def suggest(self, trial):
        if trial.suggest_categorical("num_fusions", (0, 1)) == 0:
            formula = f"{trial.suggest_categorical('stream', ('mrna', 'meth'))}@L ->"
        else:
            depth = trial.suggest_categorical("f1.depth", (1, 2))
            formula = f"F1 = {trial.suggest_categorical('f1.operator', self.operators)}(mrna@{depth}, meth@{depth}) ->"
        return Candidate(graph(formula), Recipe(width=trial.suggest_categorical("recipe.width", self.widths)))

    def sample(self, rng):
        return self.suggest(Draws(rng))

    def decode(self, params):
        return self.suggest(Draws(params=params))

    def encode(self, candidate):
        return dict(self._params[candidate.digest])

    def contains(self, candidate):
        return candidate.digest in self._params

    def mutate(self, candidate, rng):
        return self.sample(rng) if rng.random() < 0.5 else replace(candidate, recipe=self.sample_recipe(rng))

    def cross(self, one, other, rng):
        return Candidate(one.graph, other.recipe)

    def sample_recipe(self, rng):
        return Recipe(width=int(rng.choice(self.widths)))

    def references(self):
        return {
            "best_unimodal": (graph("mrna@L ->"), graph("meth@L ->")),
            "linear": (graph("F1 = cat(mrna@0, meth@0; trunk=fc:0) ->"),),
        }

    @cached_property
    def _params(self):
        return {self.decode(params).digest: params for params in self._all()}

    def _all(self):
        for width in self.widths:
            yield from ({"num_fusions": 0, "stream": stream, "recipe.width": width} for stream in ("mrna", "meth"))
            for depth in (1, 2):
                for operator in self.operators:
                    yield {"num_fusions": 1, "f1.depth": depth, "f1.operator": operator, "recipe.width": width}


def score(candidate):
    """A pure function of the candidate, so that repeats are seen to be repeats."""
    return int(candidate.digest, 16) % 997 / 997


def evaluate(candidate, budget, report):
    value = score(candidate)
    return Evaluation({"score": value, "macs": 100.0 * candidate.recipe.width}, spread={"score": 0.1}, details={"members": 4})


class Foldwise:
    """Five folds of a design, of which each says about what the design is worth; a wider design costs more, and that is known before."""

    FOLDS = 5

    def __init__(self, noise=0.02):
        self.noise = noise
        self.trained = []

    def fold_score(self, candidate, fold):
        return score(candidate) + self.noise * math.sin(int(candidate.digest, 16) % 89 + 2.4 * fold)

    def cheap(self, candidate):
        return {"macs": 100.0 * candidate.recipe.width}

    def by_fold(self, candidate, budget, report):
        members = []
        for fold in range(self.FOLDS):
            self.trained.append((candidate.digest, fold))
            members.append({"fold": fold, "seed": 0, "metrics": {"score": self.fold_score(candidate, fold)}})
            mean = sum(each["metrics"]["score"] for each in members) / len(members)
            costs = self.cheap(candidate) if len(members) == self.FOLDS else {}
            yield Evaluation({"score": mean, **costs}, details={"members": list(members)})

    def __call__(self, candidate, budget, report):
        return list(self.by_fold(candidate, budget, report))[-1]


@pytest.fixture
def foldwise():
    """The class of an evaluator whose designs can be raced."""
    return Foldwise


@pytest.fixture
def space():
    return ToySpace()


@pytest.fixture
def toy_space():
    """The class, for a space of another size."""
    return ToySpace


@pytest.fixture
def toy_evaluator():
    return evaluate


class Search:
    """`search(evaluator, **settings)`: an inline search of the toy space with sensible settings."""

    def __init__(self, out, space):
        self.out, self.space = out, space

    def __call__(self, evaluator=evaluate, **settings):
        from fusearch.search import run_search

        settings = {"objectives": ["score:max", "macs"], "out": self.out, "executor": "inline", "trials": 12, **settings}
        return run_search(settings.pop("space", self.space), evaluator, **settings)


@pytest.fixture
def search(tmp_path, space):
    return Search(tmp_path / "run", space)
