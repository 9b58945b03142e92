from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fusearch.contracts import Objective
from fusearch.reports.findings.influence import Influence, influence_of_choices, influence_sentence
from fusearch.study import TrialRecord
from fusearch.trials import Trials

OPERATORS = ("cat", "sum", "product", "film", "gated_unit")
CONFIG = {"space": {"modalities": [{"name": name, "kind": "tabular", "shape": [8]} for name in ("a", "b")]}}


def trials(value: Callable[[str, int, float, float], float], graphs: int = 60, metric: str = "auroc") -> Trials:
    """Return trials of designs whose value hangs on operator, depth, a number of the recipe, and chance."""
    rng = np.random.default_rng(0)
    records = []
    for number in range(graphs):
        operator, depth, dropout = OPERATORS[rng.integers(5)], int(rng.integers(0, 3)), float(rng.uniform())
        formula = f"a:mlp | b:mlp; F1 = {operator}(a@{depth}, b@1; trunk=fc:1) ->"
        scored = value(operator, depth, dropout, float(rng.normal()))
        record = TrialRecord(
            formula,
            f"g{number}",
            f"c{number}",
            {"dropout": dropout, "width": 32},
            number=number,
            state="complete",
            objectives={metric: scored},
            values={metric: scored},
        )
        records.append(record)
    return Trials(records, (Objective.parse(metric),), CONFIG)


def test_the_choice_that_decides_comes_first_and_its_interval_is_above_zero() -> None:
    found = influence_of_choices(trials(lambda operator, depth, dropout, noise: OPERATORS.index(operator) + 0.2 * noise))
    assert found.explained is not None
    assert found.explained > 0.7
    assert found.choices[0].choice == "Operator"
    assert found.choices[0].low > 0.3
    others = {each.choice: each for each in found.choices[1:]}
    assert abs(others["Dropout"].share) < 0.1
    assert "Width" not in others  # all the same
    assert influence_sentence(found).endswith("the search decides what is tried.")


def test_a_number_of_the_recipe_is_a_choice_whatever_direction_is_better() -> None:
    found = influence_of_choices(trials(lambda operator, depth, dropout, noise: dropout + 0.02 * noise, metric="log_loss"))
    assert found.choices[0].choice == "Dropout"


def test_chance_is_not_told_as_influence() -> None:
    found = influence_of_choices(trials(lambda operator, depth, dropout, noise: noise))
    assert found.explained is not None
    assert (found.explained < 0, found.choices) == (True, ())
    assert found.reason == "the choices do not tell which trials did well"


def test_a_few_designs_tell_nothing() -> None:
    assert influence_of_choices(trials(lambda *_: 0.5, graphs=5)) == Influence(None, (), 5, "5 designs are too few to tell, 20 are needed")
    assert influence_of_choices(Trials([], (Objective.parse("auroc"),))).trials == 0


def test_the_same_trials_tell_the_same() -> None:
    made = trials(lambda operator, depth, dropout, noise: depth + 0.5 * noise)
    assert influence_of_choices(made) == influence_of_choices(made)
