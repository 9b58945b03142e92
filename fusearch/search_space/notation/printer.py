"""Prints a design in text form. Defaults are left out, so one design has one text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fusearch.search_space.design.parts import AUTO, Fusion, Output, Stream, Tap, Trunk
from fusearch.search_space.design.pattern_parts import PatternFusion, PatternOutput, PatternStream, PatternTap
from fusearch.search_space.entries.encoder import ENCODERS
from fusearch.search_space.entries.operator import OPERATORS
from fusearch.search_space.entries.parameter import Param, Value

__all__ = ["print_design", "print_entry", "print_pattern"]


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


def _print_params(given: Mapping[str, Value], params: Mapping[str, Param]) -> list[str]:
    """Return `name=value` for every parameter that is not at its default."""
    return [f"{name}={_print_value(value)}" for name, value in given.items() if name not in params or value != params[name].default]


def _print_trunk(trunk: Trunk, deepest: int) -> list[str]:
    """Return the trunk as a parameter; nothing where it is `fc` as deep as its deepest consumer."""
    if trunk.stream is not None:
        return [f"trunk=continue({trunk.stream})"]
    if trunk.num_stages == deepest:
        return [] if trunk.family == "fc" else [f"trunk={trunk.family}"]
    return [f"trunk={trunk.family}:{trunk.num_stages}"]


def print_entry(name: str, params: Mapping[str, Value]) -> str:
    """Return an encoder or operator with all its parameters, as a search space reads it: `low_rank(rank=4)`."""
    stated = ", ".join(f"{key}={_print_value(value)}" for key, value in params.items())
    return f"{name}({stated})" if stated else name


def _print_value(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _print_stream(stream: Stream) -> str:
    head = stream.modality if stream.name == stream.modality else f"{stream.name} = {stream.modality}"
    params = [f"tie={stream.tie}"] if stream.tie is not None else _print_params(stream.params, ENCODERS[stream.encoder].params)
    return f"{head}:{stream.encoder}" + (f"({', '.join(params)})" if params else "")


def _print_fusion(fusion: Fusion, deepest: int) -> str:
    params = _print_params(fusion.params, OPERATORS[fusion.operator].params) + _print_trunk(fusion.trunk, deepest)
    args = ", ".join(str(arg) for arg in fusion.args)
    return f"{fusion.name} = {fusion.operator}({args}{'; ' + ', '.join(params) if params else ''})"


def _print_arrow(task: str | None, arrow: str = "->") -> str:
    return f" {arrow}" if task is None else f" {arrow} {task}"


def _print_end(tap: Tap, ends: Mapping[str, int]) -> str:
    if tap.source in ends:
        return f"{tap.source}.{tap.port}" if tap.port else tap.source
    return f"{tap.source}@{'score' if tap.depth == 'score' else 'L'}"


def print_pattern(
    streams: Sequence[PatternStream], fusions: Sequence[PatternFusion], outputs: Sequence[PatternOutput], training: str | None
) -> str:
    """Return a pattern in the review's typography: `F1 = ⊕(x1^3, x2^y) →`. The header names the streams of which something is known."""
    header = [_print_pattern_stream(stream) for stream in streams if stream.modality is not None or stream.encoder is not None]
    lines = [" | ".join(header)] if header else []
    if training is not None:
        lines.append(f"train = {training}")
    rest = list(outputs)
    for fusion in fusions:
        params = [f"{name}={_print_value(value)}" for name, value in fusion.params.items()]
        if fusion.trunk is not None:
            params += _print_trunk(fusion.trunk, AUTO) or ["trunk=fc"]
        args = ", ".join(str(arg) for arg in fusion.args)
        line = f"{fusion.name} = {fusion.operator}({args}{'; ' + ', '.join(params) if params else ''})"
        if rest and rest[0].source == PatternTap(fusion.name, "L"):
            line += _print_arrow(rest.pop(0).task, "→")
        lines.append(line)
    lines.extend(f"{output.source}{_print_arrow(output.task, '→')}" for output in rest)
    return "\n".join(lines)


def _print_pattern_stream(stream: PatternStream) -> str:
    head = stream.name if stream.modality in (None, stream.name) else f"{stream.name} = {stream.modality}"
    if stream.encoder is None:
        return head
    params = [f"{name}={_print_value(value)}" for name, value in stream.params.items()]
    params += [f"tie={stream.tie}"] if stream.tie is not None else []
    return f"{head}:{stream.encoder}" + (f"({', '.join(params)})" if params else "")
