"""Prints a design in text form. Defaults are left out, so one design has one text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fusearch.search_space.encoder import ENCODERS
from fusearch.search_space.operator import OPERATORS
from fusearch.search_space.parameter import Param, Value
from fusearch.search_space.parts import Fusion, Output, Stream, Tap, Trunk

__all__ = ["print_design", "print_params", "print_trunk"]


def print_design(streams: Sequence[Stream], fusions: Sequence[Fusion], outputs: Sequence[Output], training: str) -> str:
    """Return the text form of a complete design: the header, the training where it is not joint, a line for each fusion and output."""
    lines = [" | ".join(_print_stream(stream) for stream in streams)]
    if training != "joint":
        lines.append(f"train = {training}")
    deepest: dict[str, int] = {}
    for fusion in fusions:
        for arg in fusion.args:
            if isinstance(arg.depth, int):
                deepest[arg.source] = max(deepest.get(arg.source, 0), arg.depth)
    ends = {fusion.name: fusion.trunk.num_stages for fusion in fusions}
    # An output without a port stands behind its fusion, unless another output would then change its place.
    inline: dict[str, Output] = {}
    rest = list(outputs)
    for fusion in fusions:
        if rest and rest[0].source.source == fusion.name and rest[0].source.port is None:
            inline[fusion.name] = rest.pop(0)
    for fusion in fusions:
        lines.append(_print_fusion(fusion, deepest.get(fusion.name, 0)))
        if fusion.name in inline:
            lines[-1] += _print_arrow(inline[fusion.name].task)
    lines.extend(_print_end(output.source, ends) + _print_arrow(output.task) for output in rest)
    return "\n".join(lines)


def print_params(given: Mapping[str, Value], params: Mapping[str, Param]) -> list[str]:
    """Return `name=value` for every parameter that is not at its default."""
    return [f"{name}={_print_value(value)}" for name, value in given.items() if name not in params or value != params[name].default]


def print_trunk(trunk: Trunk, deepest: int) -> list[str]:
    """Return the trunk as a parameter; nothing where it is `fc` as deep as its deepest consumer."""
    if trunk.stream is not None:
        return [f"trunk=continue({trunk.stream})"]
    if trunk.num_stages == deepest:
        return [] if trunk.family == "fc" else [f"trunk={trunk.family}"]
    return [f"trunk={trunk.family}:{trunk.num_stages}"]


def _print_value(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _print_stream(stream: Stream) -> str:
    head = stream.modality if stream.name == stream.modality else f"{stream.name} = {stream.modality}"
    params = [f"tie={stream.tie}"] if stream.tie is not None else print_params(stream.params, ENCODERS[stream.encoder].params)
    return f"{head}:{stream.encoder}" + (f"({', '.join(params)})" if params else "")


def _print_fusion(fusion: Fusion, deepest: int) -> str:
    params = print_params(fusion.params, OPERATORS[fusion.operator].params) + print_trunk(fusion.trunk, deepest)
    args = ", ".join(str(arg) for arg in fusion.args)
    return f"{fusion.name} = {fusion.operator}({args}{'; ' + ', '.join(params) if params else ''})"


def _print_arrow(task: str | None) -> str:
    return " ->" if task is None else f" -> {task}"


def _print_end(tap: Tap, ends: Mapping[str, int]) -> str:
    if tap.source in ends:
        return f"{tap.source}.{tap.port}" if tap.port else tap.source
    return f"{tap.source}@{'score' if tap.depth == 'score' else 'L'}"
