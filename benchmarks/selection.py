"""What a search should pick by: rules of choice on fixed splits of real sets, each judged on rows that the search never saw.

    python benchmarks/selection.py [--data FOLDER] [--cache runs/selection] [--sets rosmap] [--splits 10] [--trials 20] [--json]

FOLDER (or FUSEARCH_SHARED_DATA) holds the sets that `examples/prepare_shared_data.py` reads. For each set and split, 30 % of the rows
(stratified, whole groups) are taken away; a search of `--trials` designs with five folds runs on the rest, with the references and
macro-F1 against MACs; and *every* design that it evaluated is trained once more on all of the rest, as `export` does, and asked for the
rows taken away. Both are kept in the cache, so that rules are compared without training anything again; what is there is not made again.
One core, some four minutes for a split of all three sets.
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from fusearch.contracts import Objective
from fusearch.data import Dataset, load_data
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.export.choice import read_choice
from fusearch.evaluators.export.confirmation import outputs_on_test
from fusearch.evaluators.export.refit import refit
from fusearch.inference.correction import fit_correction
from fusearch.inference.kept import KeptPredictions, read_kept
from fusearch.inference.resampling import Resampled, mean_over
from fusearch.inference.team import pool_of, team_on_all_rows
from fusearch.metrics import METRICS
from fusearch.ranking import best_of_each, is_near
from fusearch.run import Run
from fusearch.search import run_search
from fusearch.search_space import SearchSpace
from fusearch.study import TrialRecord
from fusearch.trials import Trials

EXAMPLES = Path(__file__).parents[1] / "examples"
SETS = ("rosmap", "brca263", "proctor")
OBJECTIVES = ("f1_macro", "macs")


def outer_split(folder: Path, cache: Path, name: str, split: int) -> Dataset:
    """Return the set with another 30 % of its rows as test split."""
    prepared = cache / "data"
    if not (prepared / name).is_dir():
        runpy.run_path(str(EXAMPLES / "prepare_shared_data.py"))["main"](folder, prepared)
    document = yaml.safe_load((prepared / name / f"{name}.yaml").read_text(encoding="utf-8"))
    group = {key: value for key, value in document["splits"].items() if key == "group"}
    document["splits"] = {"fractions": [0.5, 0.2, 0.3], "seed": split, **group}
    manifest = prepared / name / f"split{split}.yaml"
    manifest.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return load_data(manifest)


def measure(folder: Path, cache: Path, name: str, split: int, trials: int, seeds: int) -> Path:
    """Search one split, refit what was evaluated, and return the run folder; `test.npz` in it is written last."""
    out = cache / f"{name}-{split}"
    if (out / "test.npz").is_file():
        return out
    data = outer_split(folder, cache, name, split)
    run_search(
        SearchSpace(data.modalities),
        TrainingEvaluator(data),
        objectives=OBJECTIVES,
        out=out,
        trials=trials,
        executor="inline",
        seed=split,
        resume=out.is_dir(),
    )
    run = Run(out)
    found: dict[str, np.ndarray] = {}
    for record in run.read().evaluated:
        if record.candidate not in found:
            choice = read_choice(run, record, data)
            model = refit(data, choice.candidate, epochs=choice.epochs, seeds=seeds, batch_size=choice.batch_size)
            found[record.candidate] = outputs_on_test(model, choice.modalities, data)
    np.savez(out / "test.npz", targets=data.targets[data.rows("test")], **found)
    return out


@dataclass(frozen=True, eq=False)
class Searched:
    """What a search and its refits left behind. Designs stand in one order everywhere.

    Attributes:
        trials: The trials, without repeats; the metric is the first objective.
        records: The designs.
        kept: Their predictions of rows held out in the search.
        test: Their probabilities of the rows taken away, (designs, rows, classes).
        targets: The classes of these rows.
    """

    trials: Trials
    records: list[TrialRecord]
    kept: KeptPredictions
    test: np.ndarray
    targets: np.ndarray

    def place(self, record: TrialRecord) -> int:
        """Return where a design stands."""
        return next(number for number, each in enumerate(self.records) if each.candidate == record.candidate)

    def by(self, select: str) -> Trials:
        """Return the trials, ranked by something else."""
        return replace(self.trials, select=select)

    def resampled(self, *criteria: Objective) -> Resampled:
        """Return what scores means of designs on all held-out rows."""
        return Resampled(self.kept, self.trials.primary, criteria=criteria, draws=1)


def read(folder: Path, metric: str, trials: int) -> Searched:
    """Read a cached search up to so many evaluated designs, as if it had been asked for this metric."""
    held = Run(folder).read()
    first = sorted(held.evaluated, key=lambda record: record.number)[:trials]
    records = [replace(record, objectives={}) for record in {record.candidate: record for record in reversed(first)}.values()]
    records.sort(key=lambda record: record.number)
    told = replace(held, records=records, objectives=(Objective.parse(metric), Objective.parse("macs")))
    with np.load(folder / "test.npz", allow_pickle=False) as file:
        test, targets = np.stack([file[record.candidate] for record in records]), file["targets"]
    return Searched(told, records, read_kept(folder, records, told.described_task), test, targets)


#: Out-of-fold probabilities and those of the rows taken away.
Outputs = tuple[np.ndarray, np.ndarray]


def mean_of(searched: Searched, members: Sequence[int]) -> Outputs:
    """Return what designs say together; one may stand there several times."""
    return searched.kept.outputs[list(members)].mean(axis=0), searched.test[list(members)].mean(axis=0)


def single(select: str, how: str) -> Callable[[Searched], Outputs]:
    """One design, by `Trials.pick`."""
    return lambda searched: mean_of(searched, [searched.place(searched.by(select).pick(how))])


def near_then_loss(searched: Searched) -> Outputs:
    """The least loss among the designs within a standard error of the best metric."""
    trials = searched.by("metric")
    near = [record for record in trials.feasible if is_near(record, trials.feasible[0], trials.primary)]
    return mean_of(searched, [searched.place(min(near, key=lambda record: record.value("log_loss")))])


def four_kinds(searched: Searched) -> list[int]:
    """The best by loss of each kind: linear, late and penultimate fusion, searched."""
    trials = searched.by("loss")
    searched_best = next((record for record in trials.feasible if trials.kind_of_design(record) == "searched"), None)
    named = [trials.references.get(role) for role in ("linear", "late", "penultimate")]
    return [searched.place(record) for record in (*named, searched_best) if record is not None]


def five_best(searched: Searched) -> list[int]:
    """The five best graphs by loss."""
    return [searched.place(record) for record in best_of_each(searched.by("loss").feasible, lambda record: record.digest).values()][:5]


def greedy(searched: Searched, name: str, rounds: int = 20) -> list[int]:
    """Caruana et al. 2004, with replacement: each round adds the design that makes the mean best."""
    objective, members = Objective.parse(name), list[int]()
    resampled, every = searched.resampled(), np.ones((len(searched.kept.fold), 1))
    best: tuple[float, list[int]] = (np.inf, [])
    for _ in range(rounds):
        means = [resampled.outputs_of((*members, each)) for each in range(len(searched.records))]
        losses = [float(mean_over(resampled.losses_of(mean, every, objective))[0]) for mean in means]
        members.append(int(np.argmin(losses)))
        best = min(best, (min(losses), list(members)), key=lambda pair: pair[0])
    return best[1]


def own_team(select: str) -> Callable[[Searched], Outputs]:
    """The team of `--pick team`."""

    def take(searched: Searched) -> Outputs:
        trials = searched.by(select)
        designs = trials.feasible
        order = np.array([searched.place(record) for record in designs])
        pool = order[pool_of(designs)]
        return mean_of(searched, team_on_all_rows(searched.resampled(*trials.criteria), pool))

    return take


def stacked(members: Callable[[Searched], list[int]]) -> Callable[[Searched], Outputs]:
    """L2 logistic regression on the class scores of some designs; its own out-of-fold predictions leave each fold out."""

    def take(searched: Searched) -> Outputs:
        chosen = members(searched)
        logs = [np.log(np.clip(each[chosen], 1e-6, 1)) for each in (searched.kept.outputs, searched.test)]
        inside, outside = (each.transpose(1, 0, 2).reshape(each.shape[1], -1) for each in logs)
        fold, targets = searched.kept.fold, searched.kept.targets
        parts = [(np.flatnonzero(fold != each), np.flatnonzero(fold == each)) for each in np.unique(fold)]
        scores = {
            strength: cross_val_predict(model(strength), inside, targets, cv=parts, method="predict_proba")
            for strength in (1e-3, 1e-2, 1e-1)
        }
        best = min(scores, key=lambda strength: METRICS["log_loss"](targets, scores[strength]))
        return scores[best], model(best).fit(inside, targets).predict_proba(outside)

    def model(strength: float) -> LogisticRegression:
        return LogisticRegression(C=strength, max_iter=1000)

    return take


RULES: dict[str, Callable[[Searched], Outputs]] = {
    **{f"{select}, {how}": single(select, how) for how in ("best", "simplest") for select in ("metric", "loss", "both")},
    "loss among near, best": near_then_loss,
    "team of four kinds": lambda searched: mean_of(searched, four_kinds(searched)),
    "team of five by loss": lambda searched: mean_of(searched, five_best(searched)),
    **{f"--pick team by {select}": own_team(select) for select in ("metric", "loss", "both")},
    "greedy by metric": lambda searched: mean_of(searched, greedy(searched, searched.trials.primary.name)),
    "greedy by loss": lambda searched: mean_of(searched, greedy(searched, "log_loss")),
    "stacked four kinds": stacked(four_kinds),
    "stacked five by loss": stacked(five_best),
}


def corrected(folder: Path, metric: str, trials: int) -> np.ndarray:
    """Return, for every design of a search, by how much its correction changes the test score, and whether it has one."""
    searched, objective = read(folder, metric, trials), Objective.parse(metric)
    found = []
    for inside, outside in zip(searched.kept.outputs, searched.test, strict=True):
        correction = fit_correction(searched.kept.targets, inside, searched.kept.fold, objective)
        taken = outside if correction is None else correction.apply(outside)
        found.append((METRICS[metric](searched.targets, taken) - METRICS[metric](searched.targets, outside), correction is not None))
    return np.array(found)


def judge(folder: Path, metric: str, trials: int) -> dict[str, float]:
    """Return the test score of each rule on one split, with and without a correction where the metric asks for a class."""
    searched, objective = read(folder, metric, trials), Objective.parse(metric)
    found = {}
    for rule, take in RULES.items():
        inside, outside = take(searched)
        found[rule] = METRICS[metric](searched.targets, outside)
        if metric == "f1_macro":
            correction = fit_correction(searched.kept.targets, inside, searched.kept.fold, objective)
            found[f"{rule}, corrected"] = METRICS[metric](searched.targets, outside if correction is None else correction.apply(outside))
    return found


#: Scores of the rules on each split of each set.
Scores = dict[tuple[str, int], dict[str, float]]


def paired(found: Scores, rule: str, base: str) -> dict[str, float]:
    """Return by how much a rule is better than another one, its standard error over splits, and on how many it is better and worse.

    Each set weighs alike.
    """
    gains: dict[str, list[float]] = {}
    for (name, _), scores in found.items():
        gains.setdefault(name, []).append(scores[rule] - scores[base])
    errors = [np.var(each, ddof=1) / len(each) if len(each) > 1 else np.nan for each in gains.values()]
    every = np.concatenate(list(gains.values()))
    return {
        "gain": float(np.mean([np.mean(each) for each in gains.values()])),
        "error": float(np.sqrt(np.sum(errors)) / len(gains)),
        "better": int((every > 0).sum()),
        "worse": int((every < 0).sum()),
    }


def table(found: Scores) -> list[dict[str, object]]:
    """Return a row for each rule: the mean of each set, the mean over the sets, and what it gains over the first rule."""
    names = list(dict.fromkeys(name for name, _ in found))
    rules = list(next(iter(found.values())))
    rows: list[dict[str, object]] = []
    for rule in rules:
        means = {name: float(np.mean([each[rule] for (own, _), each in found.items() if own == name])) for name in names}
        rows.append({"rule": rule, **means, "all": float(np.mean(list(means.values()))), **paired(found, rule, rules[0])})
    return rows


def main() -> None:
    """Measure what is not in the cache, and print what each rule takes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    shared = os.environ.get("FUSEARCH_SHARED_DATA")
    parser.add_argument("--data", type=Path, default=shared, help="folder of the sets; without one, what is cached is judged")
    parser.add_argument("--cache", type=Path, default=Path("runs/selection"), help="folder of what was measured")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--trials", type=int, default=20, help="designs of each search")
    parser.add_argument("--seeds", type=int, default=3, help="networks of each refitted design")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    folders = {(name, split): asked.cache / f"{name}-{split}" for split in range(asked.splits) for name in asked.sets}
    for name, split in folders if asked.data is not None else ():
        measure(asked.data, asked.cache, name, split, asked.trials, asked.seeds)
    there = {key: folder for key, folder in folders.items() if (folder / "test.npz").is_file()}
    if not there:
        print(f"nothing in {asked.cache} to judge: say --data, the folder of the sets")
        return
    splits = {name: sum(each == name for each, _ in there) for name in asked.sets}
    for name in asked.sets:
        changes = [corrected(folder, "f1_macro", asked.trials) for (each, _), folder in there.items() if each == name]
        if changes:
            change, used = np.concatenate(changes).T
            told = {"designs": len(change), "change": change.mean(), "used": used.mean()}
            told |= {"better": (change > 0).mean(), "worse": (change < 0).mean()}
            if asked.json:
                print(json.dumps({"set": name, **told}))
                continue
            shares = f"used {told['used']:.2f}, better {told['better']:.2f}, worse {told['worse']:.2f}"
            print(f"{name}: the correction of each of {len(change)} designs changes its f1_macro by {told['change']:+.3f}; {shares}")
    for metric in ("f1_macro", "auroc"):
        found = {key: judge(folder, metric, asked.trials) for key, folder in there.items()}
        rows = table(found)
        corrected_too = ", corrected" if metric == "f1_macro" else ""
        twins = {how.format("both"): how.format("metric") for how in ("{}, best", "{}, simplest", "--pick team by {}")}
        pairs = {rule: paired(found, f"{rule}{corrected_too}", f"{base}{corrected_too}") for rule, base in twins.items()}
        if asked.json:
            print(json.dumps({"metric": metric, "splits": splits, "rows": rows, "over the metric": pairs}))
            continue
        names = [name for name in asked.sets if splits[name]]
        print(f"{metric}: {', '.join(f'{splits[name]} splits of {name}' for name in names)}")
        print(f"{'rule':40}", *(f"{name:>8}" for name in (*names, "all", "gain", "error", "better", "worse")))
        for row in rows:
            numbers = (f"{row[name]:8.3f}" for name in (*names, "all", "gain", "error"))
            print(f"{row['rule']:40}", *numbers, *(f"{row[name]:8}" for name in ("better", "worse")))
        for rule, pair in pairs.items():
            gain = f"{pair['gain']:+.3f} +- {pair['error']:.3f}"
            print(f"{rule}{corrected_too}: {gain} over the same by metric, better on {pair['better']} splits, worse on {pair['worse']}")


if __name__ == "__main__":
    main()
