import numpy as np
import pytest
from planted_runs import planted_trials

from fusearch.inference.kept import NotEstimableError, read_kept
from fusearch.layout import predictions_file

DESIGNS = [("rna", 1.0, "best_unimodal"), ("F1 = cat(rna@L, labs@L) ->", 1.0, None)]


def test_seeds_of_a_fold_are_averaged(tmp_path):
    trials = planted_trials(tmp_path, DESIGNS, rows=40, seeds=3)
    kept = read_kept(tmp_path, trials.records)
    assert kept.outputs.shape == (2, 40, 2)
    with np.load(predictions_file(tmp_path, "candidate1")) as file:
        row = file["probabilities"][file["rows"] == 7].astype(float)
    assert len(row) == 3
    np.testing.assert_allclose(kept.outputs[1, 7], row.mean(axis=0) / row.mean(axis=0).sum())


def test_designs_are_compared_on_the_seeds_that_all_had(tmp_path):
    """The mean of three networks is better than one for that alone."""
    trials = planted_trials(tmp_path, DESIGNS, rows=40, seeds=3)
    file = predictions_file(tmp_path, "candidate0")
    with np.load(file) as held:
        wanted = held["seed"] == 0
        np.savez(file, **{name: held[name][wanted] for name in held.files})
    first, second = trials.records
    first.details["members"] = [member for member in first.details["members"] if member["seed"] == 0]
    kept = read_kept(tmp_path, [first, second])
    with np.load(predictions_file(tmp_path, "candidate1")) as held:
        alone = held["probabilities"][(held["rows"] == 7) & (held["seed"] == 0)][0].astype(float)
    np.testing.assert_allclose(kept.outputs[1, 7], alone / alone.sum())
    every = read_kept(tmp_path, [second])
    assert not np.allclose(every.outputs[0, 7], alone / alone.sum()), "where it stands alone, all of its seeds count"


def test_rows_and_groups_come_in_one_order_whatever_the_files_have(tmp_path):
    trials = planted_trials(tmp_path, DESIGNS, rows=40, groups=4)
    before = read_kept(tmp_path, trials.records)
    file = predictions_file(tmp_path, "candidate1")
    with np.load(file) as held:
        order = np.random.default_rng(0).permutation(40)
        np.savez(file, **{name: held[name][order] for name in held.files})
    after = read_kept(tmp_path, trials.records)
    np.testing.assert_array_equal(after.outputs, before.outputs)
    np.testing.assert_array_equal(after.groups, np.arange(40) % 4)


def test_what_is_missing_broken_or_of_other_rows_is_said(tmp_path):
    trials = planted_trials(tmp_path, DESIGNS, rows=40)
    file = predictions_file(tmp_path, "candidate1")
    with np.load(file) as held:
        arrays = dict(held)
    np.savez(file, **{name: values[:30] for name, values in arrays.items()})
    with pytest.raises(NotEstimableError, match="trial 1 was not held out on the same rows as trial 0"):
        read_kept(tmp_path, trials.records)
    file.write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(NotEstimableError, match="the predictions of trial 1 cannot be read"):
        read_kept(tmp_path, trials.records)
    file.unlink()
    with pytest.raises(NotEstimableError, match="no predictions of trial 1 were kept"):
        read_kept(tmp_path, trials.records)
    with pytest.raises(NotEstimableError, match="no predictions of trial 0 were kept"):
        read_kept(None, trials.records)
    with pytest.raises(NotEstimableError, match="nothing was evaluated"):
        read_kept(tmp_path, [])
