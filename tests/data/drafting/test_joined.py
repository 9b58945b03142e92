from __future__ import annotations

from pathlib import Path

import pandas as pd

from fusearch.data.drafting.found import FoundTable, Holdings
from fusearch.data.drafting.joined import join_tables

IDS = [f"p{row:02d}" for row in range(20)]


def table(name: str, **columns: object) -> FoundTable:
    return FoundTable(Path(name), None, pd.DataFrame(columns))


def join(labels: FoundTable, *others: FoundTable) -> object:
    return join_tables(labels, Holdings(Path(), [labels, *others]), ["y"])


def test_the_id_is_the_column_whose_values_are_the_same() -> None:
    labels = table("labels.csv", row=range(20), number=[f"n{row}" for row in range(20)], patient=IDS, y=[0, 1] * 10)
    rna = table("rna.csv", patient=IDS[::-1], number=[f"m{row}" for row in range(20)], g=range(20))
    found = join(labels, rna)
    assert (found.id, found.ids, found.others) == ("patient", IDS, [rna])  # type: ignore[attr-defined]


def test_tables_that_are_not_joined_say_why() -> None:
    labels = table("labels.csv", patient=IDS, y=[0, 1] * 10)
    renamed = table("a.csv", sample=IDS, g=range(20))
    upper = table("b.csv", patient=[name.upper() for name in IDS], g=range(20))
    alone = table("c.csv", g=[1.5] * 20)
    found = join(labels, renamed, upper, alone)
    assert found.id == "patient"  # type: ignore[attr-defined]
    assert found.notes == [  # type: ignore[attr-defined]
        "a.csv: its 'sample' holds what the labels call 'patient'; give both one name",
        "b.csv: its 'patient' names other samples; 20 more would match if upper and lower case did not count ('p00' and 'P00')",
        "c.csv: no column 'patient', so it is joined to nothing",
    ]


def test_without_names_nothing_joins() -> None:
    assert join(table("t.csv", x=[0.5, 1.5] * 10, y=[0, 1] * 10)).id is None  # type: ignore[attr-defined]
