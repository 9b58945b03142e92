from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from fusearch.contracts import Objective
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.parallel import ParallelAxis, Parallels, parallels_of
from fusearch.run import Run
from fusearch.study import TrialRecord
from fusearch.trials import Trials

MODALITIES = [{"name": name, "kind": "tabular", "shape": [4]} for name in ("rna", "labs")]
ALONE, FUSED = "rna:mlp; rna@L ->", "rna:mlp | labs:mlp; F1 = cat(rna@L, labs@L) ->"


def findings(trials: Sequence[tuple[str, float, float, dict[str, object]]]) -> Findings:
    records = [
        TrialRecord(
            formula,
            f"graph of {formula}",
            f"candidate{number}",
            recipe,
            number=number,
            state="complete",
            objectives={"auroc": auroc, "macs": macs},
            values={"auroc": auroc, "macs": macs},
        )
        for number, (formula, auroc, macs, recipe) in enumerate(trials)
    ]
    return Findings(Trials(records, (Objective.parse("macs"), Objective.parse("auroc")), {"space": {"modalities": MODALITIES}}))


def axis(found: Parallels, title: str) -> ParallelAxis:
    return next(each for each in found.axes if each.title == title)


def test_the_metric_comes_first_and_only_what_differs_has_an_axis() -> None:
    found = parallels_of(findings([(ALONE, 0.7, 10, {"width": 16, "dropout": 0.1}), (FUSED, 0.9, 1000, {"width": 32, "dropout": 0.1})]))
    assert [each.title for each in found.axes] == [
        "AUROC",
        "MACs",
        "Modalities",
        "Level",
        "How they enter",
        "Operators",
        "Fusions",
        "Width",
    ]
    assert found.trials == (0, 1)  # the worst first
    assert axis(found, "AUROC").places == (0.0, 1.0)
    assert axis(found, "MACs").places == (0.0, 1.0)
    assert [label for _, label in axis(found, "Width").ticks] == ["16", "32"]
    assert axis(found, "Width").places == (0.25, 0.75)
    assert {label for _, label in axis(found, "Modalities").ticks} == {"rna", "labs + rna"}


def test_a_large_cost_is_logarithmic_and_its_ends_are_told() -> None:
    found = parallels_of(findings([(ALONE, 0.7, 10, {}), (ALONE, 0.8, 100, {}), (FUSED, 0.9, 1000, {})]))
    assert axis(found, "MACs").places == pytest.approx((0.0, 0.5, 1.0))
    assert (axis(found, "MACs").ticks[0], axis(found, "MACs").ticks[-1]) == ((0.0, "10"), (1.0, "1.00\u202fk"))


def test_in_a_level_better_trials_lie_higher_and_levels_keep_apart() -> None:
    trials = [(ALONE if number % 2 else FUSED, 0.5 + number / 100, 10.0, {}) for number in range(40)]
    found = parallels_of(findings(trials))
    fusions = axis(found, "Fusions")
    assert fusions.ticks == ((0.25, "0"), (0.75, "1"))
    for level, rows in ((0, range(1, 40, 2)), (1, range(0, 40, 2))):
        places = [fusions.places[row] for row in rows]
        assert places == sorted(places)
        assert level / 2 < places[0] < places[-1] < (level + 1) / 2
    assert [found.fifths.count(fifth) for fifth in range(5)] == [8] * 5
    assert found.fifths[0] == 0


def test_a_number_of_few_values_is_a_level_each_in_its_order_and_a_choice_has_its_words() -> None:
    recipes = [{"width": 128, "class_weights": "none"}, {"width": 16, "class_weights": "balanced"}, {"width": 32, "class_weights": "none"}]
    found = parallels_of(findings([(FUSED, 0.7, 10, recipe) for recipe in recipes]))
    assert [label for _, label in axis(found, "Width").ticks] == ["16", "32", "128"]
    places = dict(zip(found.trials, axis(found, "Width").places, strict=True))
    assert places[1] < places[2] < places[0]
    assert {label for _, label in axis(found, "Class weights").ticks} == {"none", "balanced"}


def test_many_values_are_an_axis_of_numbers_and_many_levels_have_a_rest() -> None:
    recipes = [{"learning_rate": 10 ** (-1 - number / 10), "optimizer": f"kind{number % 15}"} for number in range(45)]
    found = parallels_of(findings([(FUSED, 0.7 + number / 1000, 10, recipe) for number, recipe in enumerate(recipes)]))
    places = axis(found, "Learning rate").places
    assert places == pytest.approx([1 - number / 44 for number in range(45)])  # logarithmic, as it spans decades
    labels = [label for _, label in axis(found, "Optimizer").ticks]
    assert labels[0] == "6 others"
    assert len(labels) == 10


def test_of_many_trials_some_are_drawn_with_both_ends_and_the_recommended_one(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(400))
    told = parallels_of(found)
    assert told.finished == 400
    assert 300 <= len(told.trials) <= 301
    ranked = [record.number for record in found.trials.evaluated]
    assert (told.trials[-1], told.trials[0]) == (ranked[0], ranked[-1])
    assert told.recommended == found.recommended.number if found.recommended is not None else False
    assert told.recommended in told.trials


def test_one_trial_or_a_formula_that_cannot_be_read_is_not_drawn() -> None:
    assert parallels_of(findings([(ALONE, 0.7, 10, {})])) == Parallels()
    assert parallels_of(findings([(ALONE, 0.7, 10, {}), ("F1 = alien(rna@L) ->", 0.8, 10, {})])) == Parallels()
