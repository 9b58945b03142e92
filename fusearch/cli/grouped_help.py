"""Help in groups: what, how long, where, advanced (decision 0106)."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from fusearch.settings import GROUPS

__all__ = ["GroupedCommand"]

#: Where options stand that belong to no group.
_OTHERS = "Options"


class GroupedCommand(TyperCommand):
    """A command whose help lists its options by their `rich_help_panel`, in plain text."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], **{group: [] for group in GROUPS}, _OTHERS: []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                named = "Arguments" if param.param_type_name == "argument" else getattr(param, "rich_help_panel", None)
                sections[named or _OTHERS].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
