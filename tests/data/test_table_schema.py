import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusearch.data.table_schema import TableSchema, encode_table, restrict_levels
from fusearch.errors import DataError


def test_numbers_come_first_and_levels_are_codes() -> None:
    frame = pd.DataFrame({"sex": ["m", "f", None], "age": [30, None, 50], "smoker": [True, False, True]})
    values, schema = encode_table(frame, categorical=["sex"], place="clinical.csv")
    assert schema == TableSchema(("age", "smoker"), {"sex": ("f", "m")})
    np.testing.assert_array_equal(values, np.array([[30, 1, 1], [np.nan, 0, 0], [50, 1, np.nan]], np.float32))
    assert schema.width == 4
    assert schema.columns == ("age", "smoker", "sex")
    assert schema.features == ("age", "smoker", "sex=f", "sex=m")


@given(st.lists(st.sampled_from(["a", "b", "c", "d", None]), min_size=4, max_size=30), st.data())
def test_levels_come_from_the_rows_that_count(levels: list[str | None], data: st.DataObject) -> None:
    values, schema = encode_table(pd.DataFrame({"x": pd.Series(levels, dtype=object)}), categorical=["x"], place="t")
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, len(levels) - 1), min_size=1))))
    kept, smaller = restrict_levels(values, schema, rows)
    assert set(smaller.categorical["x"]) == {levels[row] for row in rows} - {None}
    for level, code in zip(levels, kept[:, 0], strict=True):
        if level is None:
            assert np.isnan(code)
        elif level in smaller.categorical["x"]:
            assert smaller.categorical["x"][int(code)] == level
        else:
            assert code == -1


def test_an_unknown_level_is_no_level() -> None:
    schema = TableSchema((), {"sex": ("f", "m")})
    assert schema.encode(pd.DataFrame({"sex": ["x", "m"]}), place="t")[:, 0].tolist() == [-1, 1]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (
            pd.DataFrame({"sex": ["m", "f"]}),
            r"t.csv: column 'sex' holds 'm', 'f', first in row 1; expected finite numbers \(or 'sex' under `categorical`",
        ),
        (pd.DataFrame({"a": [1.0, np.inf]}), "t.csv: column 'a' holds 'inf' in row 2; expected finite numbers"),
        (pd.DataFrame({"a": [1.0, 1e300]}), r"t.csv: column 'a' holds '1e\+300' in row 2; expected finite numbers"),
        (pd.DataFrame({"a": pd.to_datetime(["2020-01-01", "2020-01-02"])}), "t.csv: column 'a' holds '2020-01-01.*expected finite numbers"),
        (pd.DataFrame(index=range(3)), "t.csv: the table has no column beside the id, expected at least one"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "t.csv: column 'a' stands there twice, expected one column of each name"),
    ],
)
def test_messages(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        encode_table(frame, place="t.csv")


def test_the_name_of_a_column_may_be_a_number() -> None:
    assert encode_table(pd.DataFrame(np.eye(2)), place="t")[1].numeric == ("0", "1")
