import pytest

from fusearch.errors import FormulaError, FusearchError, nearest, suggestion


def test_suggestion_names_the_nearest() -> None:
    assert suggestion("catt", ["cat", "sum"]) == "did you mean 'cat'?"
    assert nearest("CAT", ["cat", "sum"]) == "cat"


def test_suggestion_lists_all_where_nothing_is_close() -> None:
    assert suggestion("zzz", ["cat", "sum"]) == "expected one of: cat, sum"
    assert suggestion("zzz", []) == "expected one of: (nothing)"


def test_formula_error_draws_a_caret() -> None:
    error = FormulaError("unexpected ','", "F1 = cat(,)", 9)
    assert str(error).splitlines() == ["unexpected ','", "  F1 = cat(,)", "           ^"]


@pytest.mark.parametrize("name", [name for name in __import__("fusearch.errors").errors.__all__ if name.endswith("Error")])
def test_one_tree(name: str) -> None:
    import fusearch.errors

    assert issubclass(getattr(fusearch.errors, name), FusearchError)


def test_of_very_many_names_the_first_are_told() -> None:
    names = [f"ENSG{number:05}" for number in range(2000)]
    told = suggestion("sex", names)
    assert told.startswith("expected one of: ENSG00000, ENSG00001, ")
    assert told.endswith(", ENSG00099, ... (2,000 in all)")
    assert suggestion("sex", names[:3]) == "expected one of: ENSG00000, ENSG00001, ENSG00002"
