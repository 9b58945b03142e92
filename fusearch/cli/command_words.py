"""The words that a command was called with, so that a run can tell how it was made."""

from __future__ import annotations

import os
from typing import Any

import typer
from typer.core import TyperGroup

from fusearch.registry import PLUGINS

__all__ = ["RememberingGroup", "words_of_command"]

_KEY = "fusearch.words"


class RememberingGroup(TyperGroup):
    """A group of commands that keeps its words in the context, as they were typed; plug-ins of the environment become options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = [word for path in filter(None, os.environ.get(PLUGINS, "").split(os.pathsep)) for word in ("--plugin", path)]
        ctx.meta[_KEY] = ["fusearch", *named, *args]
        return super().parse_args(ctx, args)


def words_of_command(context: typer.Context) -> list[str] | None:
    """Return the words of the running command, the program's name first."""
    words: list[str] | None = context.meta.get(_KEY)
    return words
