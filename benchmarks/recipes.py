"""Several recipes of a design at once (`--recipes`): what a search gets for its time, and what halving keeps.

    OMP_NUM_THREADS=1 python benchmarks/recipes.py [--data DATA.yaml] [--trials 24] [--designs 8] [--repeats 1] [--json]

`search`: inline searches of the random sampler without references over three made-up tables (351 rows, 200 columns each), or over a data
set of your own, with 1, 4 and 8 recipes, with and without races over folds, one right after the other in this process with one thread.
Told are trials, designs (graphs), and designs of which a trial was trained to the end, for an hour of processor time, so that a busy
machine spoils all alike; `ratio` is that of trials to one recipe.

`halving`: designs with 8 recipes each, all trained to the end in packs, and then it is counted what leaving after some epochs would have
done: how often the recipe with the best AUROC stays, how much AUROC is lost on average, and how many of the epochs are run. `chance`:
the same where the half that leaves is drawn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fusearch.contracts import Budget
from fusearch.data import Dataset, load_data
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.training.halving import worse_half
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search import run_search
from fusearch.search_space import Candidate, SearchSpace

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


def search(data: Dataset, recipes: int, races: str, trials: int, seed: int) -> dict[str, float]:
    """Run a search, and tell what there is of it for an hour."""
    started = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        run = run_search(
            SearchSpace(data.modalities),
            TrainingEvaluator(data),
            objectives=["auroc", "macs"],
            out=Path(name) / "run",
            trials=trials,
            sampler="random",
            executor="inline",
            reference_share=0.0,
            races=races,
            recipes=recipes,
            seed=seed,
        )
        records = [record for record in run.records() if record.repeat_of is None]
    hours = (time.process_time() - started) / 3600
    whole = [record for record in records if record.evaluated]
    counts = {"trials": len(records), "designs": len({each.digest for each in records}), "finished": len({each.digest for each in whole})}
    return {name: count / hours for name, count in counts.items()}


def searches(data: Dataset, given: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the median of the repeats for each number of recipes."""
    found: dict[tuple[str, int], list[dict[str, float]]] = defaultdict(list)
    for seed in range(given.repeats):
        for races in ("on", "off"):
            for recipes in (1, 4, RECIPES):
                found[races, recipes].append(search(data, recipes, races, given.trials, seed))
    told = []
    for (races, recipes), runs in found.items():
        rates = {name: round(statistics.median(run[name] for run in runs), 1) for name in runs[0]}
        ratio = statistics.median(run["trials"] / one["trials"] for run, one in zip(runs, found[races, 1], strict=True))
        told.append({"races": races, "recipes": recipes, **rates, "ratio": round(ratio, 2)})
    return told


def train(data: Dataset, count: int) -> list[list[Trained]]:
    """Train designs with all their recipes to the end. Weights of classes are left out: their losses have another scale."""
    space, rng, evaluator, found = SearchSpace(data.modalities), np.random.default_rng(1), TrainingEvaluator(data, pack=5 * RECIPES), []
    while len(found) < count:
        first = space.sample(rng)
        if first.graph.training not in ("joint", "staged", "frozen"):
            continue
        drawn = [first.recipe, *(space.sample_recipe(rng) for _ in range(RECIPES - 1))]
        designs = [Candidate(first.graph, replace(each, width=first.recipe.width, class_weights="none")) for each in drawn]
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
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--designs", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    data = made_up() if given.data is None else load_data(given.data)
    found = {
        "search": searches(data, given) if given.trials else [],
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
