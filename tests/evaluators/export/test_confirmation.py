from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fusearch.data import Dataset, load_data
from fusearch.errors import LeakError, RunError
from fusearch.evaluators.export import confirm, export
from fusearch.evaluators.export.choice import read_choice
from fusearch.evaluators.export.confirmation import looks_so_far, outputs_on_test
from fusearch.evaluators.export.refit import refit
from fusearch.inference import answer, correction_of, corrections_of_tasks, team_of
from fusearch.layout import CONFIRMATION
from fusearch.metrics import METRICS
from fusearch.reports.findings.findings import read_findings
from fusearch.reports.findings.looks import numbers_told, read_looks
from fusearch.reports.findings.verdict import judge
from fusearch.reports.markdown import render_markdown
from fusearch.reports.page import sections
from fusearch.run import Run
from fusearch.search_space import Recipe

MakeRun = Callable[..., Run]


def test_the_picked_design_the_references_and_the_front_meet_the_test_split(make_run: MakeRun) -> None:
    data = load_data("wisconsin")
    designs = {
        "F1 = cat(mean@L, error@L, worst@L) ->": None,
        "F1 = cat(mean@0, error@0, worst@0) ->": "linear",
        "mean@L ->": "best_unimodal",
        "worst@L ->": "best_unimodal",
    }
    run = make_run(data, designs, recipe=Recipe(width=8, learning_rate=0.03))
    look = confirm(run, seeds=1)
    assert (look["look"], look["samples"], look["pick"]) == (1, len(data.rows("test")), "simplest")
    by_role = {design["role"]: design for design in look["designs"]}
    assert {"picked", "best_unimodal", "linear"} <= set(by_role)
    assert by_role["picked"]["candidate"] == run.pick().candidate
    for role, record in run.references().items():
        assert by_role[role]["candidate"] == record.candidate
    assert {record.candidate for record in run.front()} <= {design["candidate"] for design in look["designs"]}
    for design in look["designs"]:
        assert set(design["values"]) == set(design["search"]) == set(data.task.metrics)
        assert design["values"]["auroc"] > 0.8
    assert looks_so_far(run) == [look]
    compared, trials = look["comparison"], run.read()
    assert look["picked_best_reference"] == (trials.best_simple.digest == run.pick().digest)
    rival = next(record for record in trials.simple if record.digest != run.pick().digest)
    gain = by_role["picked"]["values"]["auroc"] - next(
        design["values"]["auroc"] for design in look["designs"] if design["candidate"] == rival.candidate
    )
    assert compared["difference"] == pytest.approx(gain)
    assert compared["trials"] == [rival.number, run.pick().number]
    low, high = look["score"]["interval"]
    assert low < look["score"]["value"] == by_role["picked"]["values"]["auroc"] <= high

    second = confirm(run, pick="best:auroc", seeds=1)
    assert second["look"] == 2
    assert [each["look"] for each in looks_so_far(run)] == [1, 2]
    assert next(each for each in second["designs"] if each["role"] == "linear")["values"] == by_role["linear"]["values"]


@pytest.fixture(scope="module")
def data() -> Dataset:
    rng = np.random.default_rng(0)
    views = {name: rng.normal(size=(60, 3)) for name in ("a", "b")}
    return Dataset.from_arrays("toy", modalities=views, targets=rng.normal(size=60), task="regression")


def test_a_regression_is_scored_in_its_own_units(make_run: MakeRun, data: Dataset) -> None:
    run = make_run(data, {"F1 = cat(a@0, b@0) ->": "linear"})
    values = confirm(run, data=data, seeds=1)["designs"][0]["values"]
    assert set(values) == {"rmse", "mae", "r2", "spearman"}
    assert 0.3 < values["rmse"] < 3


def test_the_rows_of_the_test_split_are_scored_and_no_others(make_run: MakeRun) -> None:
    """In the test split the labels are turned round: a design that learned something is wrong there, and nowhere else."""
    rng = np.random.default_rng(0)
    a, splits = rng.normal(size=(300, 3)), np.array(["train", "val", "test"] * 100)
    targets = np.where(splits == "test", a[:, 0] < 0, a[:, 0] > 0).astype(int)
    data = Dataset.from_arrays("turned", modalities={"a": a, "b": rng.normal(size=(300, 3))}, targets=targets, splits=splits)
    run = make_run(data, {"F1 = cat(a@0, b@0) ->": "linear"}, recipe=Recipe(learning_rate=0.1))
    (picked, *_) = confirm(run, data=data, seeds=1)["designs"]
    assert picked["search"]["auroc"] > 0.8
    assert picked["values"]["auroc"] < 0.2


def test_the_pick_is_compared_with_the_reference_that_was_the_best_in_the_search(make_run: MakeRun) -> None:
    """In the test split the good column is noise: what was the best reference there plays no part."""
    rng = np.random.default_rng(0)
    a, b, splits = rng.normal(size=(300, 3)), rng.normal(size=(300, 3)), np.array(["train", "val", "test"] * 100)
    targets = (a[:, 0] * (splits != "test") + b[:, 0] + 0.3 * rng.normal(size=300) > 0).astype(int)
    groups = [f"p{row // 3}-{split}" for row, split in enumerate(splits)]
    data = Dataset.from_arrays("turned", modalities={"a": a, "b": b}, targets=targets, splits=splits, groups=groups)
    designs = {"F1 = cat(a@0, b@0) ->": None, "a:identity; a@L ->": None, "b:identity; b@L ->": None}
    run = make_run(data, designs, recipe=Recipe(learning_rate=0.1))
    trials = run.read()
    fused = next(record for record in trials.records if "F1" in record.formula)
    look = confirm(run, data=data, seeds=1, pick=fused.digest)
    assert trials.best_simple is not None
    assert look["comparison"]["trials"] == [trials.best_simple.number, fused.number]
    assert [design["trial"] for design in look["designs"] if design["role"] == "compared"] in ([], [trials.best_simple.number])
    low, high = look["comparison"]["interval"]
    assert low < look["comparison"]["difference"] < high
    assert look["comparison"]["p"] == look["comparison"]["p_corrected"]
    again = confirm(run, data=data, seeds=1, pick=fused.digest)["comparison"]
    assert again["p_corrected"] == min(1.0, 2 * again["p"])
    assert not look["picked_best_reference"]


def test_a_pick_that_is_the_best_reference_is_compared_with_the_next_best(make_run: MakeRun) -> None:
    rng = np.random.default_rng(0)
    a, b, splits = rng.normal(size=(300, 3)), rng.normal(size=(300, 3)), np.array(["train", "val", "test"] * 100)
    data = Dataset.from_arrays("two", modalities={"a": a, "b": b}, targets=(a[:, 0] + 0.3 * b[:, 0] > 0).astype(int), splits=splits)
    run = make_run(data, {"a:identity; a@L ->": None, "b:identity; b@L ->": None}, recipe=Recipe(learning_rate=0.1))
    first, second = run.read().simple
    look = confirm(run, data=data, seeds=1, pick=first.digest)
    assert look["picked_best_reference"]
    assert look["comparison"]["trials"] == [second.number, first.number]
    assert look["comparison"]["outcome"] == "gain"
    shown = pages(run)
    assert all("It is itself the best reference of the search." in text for text in shown)
    assert all(f"the next best one (trial {second.number}) to the pick (trial {first.number})" in text for text in shown)
    assert "is itself the best reference of the search; against b alone" in " ".join(judge(read_findings(run)).notes)


def test_a_pick_that_is_the_only_reference_is_told_with_its_interval(make_run: MakeRun, data: Dataset) -> None:
    run = make_run(data, {"F1 = cat(a@0, b@0) ->": "linear"})
    look = confirm(run, data=data, seeds=1)
    assert (look["picked_best_reference"], look["comparison"], look["score"]["metric"]) == (True, None, run.read().primary.name)
    assert all("It is itself the best reference of the search, and there is no other to compare it with." in text for text in pages(run))
    assert all("The pick (trial 0) has " in text for text in pages(run))


def pages(run: Run) -> tuple[str, str]:
    """Return what is told of the looks, as the page and as text."""
    found = read_findings(run)
    return html.unescape(re.sub("<[^>]*>", "", sections.confirmed(found))), render_markdown(found, judge(found))


def test_a_team_is_confirmed_as_one_pick(make_run: MakeRun) -> None:
    """Its outputs are the mean of its members', each of which is trained once; it is compared as any other pick is."""
    rng = np.random.default_rng(0)
    targets, splits = np.arange(240) % 2, np.array(["train", "train", "train", "test", "test", "train"] * 40)
    views = {name: rng.normal(size=(240, 3)) + 0.6 * targets[:, None] for name in ("a", "b")}  # each knows a part
    data = Dataset.from_arrays("parts", modalities=views, targets=targets, splits=splits, folds=2)
    run = make_run(data, {"a:identity\na@L ->": "best_unimodal", "b:identity\nb@L ->": None}, recipe=Recipe(learning_rate=0.05))
    trials = run.read()
    team = team_of(trials)
    look = confirm(run, data=data, pick="team", seeds=1)
    picked = look["designs"][0]
    assert (picked["role"], picked["trial"], picked["digest"]) == ("picked", list(team.trials), "+".join(team.designs))
    assert picked["search"] == {"auroc": team.plain}
    choices = [read_choice(run, run.pick(each), data) for each in team.candidates]
    alone = [outputs_on_test(refit(data, choice.candidate, epochs=choice.epochs, seeds=1), choice.modalities, data) for choice in choices]
    test = data.targets[data.rows("test")]
    assert picked["values"]["auroc"] == pytest.approx(METRICS["auroc"](test, (alone[0] + alone[1]) / 2))
    rival = trials.best_simple
    assert rival is not None
    assert look["comparison"]["trials"] == [rival.number, list(team.trials)]
    mate = alone[list(team.candidates).index(rival.candidate)]
    assert look["comparison"]["difference"] == pytest.approx(picked["values"]["auroc"] - METRICS["auroc"](test, mate))
    assert [each["look"] for each in looks_so_far(run)] == [1]
    (read,) = read_looks(run.path, trials.primary)
    assert (read.designs[0].trial, read.designs[0].numbers) == (team.trials, ", ".join(map(str, team.trials)))
    assert f"the pick, {numbers_told(team.trials)}, has AUROC" in judge(read_findings(run)).notes[0]
    folder = export(run, run.path / "team", data=data, pick="team", seeds=1)
    assert json.loads((folder / "metrics.json").read_text())["confirmed"]["values"] == picked["values"]


def test_metrics_of_classes_are_those_of_the_classes_that_an_export_takes(make_run: MakeRun) -> None:
    rng = np.random.default_rng(0)
    targets = np.where(rng.random(1000) < 0.12, "sick", "well")
    views = {name: rng.normal(size=(1000, 3)) + 0.5 * (targets == "sick")[:, None] for name in ("a", "b")}
    splits = np.array(["train", "train", "train", "train", "test"] * 200)
    data = Dataset.from_arrays("rare", modalities=views, targets=targets, labels=["well", "sick"], splits=splits, folds=5)
    run = make_run(data, {"F1 = cat(a@0, b@0) ->": "linear"}, recipe=Recipe(learning_rate=0.05), metric="f1_macro")
    correction = correction_of(run.read(), run.records())
    assert correction is not None
    look = confirm(run, data=data, seeds=1)
    choice = read_choice(run, run.pick("simplest"), data)
    model = refit(data, choice.candidate, epochs=choice.epochs, seeds=1)
    outputs, test = outputs_on_test(model, choice.modalities, data), data.targets[data.rows("test")]
    values = look["designs"][0]["values"]
    for name in ("f1_macro", "accuracy"):
        assert values[name] == pytest.approx(METRICS[name](test, correction.apply(outputs)))
    assert values["f1_macro"] != METRICS["f1_macro"](test, outputs)
    assert values["auroc"] == pytest.approx(METRICS["auroc"](test, outputs))
    assert look["score"]["value"] == values["f1_macro"]


@pytest.mark.slow
def test_the_threshold_of_one_of_several_tasks_travels_with_the_bundle_and_counts_on_the_test_split(make_run: MakeRun) -> None:
    rng = np.random.default_rng(0)
    ill = (rng.random(1000) < 0.12).astype(int)
    views = {name: rng.normal(size=(1000, 3)) + 0.5 * ill[:, None] for name in ("a", "b")}
    splits = np.array(["train", "train", "train", "train", "test"] * 200)
    data = Dataset.from_arrays(
        "rare",
        modalities=views,
        targets={"size": views["a"][:, 0], "ill": [None if row % 9 == 0 else each for row, each in enumerate(ill.tolist())]},
        task={"size": "regression", "ill": "classification"},
        splits=splits,
        folds=5,
    )
    run = make_run(data, {"F1 = cat(a@0, b@0) ->": None}, recipe=Recipe(learning_rate=0.1), metric="ill.f1_macro")
    (correction,) = corrections_of_tasks(run.read(), run.records()).values()
    assert correction.threshold is not None
    assert correction.threshold < 0.4
    assert correction_of(run.read(), run.records()) is None
    assert data.task.output_columns["ill"] == slice(1, 3)
    look = confirm(run, data=data, seeds=1)
    choice = read_choice(run, run.pick("simplest"), data)
    outputs = outputs_on_test(refit(data, choice.candidate, epochs=choice.epochs, seeds=1), choice.modalities, data)
    test, f1_macro = data.targets[data.rows("test")], data.task.metric("ill.f1_macro")
    taken = np.column_stack([outputs[:, 0], correction.apply(outputs[:, 1:])])
    values = look["designs"][0]["values"]
    assert values["ill.f1_macro"] == pytest.approx(f1_macro(test, taken)) == look["score"]["value"]
    assert values["ill.f1_macro"] > f1_macro(test, outputs)
    assert values["ill.auroc"] == pytest.approx(data.task.metric("ill.auroc")(test, outputs))
    folder = export(run, run.path / "bundle", data=data, seeds=1)
    (told,) = json.loads((folder / "inputs.json").read_text())["tasks"]
    assert (told["name"], told["threshold"], told["fitted_for"]) == ("ill", correction.threshold, "f1_macro")
    assert told["weights"] == list(correction.weights)
    assert json.loads((folder / "metrics.json").read_text())["corrections"]["ill"]["threshold"] == correction.threshold
    assert f"The class of `ill` that `predict.py` names is 1 from a probability of {correction.threshold:.3g} on" in (
        folder / "model_card.md"
    ).read_text(encoding="utf-8")


def test_a_claim_for_fusion_is_looked_at_though_the_pick_is_a_reference_itself(make_run: MakeRun) -> None:
    """In the test split `b` turns round: fusing it, which pays on validation, does harm there, whichever fusion is picked."""
    rng = np.random.default_rng(0)
    a, b, splits = rng.normal(size=(600, 3)), rng.normal(size=(600, 3)), np.array(["train", "val", "test"] * 200)
    turned = np.where(splits == "test", -1, 1)
    targets = (1.3 * a[:, 0] + turned * b[:, 0] + 0.3 * rng.normal(size=600) > 0).astype(int)
    data = Dataset.from_arrays("turned", modalities={"a": a, "b": b}, targets=targets, splits=splits, folds=3)
    designs = {
        "a:identity; a@L ->": "best_unimodal",
        "b:identity; b@L ->": "best_unimodal",
        "F1 = cat(a@0, b@0) ->": "linear",
        "F1 = cat(a@0, b@0; trunk=fc:1) ->": "early",
    }
    run = make_run(data, designs, recipe=Recipe(learning_rate=0.1))
    found = answer(run.read())
    assert found.fusion.outcome == "gain"
    first, second = (run.records()[number] for number in found.fusion.trials)
    look = confirm(run, data=data, seeds=1, pick=second.digest)
    assert look["picked_best_reference"]
    assert list(look["answers"]) == ["fusion"]  # nothing was searched
    values = {design["trial"]: design["values"]["auroc"] for design in look["designs"]}
    seen = look["answers"]["fusion"]
    assert (seen["trials"], seen["designs"]) == ([first.number, second.number], [first.digest, second.digest])
    assert seen["difference"] == pytest.approx(values[second.number] - values[first.number])
    assert seen["difference"] < 0
    verdict = judge(read_findings(run))
    assert "The test split speaks against it: AUROC is 0." in verdict.headline
    assert verdict.notes[1].startswith("Fusion on the test split: from the best single modality (")
    again = confirm(run, data=data, seeds=1, pick=second.digest)["answers"]["fusion"]
    assert again["p_corrected"] == min(1.0, 2 * seen["p"])


@pytest.mark.slow
def test_on_shuffled_labels_the_interval_holds_no_difference_about_as_often_as_it_says(make_run: MakeRun) -> None:
    """Twenty searches, each with its look: labels say nothing, so that no design is better than another.

    90 % of the intervals should hold 0; of 20, a binomial count is 15 or more with 99 %, and of claims (5 %) it is 4 or fewer with 99.7 %.
    """
    held, outcomes = 0, []
    for repeat in range(20):
        rng = np.random.default_rng(repeat)
        views = {name: rng.normal(size=(200, 3)) for name in ("a", "b")}
        targets, splits = rng.permutation(np.arange(200) % 2), np.array(["train", "test"] * 100)
        data = Dataset.from_arrays("shuffled", modalities=views, targets=targets, splits=splits, folds=2)
        run = make_run(data, {"F1 = cat(a@0, b@0) ->": None, "a:identity; a@L ->": None}, recipe=Recipe(learning_rate=0.1))
        fused = next(record for record in run.records() if "F1" in record.formula)
        found = confirm(run, data=data, seeds=1, pick=fused.digest)["comparison"]
        held += found["interval"][0] <= 0 <= found["interval"][1]
        outcomes.append(found["outcome"])
    assert held >= 15
    assert outcomes.count("gain") <= 4


def test_designs_are_trained_with_the_epochs_and_batches_of_the_search(
    make_run: MakeRun, data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    class AskedError(Exception):
        pass

    def refuse(*args: object, **options: object) -> None:
        raise AskedError(options)

    run = make_run(data, {"F1 = cat(a@0, b@0) ->": "linear"})
    run.config["evaluator"]["settings"]["batch_size"] = 8
    monkeypatch.setattr("fusearch.evaluators.export.fitted.refit", refuse)
    with pytest.raises(AskedError) as asked:
        confirm(run, data=data, seeds=5)
    (options,) = asked.value.args
    assert (options["batch_size"], options["seeds"]) == (8, 5)
    assert options["epochs"] == run.pick().details["best_epochs"]


def test_there_must_be_a_test_split(make_run: MakeRun, data: Dataset) -> None:
    run = make_run(data, {"F1 = cat(a@0, b@0) ->": "linear"})
    with pytest.raises(LeakError, match="withheld"):
        confirm(run, data=data.without_test())
    folds = Dataset.from_arrays("toy", modalities=dict(data.raw), targets=data.targets, task="regression", folds=3)
    with pytest.raises(RunError, match="'toy' has no test split: nothing to confirm on"):
        confirm(make_run(folds, {"F1 = cat(a@0, b@0) ->": None}), data=folds)
    assert looks_so_far(run) == []


@pytest.mark.parametrize("content", ["broken", json.dumps({"other": 1})])
def test_a_count_of_looks_that_cannot_be_read_is_refused(make_run: MakeRun, data: Dataset, content: str) -> None:
    run = make_run(data, {"F1 = cat(a@0, b@0) ->": "linear"})
    path = Path(run.path / CONFIRMATION)
    path.write_text(content)
    with pytest.raises(RunError, match=r"cannot read .*confirm.json', which counts the looks at the test split"):
        confirm(run, data=data)
    assert path.read_text() == content
