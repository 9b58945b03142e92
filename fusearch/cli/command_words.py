"""The words that a command was called with, so that a run can tell how it was made."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

__all__ = ["RememberingGroup", "words_of_command"]

_KEY = "fusearch.words"


class RememberingGroup(TyperGroup):
    """A group of commands that keeps its words in the context, as they were typed."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[_KEY] = ["fusearch", *args]
        return super().parse_args(ctx, args)


def words_of_command(context: typer.Context) -> list[str] | None:
    """Return the words of the running command, the program's name first."""
    words: list[str] | None = context.meta.get(_KEY)
    return words
