import json
from dataclasses import replace

import numpy as np
import pytest
from planted_runs import TEAMED, planted_trials

from fusearch.inference import answer
from fusearch.inference.claims import sides_of
from fusearch.inference.kept import read_kept
from fusearch.layout import predictions_file
from fusearch.metrics import METRICS
from fusearch.study import TrialRecord

FUSED = "F1 = cat(rna@L, labs@L) ->"
OTHER = "F1 = mean(rna@L, labs@L) ->"


TASK = {"kind": "classification", "name": "target", "labels": ["no", "yes"]}


def test_designs_are_chosen_by_what_is_asked_for_and_scored_by_the_metric(tmp_path):
    """The better one ranks well but is far too sure of itself, so the loss takes the other one."""
    designs = [("rna", 0.3, "best_unimodal"), (FUSED, 1.2, None), (OTHER, 2.5, None), ("labs", -1.0, None)]
    trials = planted_trials(tmp_path, designs, objectives=("auroc", "log_loss", "macs"))
    path = predictions_file(tmp_path, "candidate2")
    arrays = dict(np.load(path))
    odds = arrays["probabilities"].astype(float) ** 20
    np.savez(path, **{**arrays, "probabilities": odds / odds.sum(axis=1, keepdims=True)})
    values = {**trials.records[2].values, "log_loss": 3.0}
    sure = replace(trials.records[2], values=values, objectives=values, details={})
    records = [*trials.records[:2], sure, *trials.records[3:]]
    trials = replace(trials, records=records, config={**trials.config, "evaluator": {"data": {"task": TASK}}})
    by_metric, by_loss, by_both = (answer(replace(trials, select=how)) for how in ("metric", "loss", "both"))
    assert (by_metric.search.trials, by_loss.search.trials, by_both.search.trials) == ((0, 2), (0, 1), (0, 1))
    assert (by_metric.pick.trial, by_loss.pick.trial) == (2, 1)
    assert by_metric.metric == by_loss.metric == "auroc"
    assert by_metric.pick.score - by_loss.pick.score == pytest.approx(by_metric.pick.plain - by_loss.pick.plain, abs=0.02)
    assert by_metric.search.difference > by_loss.search.difference > 0


def test_a_planted_gain_is_claimed_for_fusion_and_for_searching(tmp_path):
    designs = [("rna", 0.3, "best_unimodal"), ("labs", 0.2, "best_unimodal"), (FUSED, 1.0, "late"), (OTHER, 2.5, None)]
    found = answer(planted_trials(tmp_path, designs))
    assert (found.fusion.outcome, found.search.outcome) == ("gain", "gain")
    assert found.fusion.trials == (0, 3)
    assert found.search.designs == ("graph2", "graph3")
    low, high = found.search.interval
    assert 0 < low < found.search.difference < high
    assert found.pick.trial == 3
    assert found.pick.interval[0] < found.pick.score < found.pick.interval[1]


@pytest.mark.parametrize("metric", ["balanced_accuracy", "sensitivity", "specificity", "ece"])
def test_each_class_metric_has_an_interval_where_it_is_the_objective(tmp_path, metric):
    designs = [("rna", 0.0, "best_unimodal"), ("labs", 0.2, "best_unimodal"), (FUSED, 1.0, "late"), (OTHER, 3.0, None)]
    trials = planted_trials(tmp_path, designs, objectives=(metric, "macs"))
    found = answer(trials)
    assert found.metric == metric
    for step in (found.constant, found.fusion, found.search):
        assert step.outcome != "not estimable"
        assert step.interval[0] <= step.difference <= step.interval[1]
    assert found.pick.interval[0] <= found.pick.score <= found.pick.interval[1]
    if metric == "balanced_accuracy":
        assert found.fusion.interval[0] < found.fusion.interval[1]
        assert found.fusion.outcome == "gain"
        kept = np.load(predictions_file(tmp_path, "candidate3"))
        called = kept["probabilities"].argmax(axis=1)
        recalls = [np.mean(called[kept["targets"] == code] == code) for code in (0, 1)]
        assert found.pick.interval[0] < np.mean(recalls) < found.pick.interval[1]


def test_fusion_may_help_where_searching_adds_nothing(tmp_path):
    designs = [("rna", 0.3, "best_unimodal"), ("labs", 0.3, None), (FUSED, 2.0, "late"), *[(OTHER, 2.0, None)] * 6]
    found = answer(planted_trials(tmp_path, designs))
    assert (found.fusion.outcome, found.search.outcome) == ("gain", "no clear gain")


def test_fusion_may_be_a_loss(tmp_path):
    found = answer(planted_trials(tmp_path, [("rna", 2.5, None), (FUSED, 0.4, "late"), (OTHER, 0.5, None)]))
    assert (found.fusion.outcome, found.search.outcome) == ("loss", "loss")
    assert found.fusion.difference < 0


def test_a_single_modality_of_the_search_counts_as_one(tmp_path):
    """Of all that were tried, not of those alone that were proposed as references."""
    found = answer(planted_trials(tmp_path, [("rna", 0.2, "best_unimodal"), ("labs", 2.0, None), (FUSED, 1.0, "late"), (OTHER, 1.0, None)]))
    assert found.fusion.trials[0] == found.search.trials[0] == 1
    assert found.fusion.outcome == "loss"


@pytest.mark.parametrize("folds", [1, pytest.param(5, marks=pytest.mark.slow)])
def test_of_equal_designs_none_is_claimed_though_the_best_of_many_looks_better(tmp_path, folds):
    claims = 0
    for seed in range(8):
        designs = [("rna", 0.0, "best_unimodal"), ("labs", 0.0, "best_unimodal"), (FUSED, 0.0, "late"), *[(OTHER, 0.0, None)] * 20]
        trials = planted_trials(tmp_path / str(seed), designs, rows=150, folds=folds, seed=seed)
        best, first = trials.feasible[0], trials.records[0]
        assert best.value("auroc") > first.value("auroc")
        found = answer(trials)
        claims += (found.fusion.outcome == "gain") + (found.search.outcome == "gain")
    assert claims <= 1


def test_the_score_after_selection_is_below_the_plain_one_where_luck_chose(tmp_path):
    lucky, honest = [], []
    for seed in range(6):
        trials = planted_trials(tmp_path / str(seed), [(OTHER, 0.0, None)] * 40, rows=120, folds=1, seed=seed)
        true = np.mean([record.value("auroc") for record in trials.records])  # all are equally good
        found = answer(trials)
        lucky.append(found.pick.plain - true)
        honest.append(found.pick.score - true)
    assert np.mean(lucky) > 0.05
    assert abs(np.mean(honest)) < 0.02


def test_an_error_metric_gains_where_it_falls(tmp_path):
    designs = [("rna", 0.0, "best_unimodal"), ("labs", 0.0, None), (FUSED, 2.5, None)]
    found = answer(planted_trials(tmp_path, designs, objectives=("log_loss", "macs")))
    assert found.fusion.outcome == "gain"
    assert found.fusion.difference > 0


def test_nothing_is_a_gain_on_the_way_to_a_guess(tmp_path):
    """Single modalities that are worse than a guess are no yardstick: what is gained over them is not worth a claim."""
    designs = [("rna", -3.0, "best_unimodal"), ("labs", -3.0, None), (FUSED, 0.0, "late"), (OTHER, 0.0, None)]
    found = answer(planted_trials(tmp_path, designs, rows=150))
    assert found.constant.outcome == "no clear gain"
    assert found.may_be_a_guess
    assert found.fusion.interval[0] > 0
    assert (found.fusion.outcome, found.fusion.reason) == ("no clear gain", "no design is clearly better than a constant guess")


def test_nor_is_a_team_recommended_where_a_guess_may_be_as_good(tmp_path):
    """Designs that are too sure of themselves: by the loss the mean of them is better than each, and a guess is better than all."""
    designs = [(formula, 0.3 * skill, role) for formula, skill, role in TEAMED]
    found = answer(planted_trials(tmp_path, designs, rows=900, objectives=("log_loss", "macs")))
    assert found.may_be_a_guess
    assert found.team.interval[0] > 0
    assert not found.team.recommended


def test_a_gain_of_fusion_needs_every_modality_alone(tmp_path):
    """The one that was not tried may be as good; what is no gain over one of them is none over all."""
    found = answer(planted_trials(tmp_path / "gain", [("rna", 0.3, "best_unimodal"), (FUSED, 3.0, "late")]))
    assert (found.fusion.outcome, found.fusion.reason) == ("not estimable", "labs alone was not evaluated")
    assert (found.fusion.difference, found.fusion.interval) == (None, None)
    lost = answer(planted_trials(tmp_path / "loss", [("rna", 3.0, "best_unimodal"), (FUSED, 0.3, "late")]))
    assert lost.fusion.outcome == "loss"


def test_class_metrics_are_scored_with_the_classes_that_an_export_takes(tmp_path):
    """A rare class, and probabilities that are honest: the most probable class is always the common one, at the threshold it is not."""
    designs = [("rna", 0.0, "best_unimodal"), ("labs", 0.0, None), (FUSED, 1.5, "late")]
    trials = planted_trials(tmp_path, designs, rows=900, objectives=("balanced_accuracy", "macs"))
    for number in range(len(designs)):
        path = predictions_file(tmp_path, f"candidate{number}")
        arrays = dict(np.load(path))
        rows = (arrays["targets"] == 0) | (np.arange(900) % 6 == 0)
        odds = arrays["probabilities"][rows].astype(float) * [0.97, 0.03]
        held = {name: values[rows] for name, values in arrays.items() if name != "probabilities"}
        np.savez(path, **held, probabilities=odds / odds.sum(axis=1, keepdims=True))
    found = answer(trials)
    kept = read_kept(tmp_path, trials.records)
    assert METRICS["balanced_accuracy"](kept.targets, kept.outputs[2]) < 0.53
    assert found.constant.difference > 0.1
    assert (found.constant.outcome, found.fusion.outcome) == ("gain", "gain")


def test_better_than_a_constant_guess_or_not(tmp_path):
    good = answer(planted_trials(tmp_path / "good", [("rna", 2.0, None)]))
    assert (good.constant.outcome, good.constant.trials) == ("gain", (None, 0))
    assert good.constant.difference == pytest.approx(good.pick.score - 0.5, abs=0.01)
    useless = answer(planted_trials(tmp_path / "bad", [("rna", 0.0, None), (FUSED, 0.0, None)]))
    assert useless.constant.outcome == "no clear gain"
    unsure = answer(planted_trials(tmp_path / "loss", [("rna", -1.0, None)], objectives=("log_loss",)))
    assert unsure.constant.outcome == "loss"
    untold = answer(planted_trials(tmp_path / "old", [("rna", 2.0, None)], constant=None))
    assert untold.constant.reason == "the run does not tell the constant prediction"


def test_the_designs_that_a_look_compares_are_those_that_the_answers_name(tmp_path):
    designs = [("rna", 0.3, "best_unimodal"), ("labs", 0.5, None), (FUSED, 1.0, "late"), (OTHER, 2.5, None), (OTHER, 2.0, None)]
    trials = planted_trials(tmp_path, designs)
    found, sides = answer(trials), sides_of(trials)
    assert {key: tuple(record.number for record in pair) for key, pair in sides.items()} == {"fusion": (1, 3), "search": (2, 3)}
    assert (found.fusion.trials, found.search.trials) == ((1, 3), (2, 3))
    assert list(sides_of(replace(trials, records=trials.records[:3]))) == ["fusion"]
    assert sides_of(replace(trials, records=[trials.records[0], *trials.records[2:]])) == {}  # labs alone was not evaluated


def test_missing_predictions_are_never_a_claim(tmp_path):
    trials = planted_trials(tmp_path, [("rna", 0.0, "best_unimodal"), (FUSED, 3.0, None)])
    predictions_file(tmp_path, "candidate1").unlink()
    found = answer(trials)
    assert (found.fusion.outcome, found.search.outcome) == ("not estimable", "not estimable")
    assert found.fusion.reason == found.pick.reason == "no predictions of trial 1 were kept"
    assert found.fusion.designs == ("graph0", "graph1")
    assert (found.pick.trial, found.pick.score) == (1, None)
    assert found.pick.plain > 0.9


def test_what_was_chosen_on_the_kept_predictions_is_not_estimated_from_them(tmp_path):
    trials = planted_trials(tmp_path, [("rna", 0.0, "best_unimodal"), (FUSED, 3.0, None)])
    found = answer(replace(trials, decision={"strategy": "pareto-ensemble", "candidate": "candidate1", "chosen_on_predictions": True}))
    assert found.fusion.outcome == "not estimable"
    assert found.fusion.reason == "the strategy chose its networks on the same predictions"


UNSEARCHED = "no design beyond the references was evaluated"
ONE_TRIAL = f"{UNSEARCHED}, as they took its only trial: more trials try others"


@pytest.mark.parametrize(
    ("designs", "fusion", "search"),
    [
        (
            [("rna", 1.0, "best_unimodal")],
            "no design that fuses was evaluated",
            ONE_TRIAL,
        ),
        ([(FUSED, 1.0, "late"), ("rna", 1.0, "late")], None, f"{UNSEARCHED}, as they took all 2 trials: more trials try others"),
        ([("rna", 1.0, "best_unimodal"), ("labs", 1.0, None)], "no design that fuses was evaluated", UNSEARCHED),
        ([(FUSED, 1.0, "late")], "no single modality was evaluated", ONE_TRIAL),
        ([(FUSED, 1.0, None)], "no single modality was evaluated", "no reference was evaluated"),
        ([], "no single modality was evaluated", "no reference was evaluated"),
    ],
)
def test_a_side_without_designs_is_said(tmp_path, designs, fusion, search):
    found = answer(planted_trials(tmp_path, designs))
    assert (found.fusion.reason, found.search.reason) == (fusion, search)


def test_too_few_rows_of_a_class_are_said(tmp_path):
    trials = planted_trials(tmp_path, [("rna", 0.0, "best_unimodal"), (FUSED, 3.0, None)], rows=12, folds=6)
    found = answer(trials)
    assert found.fusion.outcome in ("no clear gain", "not estimable")


def test_what_ranks_far_behind_is_not_drawn(tmp_path, monkeypatch):
    designs = [("rna", 0.5, None), ("labs", 0.4, None), *[(OTHER, skill, None) for skill in (2.0, 0.1, 0.2, 0.3)]]
    trials = planted_trials(tmp_path, designs, rows=100)
    monkeypatch.setattr("fusearch.inference.claims.CONTENDERS", 2)
    (last,) = [record for record in trials.records if record.value("auroc") == min(each.value("auroc") for each in trials.records[2:])]
    predictions_file(tmp_path, last.candidate).unlink()
    assert answer(trials).fusion.outcome == "gain"


def test_it_is_the_same_each_time_and_json(tmp_path):
    trials = planted_trials(tmp_path, [("rna", 0.5, "best_unimodal"), (FUSED, 1.0, None)])
    assert answer(trials) == answer(trials)
    told = json.loads(json.dumps(answer(trials).to_dict(), allow_nan=False))
    assert set(told) == {"metric", "constant", "fusion", "search", "pick", "team"}
    assert set(told["fusion"]) >= {"outcome", "difference", "interval", "designs"}


def test_what_a_race_stopped_leaves_every_answer_estimable_and_as_it_was(tmp_path):
    designs = [("rna", 0.3, "best_unimodal"), ("labs", 0.2, "best_unimodal"), (FUSED, 1.0, "late"), (OTHER, 2.5, None)]
    trials = planted_trials(tmp_path, designs)
    members = [{"fold": 0, "seed": 0, "metrics": {"auroc": 0.99}}]
    raced = TrialRecord(
        number=9, state="pruned", formula=OTHER, digest="graph9", candidate="candidate9", details={"members": members}, raced={"folds": 1}
    )
    assert answer(replace(trials, records=[*trials.records, raced])) == answer(trials)
    assert answer(trials).search.outcome == "gain"
    unsearched = answer(replace(trials, records=[*trials.records[:3], raced])).search
    assert unsearched.outcome == "not estimable"
    assert unsearched.reason == "no design beyond the references was evaluated to the end, as races stopped all 1"
