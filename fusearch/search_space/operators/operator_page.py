"""The catalogue page of the operators, made from the data. `python -m fusearch.search_space.operators.operator_page` prints it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping

from fusearch.search_space.entries.operator import SYMBOLS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.operators import OPERATORS

__all__ = ["catalogue_page"]

#: Family -> title, and what its members have in common.
FAMILIES: Mapping[str, tuple[str, str]] = {
    "concatenation": ("Concatenation", "Nothing is mixed yet; the trunk or the head does that."),
    "tensor": ("Tensor operation", "Elementwise, products of all features with all features, and their low-rank forms."),
    "attention": ("Attention", "Weights over tokens, channels or modalities, computed from the data."),
    "calibration": ("Calibration", "One modality scales, shifts or selects the features of another."),
    "sharing": ("Knowledge sharing", "Each modality keeps a result of its own, made more alike, more different or better informed."),
    "decision": (
        "Decision level",
        """Join class scores (`@score`) and return log-probabilities, or values in a regression; the result is the output. They
have no parameter that a gradient moves; `stacking`, `vote_weighted`, `inverse_covariance` and `product_of_experts` have weights that are
solved for after the streams are trained, on scores of training rows that the voters have not seen.""",
    ),
}

INTRODUCTION = """# Operators

How a fusion joins its arguments. This page is made from the entries in `fusearch/search_space/operators`
by `make reference`; a test fails when it is stale.

Every argument is a tensor `x_BTD` of B samples, T tokens and D features, with a mask of the samples that have it: a vector is one token,
an image its positions, a series its steps. Every operator takes any T and D:

- Operators that **keep** a shape bring all other arguments to it: tokens by interpolation between grids of equal rank, else by their
  mean, repeated; widths by a linear map without bias where they differ. `trunk=continue(u)` needs one of these.
- Operators that keep none work token by token on the tokens of the longest argument, and give features of the network's width where the
  equation leaves it free. Means over tokens are written `mean over tokens`; `vec` puts all tokens and features side by side.
- **Symmetric** means that the order of the arguments does not change the set of functions. Where such an operator keeps one argument's
  shape it is that of the continued stream, else of the argument with most tokens, then features.
- **Ports** means one result per argument.
- What an absent argument holds never matters: not to the result, not to a loss, not to a gradient.
- **Differs** says what the module of the source does otherwise
  ([0033](decisions/0033-published-operators-simplified.md)); without it the equation is the paper's.

In the equations `*` is elementwise, `(x)` the outer product, `[a; b]` side by side, W, U, V, P are learned maps. Values of a parameter that
a search picks from stand in braces, the default first; numbers may also be stated freely (`heads=8`).
"""


def catalogue_page() -> str:
    """Return the page as Markdown.

    Example:
        >>> catalogue_page().splitlines()[0]
        '# Operators'
    """
    operators = [OPERATORS[name] for name in OPERATORS]
    parts = [INTRODUCTION]
    for family, (title, text) in FAMILIES.items():
        members = [operator for operator in operators if operator.family == family]
        names = ", ".join(f"[`{operator.name}`](#{operator.name})" for operator in members)
        parts.append(f"## {title} {SYMBOLS[family]}\n\n{text}\n\n{len(members)} operators: {names}.\n")
        parts.extend(_section(operator) for operator in members)
    return "\n".join(parts)


def _section(operator: Operator) -> str:
    return f"### {operator.name}\n\n```text\n{operator.equation}\n```\n\n" + "".join(f"- {line}\n" for line in _facts(operator))


def _facts(operator: Operator) -> Iterator[str]:
    if operator.max_args is None:
        count = f"{operator.min_args} or more"
    else:
        count = str(operator.min_args) if operator.max_args == operator.min_args else f"{operator.min_args} to {operator.max_args}"
    where = " or ".join(f"{name}={value}" for name, values in operator.symmetric_where.items() for value in values)
    others = "in order" if operator.symmetric_from is None else f"the first {'one' if operator.symmetric_from == 1 else 'two'} in order"
    traits = [
        "symmetric" if operator.symmetric else f"symmetric with {where}" if where else others,
        *(["the first on a grid"] if operator.needs_grid else []),
        *(["class scores"] if operator.scores_only else []),
    ]
    yield f"Arguments: {count}, {', '.join(traits)}."
    keeps = {"none": "a shape of its own", "first": "the first argument's shape", "each": "each argument's shape"}[operator.keeps]
    extras = [
        *(["one result per argument (ports)"] if operator.ports else []),
        *(["adds a loss"] if operator.adds_loss else []),
        *(["untrained"] if not operator.trained else []),
    ]
    yield f"Result: {'; '.join([keeps, *extras])}."
    if operator.params:
        yield f"Parameters: {', '.join(_parameter(name, param) for name, param in operator.params.items())}."
    yield f"Absent argument: {operator.absent}."
    yield f"Source: {operator.reference}."
    if operator.differs:
        yield f"Differs: {operator.differs}."


def _parameter(name: str, param: Param) -> str:
    def text(value: object) -> str:
        return str(int(value)) if isinstance(value, bool) else str(value)

    if not param.choices:
        return f"`{name}={text(param.default)}`"
    others = [text(choice) for choice in param.choices if choice != param.default]
    return f"`{name}={{{', '.join([text(param.default), *others])}}}`"


if __name__ == "__main__":
    sys.stdout.write(catalogue_page())
