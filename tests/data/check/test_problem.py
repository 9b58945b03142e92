from fusearch.data.check.problem import Problem, worst_first


def test_errors_come_first_and_the_order_within_a_severity_stays() -> None:
    info, first, second, error = (
        Problem("info", "i", "x"),
        Problem("warning", "b", "x"),
        Problem("warning", "a", "x"),
        Problem("error", "e", "x"),
    )
    assert worst_first([info, first, second, error]) == (error, first, second, info)
