"""Several recipes of a design at once (`--recipes`): what a search gets for its time, and what halving keeps.

    OMP_NUM_THREADS=1 python benchmarks/recipes.py [--data DATA.yaml] [--timed 4] [--designs 8] [--json]

`trials`: designs drawn from the default space over three made-up tables (351 rows, 200 columns each), or over a data set of your own, five
folds. The 8 recipes of each are evaluated as a search with `--recipes 1` does it, one after the other, and as one with 4 or 8 does it, one
right after the other in this process with one thread. `ratio` is how many times as many trials an hour of processor time has then
(median, least and most over the designs): with `--races off`, all folds at once, and with `on`, one fold after the other.

`halving`: designs with 8 recipes each, all trained to the end in packs, and then it is counted what leaving after some epochs would have
done: how often the recipe with the best AUROC stays, how much AUROC is lost on average, and how many of the epochs are run. `chance`:
the same where the half that leaves is drawn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fusearch.contracts import Budget
from fusearch.data import Dataset, load_data
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.training.halving import worse_half
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search_space import Candidate, Recipe, SearchSpace

RECIPES = 8
PATIENCE = TrainingSettings.patience

#: A recipe that was trained to the end: validation losses of each fold by epoch, and its AUROC.
Trained = tuple[list[list[float]], float]


def made_up() -> Dataset:
    """Return three tables of noise and a target that hangs on some columns."""
    rng = np.random.default_rng(0)
    tables = {name: rng.normal(size=(351, 200)).astype(np.float32) for name in ("mrna", "meth", "mirna")}
    signal = sum(table[:, :3].sum(axis=1) for table in tables.values())
    return Dataset.from_arrays("made up", modalities=tables, targets=(signal + rng.normal(size=351) > 0).astype(int))


def drawn(data: Dataset, count: int, recipes: Callable[[Recipe], Recipe] = lambda recipe: recipe) -> list[list[Candidate]]:
    """Draw designs that steps train as a whole, each with all its recipes."""
    space, rng, found = SearchSpace(data.modalities), np.random.default_rng(1), []
    while len(found) < count:
        first = space.sample(rng)
        if first.graph.training in ("joint", "staged", "frozen"):
            each = [first.recipe, *(replace(space.sample_recipe(rng), width=first.recipe.width) for _ in range(RECIPES - 1))]
            found.append([Candidate(first.graph, recipes(recipe)) for recipe in each])
    return found


def seconds(evaluator: TrainingEvaluator, candidates: Sequence[Candidate], by_fold: bool, halving: bool) -> float:
    """Return the processor time of some recipes in one job."""
    start = time.process_time()
    deque(evaluator.recipes(candidates, Budget(), lambda *_: None, by_fold=by_fold, halving=halving, goes_on=lambda _: True), maxlen=0)
    return time.process_time() - start


def trials(data: Dataset, count: int) -> list[dict[str, Any]]:
    """Return how many times as many trials an hour has with several recipes in a job."""
    evaluator, ratios = TrainingEvaluator(data), defaultdict[tuple[str, int], list[float]](list)
    for number, candidates in enumerate(drawn(data, count)):
        if not number:
            seconds(evaluator, candidates[:1], False, False)  # imports, and what is prepared once for all designs
        for by_fold in (False, True):
            alone = sum(seconds(evaluator, [candidate], by_fold, False) for candidate in candidates)
            for recipes in (4, RECIPES):
                jobs = [candidates[start : start + recipes] for start in range(0, RECIPES, recipes)]
                together = sum(seconds(evaluator, job, by_fold, True) for job in jobs)
                ratios["on" if by_fold else "off", recipes].append(alone / together)
    return [
        {
            "races": races,
            "recipes": recipes,
            "ratio": round(statistics.median(found), 2),
            "least": round(min(found), 2),
            "most": round(max(found), 2),
        }
        for (races, recipes), found in ratios.items()
    ]


def train(data: Dataset, count: int) -> list[list[Trained]]:
    """Train designs with all their recipes to the end. Weights of classes are left out: their losses have another scale."""
    evaluator, found = TrainingEvaluator(data, pack=5 * RECIPES), []
    for designs in drawn(data, count, lambda recipe: replace(recipe, class_weights="none")):
        trained: dict[int, Trained] = {}
        for news in evaluator.recipes(designs, Budget(), lambda *_: None, by_fold=False, halving=False, goes_on=lambda _: True):
            if news.is_last and isinstance(news.found, Mapping):
                losses = news.found.arrays["losses"][:, -1, :, 1]
                trained[news.place] = [fold[np.isfinite(fold)].tolist() for fold in losses], news.found["auroc"]
        if len(trained) == RECIPES and all(all(losses) for losses, _ in trained.values()):
            found.append([trained[place] for place in range(RECIPES)])
    return found


def after(recipe: Trained, epoch: int) -> float:
    """Return the mean over folds of the best loss so far."""
    return float(np.mean([min(losses[:epoch]) for losses in recipe[0]]))


def halved(designs: Sequence[Sequence[Trained]], rungs: Sequence[int], score: Callable[[Trained, int], float]) -> dict[str, float]:
    """Let the worse half of each design's recipes leave after some epochs, and tell what is left."""
    kept, lost, run = [], [], []
    for recipes in designs:
        lengths = [float(np.mean([len(fold) for fold in losses])) for losses, _ in recipes]
        here, epochs, before = list(range(len(recipes))), 0.0, 0.0
        for rung in rungs:
            epochs, before = epochs + sum(min(lengths[at], rung) - min(lengths[at], before) for at in here), rung
            left = worse_half({at: score(recipes[at], rung) for at in here}, rung)
            here = [at for at in here if at not in left or lengths[at] <= rung]
        epochs += sum(max(0.0, lengths[at] - before) for at in here)
        best = max(auroc for _, auroc in recipes)
        lost.append(best - max(recipes[at][1] for at in here))
        kept.append(lost[-1] == 0.0)
        run.append(epochs / sum(lengths))
    return {"kept": round(float(np.mean(kept)), 2), "lost": round(float(np.mean(lost)), 4), "epochs": round(float(np.mean(run)), 2)}


def halvings(data: Dataset, count: int) -> list[dict[str, Any]]:
    """Return what leaving after some epochs does."""
    designs, rng = train(data, count), np.random.default_rng(0)
    told = []
    for rungs in ((0.5,), (1,), (1.5,), (2,), (2, 4)):
        epochs = [int(times * PATIENCE) for times in rungs]
        chance = [halved(designs, epochs, lambda *_: rng.random()) for _ in range(100)]
        drawn = {f"{name}_by_chance": round(float(np.mean([each[name] for each in chance])), 4) for name in ("kept", "lost")}
        told.append({"after": epochs, **halved(designs, epochs, after), **drawn})
    spread = float(np.mean([max(each) - min(each) for each in ([auroc for _, auroc in recipes] for recipes in designs)]))
    return [{"designs": len(designs), "range": round(spread, 4)}, *told]


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--timed", type=int, default=4)
    parser.add_argument("--designs", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    data = made_up() if given.data is None else load_data(given.data)
    found = {
        "trials": trials(data, given.timed) if given.timed else [],
        "halving": halvings(data, given.designs) if given.designs else [],
    }
    if given.json:
        print(json.dumps(found))
        return
    for part, rows in found.items():
        for row in rows:
            print(part, *(f"{name} {value}" for name, value in row.items()), sep="  ")


if __name__ == "__main__":
    main()
