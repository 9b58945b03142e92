"""Progress values."""

from fusearch.contracts import Objective
from fusearch.search.progress import Progress, best_values


def test_best_value_of_each_objective_by_its_direction():
    objectives = [Objective.parse("auroc"), Objective.parse("macs")]
    assert best_values([[0.7, 30], [0.9, 50], [0.8, 10]], objectives) == {"auroc": 0.9, "macs": 10}
    assert best_values([], objectives) == {}


def test_progress_is_a_value():
    assert Progress(1, 0, 0, 0, 5) == Progress(done=1, running=0, failed=0, repeated=0, total=5)
