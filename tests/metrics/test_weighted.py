"""The law of the weighted forms: a metric with weights is the metric of the rows repeated that often."""

import numpy as np
import pytest

from fusearch.metrics import METRICS, metrics_of

KINDS = ("classification", "regression", "multilabel", "survival")
TIMES = ("2", "4", "7.1", "12")


def drawn(rng, name, rows, *, tied):
    """Return targets and outputs as the metric takes them; of three classes where the name says so."""
    if "regression" in METRICS[name].kinds:
        targets, outputs = rng.normal(size=rows), rng.normal(size=rows)
        return (targets.round(), outputs.round()) if tied else (targets, outputs)
    if "multilabel" in METRICS[name].kinds:
        outputs = rng.random((rows, 3))
        return rng.integers(0, 2, (rows, 3)).astype(np.float32), outputs.round(1) if tied else outputs
    if "survival" in METRICS[name].kinds:
        times, survival = rng.exponential(10, rows) + 0.5, np.sort(rng.random((rows, len(TIMES))), axis=1)[:, ::-1]
        times, survival = (np.ceil(times / 3), survival.round(1)) if tied else (times, survival)
        outputs = np.column_stack([1 - survival.mean(axis=1), survival])
        return np.stack([times, rng.integers(0, 2, rows)], axis=1).astype(np.float32), outputs
    num_classes = int(rng.integers(2, 5))
    outputs = rng.dirichlet(np.ones(num_classes), rows)
    if tied:
        outputs = np.round(outputs * 4) + 1.0
        outputs /= outputs.sum(axis=1, keepdims=True)
    return rng.integers(0, num_classes, rows), outputs


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(
    "name", [each.name for kind in ("classification", "regression", "multilabel", "survival") for each in metrics_of(kind)]
)
def test_a_metric_with_weights_is_that_of_repeated_rows(name, tied):
    if name in {each.name for each in metrics_of("survival")}:
        pytest.importorskip("sksurv", reason="needs fusearch[survival]")
    rng = np.random.default_rng(7)
    for rows in (1, 2, 3, 8, 40):
        targets, outputs = drawn(rng, name, rows, tied=tied)
        weights = rng.integers(0, 4, (rows, 12)).astype(float)
        weights[:, 0] = 0.0
        weights[:, 1] = 1.0
        found = METRICS[name].on_draws(targets, outputs, weights, TIMES)
        for draw, counts in enumerate(weights.T.astype(int)):
            repeated = np.repeat(np.arange(rows), counts)
            expected = METRICS[name](targets[repeated], outputs[repeated], TIMES) if len(repeated) else np.nan
            np.testing.assert_allclose(found[draw], expected, rtol=1e-10, atol=1e-12, err_msg=f"{name}, draw {draw}")


@pytest.mark.parametrize("events", [0, 1, 2])
@pytest.mark.parametrize("name", [each.name for each in metrics_of("survival")])
def test_rows_with_few_events_have_the_same_value_both_ways_and_without_any_none(name, events):
    pytest.importorskip("sksurv", reason="needs fusearch[survival]")
    rng = np.random.default_rng(5)
    for rows in (1, 3, 8, 40):
        for _ in range(20):
            targets, outputs = drawn(rng, name, rows, tied=True)
            targets[:, 1] = np.arange(rows) < events
            found = METRICS[name].on_draws(targets, outputs, np.ones((rows, 1)), TIMES)[0]
            np.testing.assert_allclose(found, METRICS[name](targets, outputs, TIMES), rtol=1e-10, err_msg=name)
            assert events or np.isnan(found)


@pytest.mark.parametrize("name", ["r2", "spearman", "auroc", "mcc"])
def test_what_does_not_vary_is_undefined_or_says_nothing(name):
    targets = np.array([1.0, 1.0, 1.0]) if name in ("r2", "spearman") else np.array([1, 1, 1])
    outputs = np.array([0.1, 0.2, 0.3]) if name in ("r2", "spearman") else np.array([[0.4, 0.6]] * 3)
    assert np.isnan(METRICS[name].on_draws(targets, outputs, np.ones((3, 2)))).all()


def test_a_metric_of_ones_own_without_a_weighted_form_repeats_rows():
    from fusearch.metrics import metric

    @metric("lowest_hit", direction="maximize", kinds="regression")
    def lowest_hit(targets, outputs):
        return float(np.min(outputs * targets))

    try:
        values = METRICS["lowest_hit"].on_draws(np.array([1.0, 2.0]), np.array([3.0, -1.0]), np.array([[1.0, 1.0, 0.0], [0.0, 2.0, 0.0]]))
        np.testing.assert_array_equal(values, [3.0, -2.0, np.nan])
    finally:
        METRICS.remove("lowest_hit")
