"""What an operator makes of the order in which the tokens of an argument stand (decision 0028).

An entry says it for each argument, from the parameters and from which arguments have many tokens: the order is `lost` (a mean, the keys of
an attention), `kept` (the result's tokens stand in the same order, and are the same tokens), or `seen`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from fusearch.search_space.entries.parameter import Value

__all__ = ["TokenOrder", "order_kept", "order_kept_of_first", "order_kept_of_one", "order_lost", "order_seen"]

Order = Literal["lost", "kept", "seen"]

TokenOrder = Callable[[Mapping[str, Value], tuple[bool, ...]], Sequence[Order]]


def order_seen(_: Mapping[str, Value], many: tuple[bool, ...]) -> Sequence[Order]:
    """Nothing is known of the operator, or it flattens tokens."""
    return _all("seen", many)


def order_lost(_: Mapping[str, Value], many: tuple[bool, ...]) -> Sequence[Order]:
    """Every argument enters by a mean or by attention to its tokens."""
    return _all("lost", many)


def order_kept(_: Mapping[str, Value], many: tuple[bool, ...]) -> Sequence[Order]:
    """The tokens of each argument are tokens of the result."""
    return _all("kept", many)


def order_kept_of_first(_: Mapping[str, Value], many: tuple[bool, ...]) -> Sequence[Order]:
    """So are those of the first argument; the others enter by a mean or by attention to their tokens."""
    return ("kept", *_all("lost", many[1:]))


def order_kept_of_one(_: Mapping[str, Value], many: tuple[bool, ...]) -> Sequence[Order]:
    """The operator works token by token: tokens of two arguments meet at their places, but one vector meets every token alike."""
    return _all("kept" if sum(many) < 2 else "seen", many)


def _all(order: Order, many: tuple[bool, ...]) -> tuple[Order, ...]:
    return (order,) * len(many)
