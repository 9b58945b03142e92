import numpy as np

from fusearch.tasks.strata import quantile_strata


def test_numbers_are_stratified_by_quantiles() -> None:
    strata = quantile_strata(np.linspace(0, 1, 200, dtype=np.float32))
    assert np.bincount(strata).tolist() == [40] * 5
    assert quantile_strata(np.linspace(0, 1, 25, dtype=np.float32)).tolist() == [0] * 25
