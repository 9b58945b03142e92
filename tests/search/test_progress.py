"""Progress values."""

import numpy as np

from fusearch import pareto
from fusearch.contracts import Objective, feasible
from fusearch.search.progress import Progress, Standing


def test_best_value_of_each_objective_by_its_direction():
    standing = Standing([Objective.parse("auroc"), Objective.parse("macs<=40")])
    assert (standing.best, standing.front) == ({}, 0)
    for point in ([0.7, 30], [0.9, 50], [0.8, 10]):
        standing.add(point)
    assert standing.best == {"auroc": 0.8, "macs": 10}
    assert standing.front == 1


def test_the_front_that_grows_by_each_result_is_that_of_all_results():
    objectives = [Objective.parse(text) for text in ("auroc", "macs<=8", "f1:max")]
    standing, points = Standing(objectives), []
    for point in np.random.default_rng(0).integers(0, 10, (200, 3)).tolist():  # many are equal
        standing.add(point)
        points += [point] if feasible(objectives, point) else []
        assert standing.front == pareto.is_nondominated(points, [objective.direction for objective in objectives]).sum()


def test_progress_is_a_value():
    assert Progress(1, 0, 0, 0, 5) == Progress(done=1, running=0, failed=0, repeated=0, total=5)
