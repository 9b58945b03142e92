"""A small search space and evaluators that take no time: the room knows a space and an evaluator by their protocols alone."""

import hashlib
import itertools
import math
import random
import shutil
import signal
from dataclasses import replace
from functools import cache, cached_property

import numpy as np
import optuna
import pytest
from local_cluster import LocalCluster

from fusearch.contracts import Budget, Evaluation, Objective, Outrun, PackNews
from fusearch.data.modality import Modality
from fusearch.inference.race import Race, Rival
from fusearch.search.interrupts import Interrupts
from fusearch.search.job import Job
from fusearch.search.session import Session
from fusearch.search_space import Candidate, FusionGraph, Recipe
from fusearch.settings import Settings

optuna.logging.set_verbosity(optuna.logging.WARNING)
TABLES = (Modality("mrna", "tabular", (20,)), Modality("meth", "tabular", (30,)))
OPERATORS = ("cat", "sum", "product", "low_rank")
WIDTHS = (8, 16, 32)
OBJECTIVES = (Objective.parse("score:max"), Objective.parse("macs"))


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

    def __init__(self, operators=OPERATORS, widths=WIDTHS, rates=(1e-3,)):
        self.operators, self.widths, self.rates = operators, widths, rates
        self.fingerprint = hashlib.sha256(repr((operators, widths, *rates[1:])).encode()).hexdigest()[:12]

    def to_dict(self):
        return {"operators": list(self.operators), "widths": list(self.widths)}

    def suggest(self, trial):
        if trial.suggest_categorical("num_fusions", (0, 1)) == 0:
            formula = f"{trial.suggest_categorical('stream', ('mrna', 'meth'))}@L ->"
        else:
            depth = trial.suggest_categorical("f1.depth", (1, 2))
            formula = f"F1 = {trial.suggest_categorical('f1.operator', self.operators)}(mrna@{depth}, meth@{depth}) ->"
        width = trial.suggest_categorical("recipe.width", self.widths)
        rate = trial.suggest_categorical("recipe.learning_rate", self.rates) if len(self.rates) > 1 else self.rates[0]
        return Candidate(graph(formula), Recipe(width=width, learning_rate=rate))

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
        return Recipe(width=int(rng.choice(self.widths)), learning_rate=float(rng.choice(self.rates)))

    def references(self):
        return {
            "best_unimodal": (graph("mrna@L ->"), graph("meth@L ->")),
            "linear": (graph("F1 = cat(mrna@0, meth@0; trunk=fc:0) ->"),),
        }

    @cached_property
    def _params(self):
        return {self.decode(params).digest: params for params in self._all()}

    def _all(self):
        for width, rate in itertools.product(self.widths, self.rates):
            recipe = {"recipe.width": width, **({"recipe.learning_rate": rate} if len(self.rates) > 1 else {})}
            yield from ({"num_fusions": 0, "stream": stream, **recipe} for stream in ("mrna", "meth"))
            for depth in (1, 2):
                for operator in self.operators:
                    yield {"num_fusions": 1, "f1.depth": depth, "f1.operator": operator, **recipe}


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


class Lucky(Foldwise):
    """Five folds of a design whose value hangs on luck in each training; it takes the seed that it is asked for."""

    def fold_score(self, candidate, fold, seed):
        return score(candidate) + random.Random(f"{candidate.digest} {fold} {seed}").gauss(0, 0.3)

    def by_fold(self, candidate, budget, report):
        seed, members = budget.seed or 0, []
        for fold in range(self.FOLDS):
            self.trained.append((candidate.digest, fold, seed))
            members.append({"fold": fold, "seed": seed, "metrics": {"score": self.fold_score(candidate, fold, seed)}})
            mean = sum(each["metrics"]["score"] for each in members) / len(members)
            yield Evaluation({"score": mean, **self.cheap(candidate)}, details={"members": list(members)})


class Packed(Foldwise):
    """Evaluates several recipes of a design at once; the worse half by their score leaves after epoch 4, where it may."""

    USUAL, PRICE = 1, 0.0

    def __init__(self, noise=0.02):
        super().__init__(noise)
        self.packs = []

    def usual_recipes(self, candidate):
        return self.USUAL

    def price_of_look(self, candidate, budget, recipes=1):
        return self.PRICE

    def recipes(self, candidates, budget, report, *, by_fold, halving, goes_on):
        self.packs.append([candidate.digest for candidate in candidates])
        order = sorted(range(len(candidates)), key=lambda place: -score(candidates[place]))
        left = order[(len(order) + 1) // 2 :] if halving else []
        for place in left:
            yield PackNews(place, Outrun(4, order.index(place) + 1, len(order)))
        found = {place: super(Packed, self).by_fold(candidates[place], budget, report) for place in sorted(set(order) - {*left})}
        for fold in range(self.FOLDS):
            for place, folds in found.items():
                if goes_on(place):
                    yield PackNews(place, next(folds), is_last=fold == self.FOLDS - 1)


class Costed:
    """An evaluator that knows its costs before training."""

    def __init__(self, evaluate):
        self.evaluate, self.trained = evaluate, []

    def __call__(self, candidate, budget, report):
        self.trained.append(candidate.recipe.width)
        return self.evaluate(candidate, budget, report)

    def cheap(self, candidate):
        return {"macs": 100.0 * candidate.recipe.width}

    def objectives(self):
        return frozenset({"score", "macs"})

    def describe(self):
        return {"name": "costed", "data": {"source": "toy", "fingerprint": "0123456789abcdef"}}


@pytest.fixture
def packed():
    """The class of an evaluator that evaluates several recipes at once."""
    return Packed


@pytest.fixture
def lucky():
    """The class of an evaluator of which each training has luck of its own."""
    return Lucky


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


@pytest.fixture
def cluster(tmp_path, request):
    made = LocalCluster(tmp_path, token=getattr(request, "param", None))
    yield made
    for name in reversed(made.nodes):
        made.kill(name)
    shutil.rmtree(made.temp, ignore_errors=True)


@pytest.fixture
def costed():
    """The class of an evaluator that knows its costs before training."""
    return Costed


@pytest.fixture
def study():
    return optuna.create_study(directions=["maximize", "minimize"], sampler=optuna.samplers.RandomSampler(seed=0))


@pytest.fixture
def open_session(study, space, toy_evaluator, tmp_path):
    (tmp_path / "predictions").mkdir()

    def build(evaluator=toy_evaluator, objectives=OBJECTIVES, progress=None, **settings):
        return Session(
            study,
            space,
            evaluator,
            objectives=objectives,
            settings=Settings(**{"reference_share": 0.0, "trials": 5, **settings}),
            folder=tmp_path,
            interrupts=Interrupts(),
            progress=progress,
        )

    return build


@pytest.fixture
def job(space):
    return Job(7, space.sample(np.random.default_rng(0)), Budget(epochs=2))


@pytest.fixture
def free_alarm():
    """The alarm as a search finds it; here it is the test suite's own time limit."""
    handler, timer = signal.signal(signal.SIGALRM, signal.SIG_DFL), signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, *timer)


@pytest.fixture
def race():
    """One that nobody wins: all folds of the rival are better by far."""
    scores = {"score": dict.fromkeys(range(5), 99.0)}
    return Race((Objective.parse("score:max"),), (Rival(1, scores, {"score": 0.01}),))
