import numpy as np

from fusearch.tasks.strata import joined_strata, quantile_strata


def test_numbers_are_stratified_by_quantiles() -> None:
    strata = quantile_strata(np.linspace(0, 1, 200, dtype=np.float32))
    assert np.bincount(strata).tolist() == [40] * 5
    assert quantile_strata(np.linspace(0, 1, 25, dtype=np.float32)).tolist() == [0] * 25


def test_a_few_numbers_beside_one_that_most_rows_have_are_no_stratum() -> None:
    assert np.unique(quantile_strata(np.repeat([0.0, 7.0], [2, 46]))).size == 1  # two masks of background alone
    assert np.unique(quantile_strata(np.repeat([0.0, 7.0], [10, 46])), return_counts=True)[1].tolist() == [10, 46]


def test_small_strata_are_joined_with_each_other_or_with_the_largest():
    assert joined_strata(np.repeat([0, 1, 2], [9, 3, 2])).tolist() == [0] * 9 + [1] * 5
    assert joined_strata(np.repeat([0, 1, 2], [9, 6, 2])).tolist() == [0] * 9 + [1] * 6 + [0] * 2
    assert joined_strata(np.repeat([0, 1], [9, 6])).tolist() == [0] * 9 + [1] * 6
