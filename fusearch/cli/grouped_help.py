"""Help in groups: what, how long, where, advanced (decision 0106)."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from fusearch.settings import GROUPS

__all__ = ["GroupedCommand"]

#: Where options stand that belong to no group.
_OTHERS = "Options"


class GroupedCommand(TyperCommand):
    """A command whose help lists its options by their `rich_help_panel`, in plain text; arguments are words without a type."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what stands behind the name of the command: one that may be left out stands in brackets."""
        named = [(_word_of(param), param.required) for param in self.get_params(ctx) if param.param_type_name == "argument"]
        return ["[OPTIONS]", *(word if required else f"[{word}]" for word, required in named)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], **{group: [] for group in GROUPS}, _OTHERS: []}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                if param.param_type_name == "argument":
                    sections["Arguments"].append((_word_of(param), record[1]))
                else:
                    sections[getattr(param, "rich_help_panel", None) or _OTHERS].append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def _word_of(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())
