"""What an operator makes of the tokens of an argument and of the order in which they stand (decision 0028).

An entry says it for each argument, from the parameters and from which arguments have many tokens. From the least to the most that is seen:

- `averaged`: the argument enters by its mean over tokens;
- `linear`: the mean over tokens of the result is what the operator makes of the mean of the argument, where no other one has many tokens;
- `lost`: the order of the tokens means nothing (the keys of an attention);
- `kept`: the tokens of the result stand in the same order, and are otherwise the same (so they are where it is linear);
- `seen`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from fusearch.search_space.entries.parameter import Value

__all__ = [
    "Order",
    "TokenOrder",
    "order_kept",
    "order_kept_of_first",
    "order_kept_of_one",
    "order_kept_of_query",
    "order_linear",
    "order_linear_in_first",
    "order_linear_in_one",
    "order_lost",
    "order_seen",
]

Order = Literal["averaged", "linear", "lost", "kept", "seen"]

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
    """So are those of the first argument; the others enter by their means."""
    return ("kept", *_all("averaged", many[1:]))


def order_kept_of_query(_: Mapping[str, Value], many: tuple[bool, ...]) -> Sequence[Order]:
    """So are those of the first argument; the others are keys of an attention."""
    return ("kept", *_all("lost", many[1:]))


def order_linear_in_first(_: Mapping[str, Value], many: tuple[bool, ...]) -> Sequence[Order]:
    """The first argument is scaled or shifted; the others enter by their means."""
    return ("linear", *_all("averaged", many[1:]))


def order_linear(_: Mapping[str, Value], many: tuple[bool, ...]) -> Sequence[Order]:
    """Each argument has a result of its own that is linear in its tokens."""
    return _all("linear", many)


def order_linear_in_one(_: Mapping[str, Value], many: tuple[bool, ...]) -> Sequence[Order]:
    """The operator works token by token and is linear in each argument."""
    return _all("linear" if sum(many) < 2 else "seen", many)


def order_kept_of_one(_: Mapping[str, Value], many: tuple[bool, ...]) -> Sequence[Order]:
    """The operator works token by token: tokens of two arguments meet at their places, but one vector meets every token alike."""
    return _all("kept" if sum(many) < 2 else "seen", many)


def _all(order: Order, many: tuple[bool, ...]) -> tuple[Order, ...]:
    return (order,) * len(many)
