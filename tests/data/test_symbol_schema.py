from __future__ import annotations

import numpy as np

from fusearch.data.symbol_schema import SymbolSchema, fit_codes, match_symbols, restrict_symbols

NAN = np.nan
#: Words a to d: b in three rows, a and c in two, d in one; the last row is a test row.
VALUES = np.array([[1, 0, NAN, NAN], [1, 2, 1, 3], [NAN] * 4, [0, 2, 1, NAN], [3, 3, 3, 0]], np.float32)
SEARCH = np.arange(4)


def test_length_and_words_are_those_of_train_and_val() -> None:
    values, schema, cut = restrict_symbols(VALUES, SymbolSchema(("a", "b", "c", "d"), vocabulary=9, share=0.5), SEARCH)
    assert (schema.length, schema.names, cut) == (3, ("a", "b", "c"), 2)
    np.testing.assert_array_equal(values, np.array([[1, 0, NAN], [1, 2, 1], [NAN] * 3, [0, 2, 1], [-1, -1, -1]], np.float32))


def test_letters_stay_and_the_length_may_be_given() -> None:
    values, schema, cut = restrict_symbols(VALUES, SymbolSchema(("a", "b", "c", "d"), length=6), SEARCH)
    assert (schema.length, schema.names, cut) == (6, ("a", "b", "c", "d"), 0)
    np.testing.assert_array_equal(values[:, :4], VALUES)
    assert np.isnan(values[:, 4:]).all()
    assert restrict_symbols(VALUES, SymbolSchema(("a", "b", "c", "d"), most=2), SEARCH)[1].length == 2


def test_the_most_frequent_words_have_a_code() -> None:
    schema = SymbolSchema(("a", "b", "c", "d"), vocabulary=2)
    assert fit_codes(VALUES[:4], schema).tolist() == [3, 2, 1, 1], "of a and c, in two rows each, the first of the alphabet"
    assert fit_codes(VALUES[:1], schema).tolist() == [1, 1, 1, 1]
    assert fit_codes(VALUES[:1], SymbolSchema(("A", "C"))).tolist() == [2, 3]


def test_another_cohort_is_brought_into_our_codes() -> None:
    theirs = np.array([[0, 1, -1, NAN, NAN], [1, 1, 1, 1, 0]], np.float32)
    values, schema = match_symbols(SymbolSchema(("b", "c")), SymbolSchema(("a", "c")), theirs, 4)
    assert schema.names == ("b", "c", "a")
    np.testing.assert_array_equal(values, np.array([[2, 1, -1, NAN], [1, 1, 1, 1]], np.float32))
