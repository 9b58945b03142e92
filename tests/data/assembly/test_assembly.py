import numpy as np
import pytest

from fusearch.data.assembly.arrays import RawModality
from fusearch.data.assembly.assembly import assemble, divide, find_faults
from fusearch.data.dataset import Dataset
from fusearch.data.splits import SplitPlan
from fusearch.data.symbol_schema import SymbolSchema
from fusearch.data.table_schema import TableSchema
from fusearch.errors import DataError
from fusearch.tasks.classification import Classification

NAN = np.nan
TASK = Classification("y", ("a", "b"))
TARGETS = np.arange(40) % 2
IDS = np.array([f"p{row}" for row in range(40)])
SPLITS = np.array(["train"] * 20 + ["val"] * 10 + ["test"] * 10)


def table(values: np.ndarray, *names: str) -> RawModality:
    values = values.astype(np.float32)
    return RawModality(
        "tabular", values, np.ones(len(values), np.bool_), TableSchema(names or tuple(f"c{i}" for i in range(values.shape[1])))
    )


def random_table() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(40, 2))


def test_identical_rows_join_their_groups_so_that_they_cannot_be_parted() -> None:
    values = random_table()
    values[20:] = values[:20]
    groups = np.array([f"g{row}" for row in range(40)])
    for seed in range(5):
        split_of, joined = divide({"t": table(values)}, TARGETS, TASK, SplitPlan(seed=seed), groups)
        assert (split_of[20:] == split_of[:20]).all()
        assert joined is not None
        assert (joined[20:] == joined[:20]).all()


def test_rows_that_agree_in_one_modality_alone_stay_in_their_groups() -> None:
    values = random_table()
    values[20:] = values[:20]
    groups = np.array([f"g{row}" for row in range(40)])
    _, joined = divide({"t": table(values), "u": table(random_table())}, TARGETS, TASK, SplitPlan(), groups)
    assert joined is not None
    assert joined.tolist() == groups.tolist()


def test_levels_of_test_rows_do_not_widen_the_table() -> None:
    codes = np.array([0, 1] * 15 + [2] * 10, np.float32)[:, None]
    block = RawModality("tabular", codes, np.ones(40, np.bool_), TableSchema((), {"sex": ("f", "m", "x")}))
    data = Dataset.of(assemble("toy", {"t": block}, TARGETS, TASK, ids=IDS, plan=SplitPlan(given=SPLITS)))
    assert data.modality("t").shape == (2,)
    assert (data.raw["t"][30:] == -1).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.ones((40, 1)), "data set 'toy': modality 't': its one column 'c0' is constant, expected a column that varies"),
        (np.ones((40, 3)), "data set 'toy': modality 't': all of its 3 columns are constant, expected at least one that varies"),
        (np.where(np.arange(40) < 30, 1.0, 2.0)[:, None], "modality 't': its one column 'c0' is constant"),
    ],
)
def test_a_constant_modality_is_refused(values: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        assemble("toy", {"t": table(values)}, TARGETS, TASK, ids=IDS, plan=SplitPlan(given=SPLITS))


def test_every_broken_rule_is_found() -> None:
    values = random_table()
    values[35] = values[0]
    absent = RawModality("tabular", np.full((40, 1), np.nan, np.float32), np.zeros(40, np.bool_), TableSchema(("c",)))
    ids = IDS.copy()
    ids[7] = ids[4]
    groups = np.array([f"g{row % 10}" if row in (2, 12, 32) else f"h{row}" for row in range(40)])
    split_of = np.where(SPLITS == "train", "val", SPLITS)
    faults = find_faults({"t": table(values), "none": absent}, ids, split_of, groups)
    assert [(fault.severity, fault.where, fault.what) for fault in faults] == [
        ("error", "id", "id 'p4' stands in rows 5 and 8, expected each id once"),
        ("error", "splits.group", "group 'g2' stands in test and val, expected each group in one split"),
        ("error", "splits", "rows p0 and p35 are identical and stand in val and test, expected them in one split"),
        ("error", "splits", "no row is in the split 'train', expected at least one"),
        ("error", "modalities.none", "modality 'none': no sample has it, expected values for at least one"),
    ]


@pytest.mark.parametrize(("rows", "faults"), [([[0, 1], [0, NAN]] * 10, 0), ([[0, 1], [NAN, NAN]] * 10, 1)])
def test_sequences_that_differ_in_length_alone_are_not_constant(rows: list[list[float]], faults: int) -> None:
    values = np.array(rows, np.float32)
    modality = RawModality("sequence", values, ~np.isnan(values[:, 0]), symbols=SymbolSchema(("A", "C")))
    found = find_faults({"s": modality}, np.arange(20).astype(str), np.array(["train"] * 20), None)
    assert [fault.what for fault in found] == ["modality 's': all of its samples are the same, expected ones that differ"] * faults


def test_sound_data_have_no_faults() -> None:
    assert find_faults({"t": table(random_table())}, IDS, SPLITS, None) == []


def test_the_same_text_in_every_sample_is_constant() -> None:
    codes = np.array([[0, np.nan, np.nan]] * 4, np.float32)
    raw = RawModality("text", codes, np.ones(4, bool), symbols=SymbolSchema(("same",), 2))
    split_of = np.array(["train", "train", "val", "test"])
    (fault,) = find_faults({"note": raw}, np.array(list("abcd")), split_of, None)[-1:]
    assert fault.what == "modality 'note': all of its samples are the same, expected ones that differ"
