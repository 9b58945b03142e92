"""Which column joins the tables of a folder: by what it holds, not by its name alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from fusearch.data.drafting.found import FoundTable, Holdings
from fusearch.data.drafting.named_by_id import group_by_id
from fusearch.data.drafting.telling import ID_NAME
from fusearch.data.files.ids import near_miss

__all__ = ["Joined", "join_tables", "share_of_ids"]

#: Share of the ids of the smaller side that two tables have in common.
_IN_COMMON = 0.5


@dataclass
class Joined:
    """How the tables of a folder belong together.

    Attributes:
        id: The column that joins them; None where nothing does.
        ids: Ids of the samples, in the order of the labels.
        others: Tables beside the labels that have it.
        why: What speaks for that column.
        notes: Tables that were left out, and why.
    """

    id: str | None
    ids: list[str]
    others: list[FoundTable] = field(default_factory=list)
    why: str = ""
    notes: list[str] = field(default_factory=list)


def join_tables(labels: FoundTable, found: Holdings, targets: Collection[str]) -> Joined:
    """Return which column of the labels joins the other tables and the names of files."""
    others = [table for table in found.tables if table is not labels]
    best, score = None, (-1, -1, -1, -1)
    for position, column in enumerate(labels.columns):
        ids = None if column in targets or labels.frame[column].dtype.kind == "f" else labels.distinct(column)
        if ids is None or _is_prose(ids):
            continue
        joined = [table for table in others if column in table.columns and share_of_ids(ids, table, column) >= _IN_COMMON]
        files = group_by_id(found.folder, found.singles[:200], ids)
        named = bool(ID_NAME.search(column))
        worth = (len(joined) + bool(files.groups or files.unclear), int(named), int(not all(text.isdecimal() for text in ids)), -position)
        if worth > score and (worth[0] or named or worth[2]):
            why = f"each row of {labels.called} has its own"
            why += f", and {', '.join(table.called for table in joined)} {'has' if len(joined) == 1 else 'have'} the same" if joined else ""
            best, score = Joined(column, ids, joined, why), worth
    if best is None:
        return Joined(None, [])
    best.notes = [_left_out(table, best) for table in others if table not in best.others]
    return best


def _is_prose(ids: Sequence[str]) -> bool:
    return sum(text.count(" ") for text in ids) > 2 * len(ids) or max(map(len, ids)) > 100 or all("/" in text for text in ids)


def share_of_ids(ids: Sequence[str], table: FoundTable, column: str) -> float:
    """Return which share of the ids a column of a table holds, of the smaller side."""
    theirs = {text for text in table.texts(column) if text is not None}
    return len(theirs & set(ids)) / max(1, min(len(theirs), len(ids)))


def _left_out(table: FoundTable, joined: Joined) -> str:
    """Say why a table is not joined."""
    if joined.id in table.columns:
        theirs = [text for text in table.texts(joined.id or "") if text is not None]
        hint = near_miss(joined.ids, theirs)
        return f"{table.called}: its {joined.id!r} names other samples" + (f"; {hint}" if hint else "")
    same = [name for name in table.columns if table.frame[name].dtype.kind != "f" and share_of_ids(joined.ids, table, name) >= _IN_COMMON]
    if same:
        return f"{table.called}: its {same[0]!r} holds what the labels call {joined.id!r}; give both one name"
    return f"{table.called}: no column {joined.id!r}, so it is joined to nothing"
