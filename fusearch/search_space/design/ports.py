"""Ports: which results of a fusion with one result per argument a consumer reads."""

from __future__ import annotations

from collections.abc import Sequence

from fusearch.errors import suggestion
from fusearch.search_space.design.parts import RuleError, Tap

__all__ = ["default_ports", "named_port", "port_name"]


def port_name(args: Sequence[Tap], index: int) -> str:
    """Return the name of a port: its argument's source where that is unique, else its position from 1."""
    source = args[index].source
    return source if sum(arg.source == source for arg in args) == 1 else str(index + 1)


def named_port(tap: Tap, args: Sequence[Tap], part: str, arg: int | None) -> int:
    """Return the index of the port that `tap` names.

    Args:
        tap: A tap with a port.
        args: The arguments of the fusion that it reads.
        part: Name of the consumer, for the message.
        arg: Index of the consumer's argument, for the message.

    Raises:
        RuleError: There is no such port, or two arguments have that source.
    """
    port = str(tap.port)
    names = [port_name(args, index) for index in range(len(args))]
    if port.isdigit():
        if 1 <= int(port) <= len(args):
            return int(port) - 1
        raise RuleError(f"{part} reads port {port} of {tap.source}, which has ports 1 to {len(args)}", part, arg)
    matches = [index for index, source in enumerate(args) if source.source == port]
    if len(matches) > 1:
        positions = " or ".join(f"{tap.source}.{index + 1}" for index in matches)
        raise RuleError(f"{part} reads port {port!r} of {tap.source}, which takes {port!r} twice: write {positions}", part, arg)
    if not matches:
        raise RuleError(f"{part} reads port {port!r} of {tap.source}: {suggestion(port, names)}", part, arg)
    return matches[0]


def default_ports(args: Sequence[Tap], others: Sequence[str]) -> tuple[int, ...]:
    """Return the ports that a tap without a port reads.

    Those of the sources that the consumer also has as another argument; if there are none, all of them.

    Args:
        args: The arguments of the fusion that is read.
        others: Sources of the consumer's other arguments.
    """
    shared = tuple(index for index, arg in enumerate(args) if arg.source in others)
    return shared or tuple(range(len(args)))
