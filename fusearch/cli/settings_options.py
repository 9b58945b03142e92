"""Options made from `Settings`: what is declared there is an option here, with its type, range, default and words."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Container
from functools import wraps
from typing import Annotated, Any

import typer

from fusearch.settings import Setting, Settings

__all__ = ["with_settings"]


def with_settings(command: Callable[..., None], *, only: Container[str] | None = None) -> Callable[..., None]:
    """Give a command that takes `**settings` one option for each setting, or for some of them.

    Args:
        command: The command.
        only: Names of the settings that it takes; None: all.

    Example:
        >>> @with_settings
        ... def search(data: str, **settings: object) -> None: ...
        >>> list(inspect.signature(search).parameters)[:4]
        ['data', 'trials', 'time_limit', 'trial_time_limit']
    """
    signature = inspect.signature(command, eval_str=True)
    own = [parameter for parameter in signature.parameters.values() if parameter.kind is not inspect.Parameter.VAR_KEYWORD]

    @wraps(command)
    def wrapped(**options: Any) -> None:
        command(**options)

    options = [_option(setting) for setting in Settings.table() if setting.is_option and (only is None or setting.name in only)]
    wrapped.__signature__ = signature.replace(parameters=[*own, *options])  # type: ignore[attr-defined]  # typer reads it
    return wrapped


def _option(setting: Setting) -> inspect.Parameter:
    text = setting.help + (f" (default: {setting.unset})" if setting.unset else "")
    least, most = (bound if math.isfinite(bound) else None for bound in (setting.least, setting.most))
    kinds = {setting.type, *getattr(setting.type, "__args__", ())}  # a flag has no value
    option = typer.Option(
        help=text,
        min=least,
        max=most,
        show_default=not setting.unset,
        metavar=None if bool in kinds else setting.metavar,
        rich_help_panel=setting.group,
    )
    kind: Any = str if setting.type is Any else setting.type
    annotation: Any = Annotated[kind, option]
    return inspect.Parameter(setting.name, inspect.Parameter.KEYWORD_ONLY, default=setting.default, annotation=annotation)
