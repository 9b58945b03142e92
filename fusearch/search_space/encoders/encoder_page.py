"""The catalogue page of the encoders, made from the data. `python -m fusearch.search_space.encoders.encoder_page` prints it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import fusearch.search_space.encoders  # noqa: F401  # registers them
from fusearch.search_space.entries.encoder import ENCODERS, SIZES, Encoder
from fusearch.search_space.entries.parameter import Param

__all__ = ["encoder_catalogue"]

INTRODUCTION = """# Encoders

How a stream reads its modality. This page is made from the entries in `fusearch/search_space/encoders`
by `make reference`; a test fails when it is stale.

An encoder is a chain of stages. A tap `cxr@3` reads what stage 3 gives, `@0` the raw input, `@L` the embedding: one vector, by default
the mean over the tokens of the last stage (`pool=attention` weighs them instead).

- `x_d` is what stage d gives; W, U, E and the like are learned maps; `*` is a convolution, or elementwise between two states.
- No encoder has BatchNorm: LayerNorm on tokens, GroupNorm on grids ([0044](decisions/0044-normalization-without-a-batch.md)).
- What is behind the end of a text, a film or a graph moves nothing.
- **Differs** says what is otherwise than in the paper.
- A size stands for parameters: `cnn(size=base)`, where `small` is the default
  ([0037](decisions/0037-sizes-are-parameters.md)). How wide an encoder is, the recipe says, unless a design states it: `resnet(width=64)`.

Values of a parameter that a search picks from stand in braces, the default first; numbers may also be stated freely (`stages=4`).
"""


def encoder_catalogue() -> str:
    """Return the page as Markdown.

    Example:
        >>> encoder_catalogue().splitlines()[0]
        '# Encoders'
    """
    return "\n".join([INTRODUCTION, *(_section(encoder) for encoder in ENCODERS.values() if encoder.loadable_kinds)])


def _section(encoder: Encoder) -> str:
    equation = f"```text\n{encoder.equation}\n```\n\n" if encoder.equation else ""
    return f"## {encoder.name}\n\n{equation}" + "".join(f"- {line}\n" for line in _facts(encoder))


def _facts(encoder: Encoder) -> Iterator[str]:
    yield f"Reads: {'every kind' if encoder.any_kind else ', '.join(f'`{kind}`' for kind in encoder.loadable_kinds)}."
    yield f"Stages: {encoder.stages}."
    offered = [_parameter(name, param) for name, param in encoder.params.items()]
    if offered:
        yield f"Parameters: {', '.join(offered)}."
    if encoder.sizes:
        sizes = [f"`{size}` is {', '.join(f'{name}={value}' for name, value in encoder.of_size(size).items())}" for size in SIZES]
        yield f"Sizes: {'; '.join(sizes)}."
    if encoder.package:
        yield f"Needs: {encoder.package} (`pip install 'fusearch[{encoder.extra}]'`)."
    if encoder.reference:
        yield f"Source: {encoder.reference}."
    if encoder.differs:
        yield f"Differs: {encoder.differs}."


def _parameter(name: str, param: Param) -> str:
    others = [str(choice) for choice in param.offered if choice != param.default]
    values = ", ".join([str(param.default), *others])
    return f"`{name}={{{values}}}`" if others else f"`{name}={values}`"


if __name__ == "__main__":
    sys.stdout.write(encoder_catalogue())
