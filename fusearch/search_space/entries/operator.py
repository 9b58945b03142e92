"""An operator: one way to fuse, as data. The layer that computes it lives in `fusearch.evaluators`, bound by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fusearch.errors import DesignError
from fusearch.registry import Registry
from fusearch.search_space.entries.parameter import Param, Value
from fusearch.search_space.entries.token_order import TokenOrder, order_seen

__all__ = ["FAMILIES_BY_SYMBOL", "OPERATORS", "SYMBOLS", "Family", "Operator"]

Family = Literal["concatenation", "tensor", "attention", "calibration", "sharing", "decision"]

#: The review's symbols. It has none of its own for votes at the decision level: they are tensor operations on class scores.
SYMBOLS: Mapping[str, str] = {
    "concatenation": "⊕",
    "tensor": "⊞",
    "attention": "𝔸",
    "calibration": "𝕊",
    "sharing": "⇌",
    "decision": "⊞",
}

#: Classes behind each symbol; ⊞ stands for two.
FAMILIES_BY_SYMBOL: Mapping[str, tuple[str, ...]] = {
    symbol: tuple(family for family, other in SYMBOLS.items() if other == symbol) for symbol in dict.fromkeys(SYMBOLS.values())
}


@dataclass(frozen=True)
class Operator:
    """One way to fuse.

    Attributes:
        name: Name in formulas.
        family: Class of the review, or `decision` for operators on class scores.
        params: Keyword parameters; exactly the keyword arguments of the layer.
        min_args: Fewest arguments.
        max_args: Most arguments; None for any number.
        symmetric: Whether the order of the arguments does not matter.
        symmetric_from: First argument from which on the order does not matter, as of the conditions of `film`; None for none.
        symmetric_where: Values of parameters with which it does not matter, where others make it matter; see `commutes`.
        ports: Whether it gives one result per argument.
        keeps: Whose shape the result has: `none`, the `first` argument's, or `each` argument's (ports); `continue(u)` needs it.
        scores_only: Whether all arguments must be class scores (`@score`).
        trained: False for an untrained vote.
        adds_loss: Whether it adds a term to the loss, weighed by the recipe's `loss_weight`.
        needs_grid: Whether the first argument must carry a grid (image, volume or series) to make sense.
        tokens: Gives, from the parameters, whether the result has `one` token, `many`, or as many as its `args`.
        attention: Gives, from whether each argument has many tokens, whether each attention of the operator has more than one key. Over
            one key a softmax is one whatever the query, so that what makes query and key never gets a gradient.
        attention_params: Parameters that nothing but its attention reads.
        token_params: Parameters that matter only where an argument has many tokens.
        token_order: What it makes of the order of the tokens of each argument; by default it sees it.
        tokens_of_all: Whether, with these parameters, the result's tokens are those of one argument after the other. Where nothing sees
            their order, the order of the arguments means nothing.
        matches_features: Whether features of two arguments of one width meet at their places, without a linear map between.
        absorbs: Operators in whose place it may take the arguments themselves: `cat(cat(a, b)@0, c)` is `cat(a, b, c)`.
        absorbs_from: First argument for which that holds.
        repeats: What an argument counts that stands there again: each time (`count`), `once` (`max(a, a, b)` is `max(a, b)`), its
            `share` alone (`mean(a, a, b, b)` is `mean(a, b)`), where the operator gives no argument a linear map of its own, or it
            leaves `nothing` (`difference(a, a)` is zero).
        repeats_from: First argument for which that holds.
        classifies: Whether it classifies inside: a network raises its parameter `classes` to the outputs of the task.
        equation: The equation, in plain text.
        absent: What an absent argument does.
        reference: The paper.
        differs: What the module of that paper does otherwise; empty where the equation is the paper's (decision 0033).

    Raises:
        DesignError: Name, family or number of arguments cannot be, or it keeps the shape of each argument and has no ports.

    Example:
        >>> Operator("second", family="tensor", max_args=2, equation="y = x_2").takes(3)
        False
    """

    name: str
    family: Family
    params: Mapping[str, Param] = field(default_factory=dict)
    min_args: int = 2
    max_args: int | None = None
    symmetric: bool = False
    symmetric_from: int | None = None
    symmetric_where: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    ports: bool = False
    keeps: Literal["none", "first", "each"] = "none"
    scores_only: bool = False
    trained: bool = True
    adds_loss: bool = False
    needs_grid: bool = False
    tokens: Callable[[Mapping[str, Value]], Literal["one", "many", "args"]] = lambda _: "args"
    attention: Callable[[tuple[bool, ...]], Sequence[bool]] | None = None
    attention_params: tuple[str, ...] = ()
    token_params: tuple[str, ...] = ()
    token_order: TokenOrder = order_seen
    tokens_of_all: Callable[[Mapping[str, Value]], bool] = lambda _: False
    matches_features: bool = False
    absorbs: tuple[str, ...] = ()
    absorbs_from: int = 0
    repeats: Literal["count", "once", "share", "nothing"] = "count"
    repeats_from: int = 0
    classifies: bool = False
    equation: str = ""
    absent: str = ""
    reference: str = ""
    differs: str = ""

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise DesignError(f"operator {self.name!r}: expected letters, digits and '_', not starting with a digit")
        if self.family not in SYMBOLS:
            raise DesignError(f"operator {self.name!r}: family {self.family!r}, expected one of: {', '.join(SYMBOLS)}")
        if self.min_args < 2 or (self.max_args is not None and self.max_args < self.min_args):
            raise DesignError(f"operator {self.name!r}: takes {self.min_args} to {self.max_args} arguments, expected two or more")
        if self.ports != (self.keeps == "each") and self.keeps == "each":
            raise DesignError(f"operator {self.name!r}: keeps each argument's shape but has no ports")
        missing = [name for name in (*self.symmetric_where, *(["classes"] if self.classifies else [])) if name not in self.params]
        if missing:
            raise DesignError(f"operator {self.name!r}: has no parameter {missing[0]!r}")

    @property
    def symbol(self) -> str:
        """The review's symbol of the class."""
        return SYMBOLS[self.family]

    def takes_width_of_one(self, params: Mapping[str, Value]) -> bool:
        """Whether the shapes decide which argument's shape the result has."""
        return self.keeps == "first" and self.commutes(params)

    def works(self, many: tuple[bool, ...]) -> bool:
        """Whether every parameter can be trained on arguments of which each has many tokens or one."""
        return self.attention is None or all(self.attention(many))

    def idle(self, many: tuple[bool, ...]) -> tuple[str, ...]:
        """Return the parameters without effect on such arguments."""
        dead = self.attention is not None and not any(self.attention(many))
        return (self.attention_params if dead else ()) + (self.token_params if not any(many) else ())

    def has_many(self, params: Mapping[str, Value], many: tuple[bool, ...]) -> bool:
        """Whether the result has several tokens; of an operator with ports, the first one's."""
        tokens = self.tokens(params)
        if tokens != "args":
            return tokens == "many"
        return many[0] if self.keeps == "first" and not self.takes_width_of_one(params) else any(many)

    def takes(self, num_args: int) -> bool:
        """Whether it takes that many arguments."""
        return num_args >= self.min_args and (self.max_args is None or num_args <= self.max_args)

    def commutes(self, params: Mapping[str, Value]) -> bool:
        """Whether the order of the arguments does not matter, with these parameters."""
        return self.symmetric or any(params.get(name) in values for name, values in self.symmetric_where.items())

    def num_ordered(self, params: Mapping[str, Value], num_args: int) -> int:
        """Return how many arguments stand at a place of their own; the order of those behind them does not matter."""
        if self.commutes(params):
            return 0
        return num_args if self.symmetric_from is None else min(self.symmetric_from, num_args)


OPERATORS: Registry[Operator] = Registry("operator")
