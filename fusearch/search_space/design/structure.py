"""The bare structure of a design: who takes what from whom. Shared by graphs and patterns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from fusearch.errors import suggestion
from fusearch.search_space.design.parts import RuleError

__all__ = ["Arg", "FusionLike", "check_uses", "coverage", "fusion_depths", "topological_order"]


class Arg(Protocol):
    """A tap, of a graph or of a pattern."""

    @property
    def source(self) -> str: ...

    @property
    def depth(self) -> int | str: ...


A = TypeVar("A", bound=Arg, covariant=True)


class FusionLike(Protocol):
    """A fusion, of a graph or of a pattern."""

    @property
    def name(self) -> str: ...

    @property
    def args(self) -> Sequence[Arg]: ...


def topological_order(fusions: Sequence[FusionLike], streams: Collection[str]) -> tuple[str, ...]:
    """Return the names of the fusions, each after those that it takes; otherwise in the order given.

    Raises:
        RuleError: An argument is unknown, or the fusions form a cycle.
    """
    by_name = {fusion.name: fusion for fusion in fusions}
    order: list[str] = []
    done: set[str] = set()
    path: list[str] = []

    def visit(fusion: FusionLike) -> None:
        path.append(fusion.name)
        for index, arg in enumerate(fusion.args):
            source = arg.source
            if source in streams or source in done:
                continue
            if source not in by_name:
                hint = suggestion(source, [*streams, *by_name])
                raise RuleError(f"{fusion.name} takes {source!r}, which is no stream and no fusion: {hint}", fusion.name, index)
            if source in path:
                cycle = " <- ".join([*path[path.index(source) :], source])
                raise RuleError(f"{fusion.name} takes {source!r}, which makes a cycle: {cycle}", fusion.name, index)
            visit(by_name[source])
        path.pop()
        done.add(fusion.name)
        order.append(fusion.name)

    for fusion in fusions:
        if fusion.name not in done:
            visit(fusion)
    return tuple(order)


def coverage(order: Iterable[str], fusions: Mapping[str, FusionLike], streams: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return, for every stream and fusion, the streams that its state depends on."""
    covered = {stream: frozenset((stream,)) for stream in streams}
    for name in order:
        covered[name] = frozenset().union(*(covered[arg.source] for arg in fusions[name].args))
    return covered


def fusion_depths(order: Iterable[str], fusions: Mapping[str, FusionLike]) -> dict[str, int]:
    """Return the depth of every fusion: 1 where all arguments are streams, else one more than its deepest fusion."""
    depths: dict[str, int] = {}
    for name in order:
        depths[name] = 1 + max((depths.get(arg.source, 0) for arg in fusions[name].args), default=0)
    return depths


def check_uses(
    order: Sequence[str],
    fusions: Mapping[str, FusionLike],
    streams: Collection[str],
    outputs: Sequence[str],
    covered: Mapping[str, frozenset[str]],
    tied: Collection[str] = (),
) -> None:
    """Check that every part is used and that an output sees everything.

    Args:
        order: Names of the fusions in topological order.
        fusions: The fusions by name.
        streams: Names of the streams.
        outputs: Names of the streams and fusions that are outputs.
        covered: The streams that each part depends on.
        tied: Streams that lend their weights to another one.

    Raises:
        RuleError: A fusion or stream is unused, a fusion covers one stream only, or no output covers every stream.
    """
    if not outputs:
        raise RuleError(f"no output: mark one with '->', as in `{(order or tuple(streams) or ('F1',))[-1]} ... ->`", "->")
    taken = {arg.source for fusion in fusions.values() for arg in fusion.args}
    for name in order:
        if len(covered[name]) < 2:
            (only,) = covered[name]
            raise RuleError(f"{name} covers only the stream {only!r}: a fusion joins two streams or more", name)
        if name not in taken and name not in outputs:
            raise RuleError(f"{name} is unused: take it in another fusion or mark it as an output with '->'", name)
    for stream in streams:
        if stream not in taken and stream not in outputs and stream not in tied:
            raise RuleError(f"stream {stream!r} is unused: take it in a fusion, make it an output, or leave it out", stream)
    active = frozenset().union(*(covered[source] for source in outputs))
    if not any(covered[source] == active for source in outputs):
        missing = {source: sorted(active - covered[source]) for source in outputs}
        listed = "; ".join(f"{source} misses {', '.join(names)}" for source, names in missing.items())
        raise RuleError(f"no output covers every stream: {listed}", "->", 0)
