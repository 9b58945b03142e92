"""Turns the parts of a design, as given, into a complete and checked design.

What is left out is worked out here: parameters, `L`, the length of trunks, the stages that are left for `continue`, and ports. The
rules of the language are checked on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from fusearch.data.modality import Modality
from fusearch.errors import DesignError, UnknownNameError, suggestion
from fusearch.search_space.design.parts import AUTO, TRAININGS, Fusion, Output, RuleError, Stream, Tap, Training, Trunk
from fusearch.search_space.design.ports import default_ports, named_port, port_name
from fusearch.search_space.design.streams import complete_streams, count_stages
from fusearch.search_space.design.structure import check_uses, coverage, topological_order
from fusearch.search_space.entries.encoder import ENCODERS, POOL
from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import complete_params

__all__ = ["Resolution", "resolve"]

#: A place in an encoder's chain: the stream, and how many of its stages have been applied.
Origin = tuple[str, int]


@dataclass
class Resolution:
    """A complete design, and what was worked out about it.

    Attributes:
        stages: Number of stages of every stream and every fusion's trunk.
        order: Names of the fusions in topological order.
        covered: Streams that each stream or fusion depends on.
        ports: For a consumer and the index of its argument (`->` and the index for an output), the ports read; empty where there are none.
        continued: For a fusion whose trunk continues a stream, the index of the argument that goes on and the stages it has behind it.
    """

    modalities: tuple[Modality, ...] = ()
    streams: dict[str, Stream] = field(default_factory=dict)
    fusions: dict[str, Fusion] = field(default_factory=dict)
    outputs: tuple[Output, ...] = ()
    training: Training = "joint"
    stages: dict[str, int] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    covered: dict[str, frozenset[str]] = field(default_factory=dict)
    ports: dict[tuple[str, int], tuple[int, ...]] = field(default_factory=dict)
    continued: dict[str, tuple[int, int]] = field(default_factory=dict)
    operators: dict[str, Operator] = field(default_factory=dict)
    origins: dict[str, list[Origin | None]] = field(default_factory=dict)

    def modality_of(self, stream: str) -> Modality:
        """Return the modality that a stream reads."""
        name = self.streams[stream].modality
        return next(modality for modality in self.modalities if modality.name == name)

    def has_many(self, stream: str) -> bool:
        """Whether a sample has several tokens after all stages of a stream."""
        return self.has_many_at(stream, self.stages[stream])

    def has_many_at(self, stream: str, depth: int) -> bool:
        """Whether a sample has several tokens after `depth` stages of a stream.

        A kind that was only guessed, as in a formula without modalities, may have positions where the encoder reads any kind: what is not
        known is not simplified.
        """
        encoder, modality = ENCODERS[self.streams[stream].encoder], self.modality_of(stream)
        guessed = not modality.shape and encoder.any_kind
        return encoder.has_many(depth, positions=bool(modality.layout.positions) or guessed)

    def depth_of(self, tap: Tap) -> int:
        """Return how many stages a tap has behind it."""
        return tap.depth if isinstance(tap.depth, int) else self.stages[tap.source]


def resolve(
    modalities: Sequence[Modality], streams: Sequence[Stream], fusions: Sequence[Fusion], outputs: Sequence[Output], training: Training
) -> Resolution:
    """Complete and check a design.

    Raises:
        RuleError: A rule is broken; the message names the value, the place and what was expected.
    """
    by_name = {modality.name: modality for modality in modalities}
    if len(by_name) != len(modalities):
        raise RuleError(f"two modalities have the same name: {', '.join(modality.name for modality in modalities)}", "")
    design = Resolution()
    design.streams = complete_streams(streams, by_name)
    used = {stream.modality for stream in streams}
    design.modalities = tuple(modality for modality in modalities if modality.name in used)
    design.stages = {name: count_stages(stream) for name, stream in design.streams.items()}
    for fusion in fusions:
        if fusion.name in design.fusions or fusion.name in design.streams:
            raise RuleError(f"two parts are called {fusion.name!r}", fusion.name)
        design.operators[fusion.name] = _operator_of(fusion)
        design.fusions[fusion.name] = fusion
    design.order = topological_order(fusions, design.streams)
    for output_index, output in enumerate(outputs):
        if output.source.source not in design.stages and output.source.source not in design.fusions:
            hint = suggestion(output.source.source, [*design.streams, *design.fusions])
            raise RuleError(f"output {output.source.source!r} is no stream and no fusion: {hint}", "->", output_index)
    deepest = _deepest_taps(design, outputs)
    for name in design.order:
        _complete_fusion(design, name, deepest.get(name, 0))
    design.fusions = {fusion.name: design.fusions[fusion.name] for fusion in fusions}
    _complete_outputs(design, outputs)
    _check_dead_stages(design, deepest)
    design.covered = coverage(design.order, design.fusions, design.streams)
    lenders = [stream.tie for stream in design.streams.values() if stream.tie is not None]
    check_uses(design.order, design.fusions, design.streams, [output.source.source for output in design.outputs], design.covered, lenders)
    design.training = _check_training(design, training)
    return design


def _operator_of(fusion: Fusion) -> Operator:
    try:
        operator = OPERATORS[fusion.operator]
    except UnknownNameError as error:
        raise RuleError(f"{fusion.name}: {error}", fusion.name) from None
    if not operator.takes(len(fusion.args)):
        most = operator.max_args
        expected = (
            f"{operator.min_args} or more" if most is None else f"{operator.min_args} to {most}" if most > operator.min_args else f"{most}"
        )
        raise RuleError(f"{fusion.name}: {fusion.operator} has {len(fusion.args)} arguments, expected {expected}", fusion.name)
    return operator


def _deepest_taps(design: Resolution, outputs: Sequence[Output]) -> dict[str, int]:
    taps = [arg for fusion in design.fusions.values() for arg in fusion.args] + [output.source for output in outputs]
    deepest: dict[str, int] = {}
    for tap in taps:
        if isinstance(tap.depth, int):
            deepest[tap.source] = max(deepest.get(tap.source, 0), tap.depth)
    return deepest


def _complete_fusion(design: Resolution, name: str, deepest: int) -> None:
    fusion, operator = design.fusions[name], design.operators[name]
    args = [_complete_tap(design, tap, name, index, fusion.args) for index, tap in enumerate(fusion.args)]
    design.origins[name] = [_origin(design, tap, (name, index)) for index, tap in enumerate(args)]
    if operator.scores_only:
        for index, arg in enumerate(args):
            if arg.depth != "score":
                raise RuleError(f"{name}: {operator.name} joins class scores, so {arg} should be {arg.source}@score", name, index)
    try:
        params = complete_params(fusion.params, operator.params, f"operator {operator.name!r} of {name}")
    except DesignError as error:
        raise RuleError(str(error), name) from None
    trunk = _complete_trunk(design, fusion, deepest)
    design.stages[name] = trunk.num_stages
    design.fusions[name] = replace(fusion, args=tuple(args), params=params, trunk=trunk)


def _complete_tap(design: Resolution, tap: Tap, part: str, index: int, args: Sequence[Tap]) -> Tap:
    depth = tap.depth
    is_stream = tap.source in design.streams
    if depth == "*" and is_stream and design.stages[tap.source] == 1:
        # All stages are the one, and the mean of its tokens is the embedding, where that is no weighted one.
        depth = "*" if design.streams[tap.source].params.get(POOL, "mean") != "mean" else "L"
    if depth == "L" and not (is_stream and design.has_many(tap.source)):
        depth = design.stages[tap.source]  # of one token, the embedding is the state after the last stage
    if isinstance(depth, int):
        _check_depth(design, tap.source, depth, part, index)
    elif not is_stream:
        raise RuleError(f"{part} reads {tap.source}@{depth}: only a stream has @{depth}, a fusion has stages 0 to L", part, index)
    elif depth == "*" and design.stages[tap.source] == 0:
        raise RuleError(f"{part} reads {tap.source}@*, but its encoder has no stages: write {tap.source}@0", part, index)
    elif depth not in ("*", "score", "L"):
        raise RuleError(f"{part} reads {tap.source}@{depth}: expected a number, L, score or *", part, index)
    port = _complete_port(design, replace(tap, depth=depth), part, index, [arg.source for i, arg in enumerate(args) if i != index])
    return Tap(tap.source, depth, port)


def _check_depth(design: Resolution, source: str, depth: int, part: str, index: int) -> None:
    stages = design.stages[source]
    if depth > stages:
        if source in design.streams:
            owner = f"its encoder {design.streams[source].encoder} has stages 0 to {stages}"
        else:
            owner = f"its trunk has stages 0 to {stages}"
        raise RuleError(f"{part} reads {source}@{depth}: depth out of range, {owner}", part, index)


def _complete_port(design: Resolution, tap: Tap, part: str, index: int, others: Sequence[str]) -> str | None:
    """Note the ports that a tap reads; return the name that it has to keep, None where the rule finds the same by itself."""
    if tap.source in design.streams or not design.operators[tap.source].ports:
        design.ports[part, index] = ()
        if tap.port is not None:
            raise RuleError(f"{part} reads port {tap.port!r} of {tap.source!r}, which has no ports", part, index)
        return None
    args = design.fusions[tap.source].args
    usual = default_ports(args, others)
    going_on = design.continued.get(tap.source)
    if going_on is not None and isinstance(tap.depth, int) and tap.depth > 0:
        # Only one result goes on through the encoder; the others end right after the join.
        if going_on[0] not in usual and tap.port is None:
            name = port_name(args, going_on[0])
            raise RuleError(
                f"{part} reads {tap}, but only port {name!r} goes on after the join: write {tap.source}.{name}@{tap.depth}", part, index
            )
        usual = (going_on[0],) if going_on[0] in usual else usual
    if tap.port is None:
        design.ports[part, index] = usual
        return None
    port = named_port(tap, args, part, index)
    if going_on is not None and isinstance(tap.depth, int) and tap.depth > 0 and port != going_on[0]:
        raise RuleError(f"{part} reads {tap}, but only port {port_name(args, going_on[0])!r} goes on after the join", part, index)
    design.ports[part, index] = (port,)
    return None if usual == (port,) else port_name(args, port)


def _origin(design: Resolution, tap: Tap, reader: tuple[str, int]) -> Origin | None:
    """Return where in an encoder's chain a tap still is, None where a join or a trunk has changed its shape."""
    if not isinstance(tap.depth, int):
        return None
    if tap.source in design.streams:
        return tap.source, tap.depth
    operator, ports, going_on = design.operators[tap.source], design.ports[reader], design.continued.get(tap.source)
    if tap.depth == 0:
        # Which argument's shape a symmetric operator keeps depends on the shapes, unless the trunk says it.
        if operator.keeps == "first" and not (operator.commutes(design.fusions[tap.source].params) and going_on is None):
            return design.origins[tap.source][0]
        return design.origins[tap.source][ports[0]] if operator.keeps == "each" and len(ports) == 1 else None
    if going_on is None:
        return None
    stream = design.fusions[tap.source].trunk.stream
    return (stream, going_on[1] + tap.depth) if stream is not None else None


def _complete_trunk(design: Resolution, fusion: Fusion, deepest: int) -> Trunk:
    trunk = fusion.trunk
    if trunk.stream is None:
        num_stages = deepest if trunk.num_stages == AUTO else trunk.num_stages
        return Trunk("fc", 0) if num_stages == 0 else Trunk(trunk.family, num_stages)
    name, stream, operator = fusion.name, trunk.stream, design.operators[fusion.name]
    if stream not in design.streams:
        raise RuleError(f"{name}: trunk=continue({stream}) names no stream: {suggestion(stream, design.streams)}", name)
    if operator.keeps == "none":
        raise RuleError(f"{name}: trunk=continue({stream}), but {operator.name} does not keep the shape of an argument", name)
    origins = design.origins[name][:1] if operator.keeps == "first" else design.origins[name]
    found = [(index, origin[1]) for index, origin in enumerate(origins) if origin is not None and origin[0] == stream]
    if not found:
        where = "the first argument" if operator.keeps == "first" else "one argument"
        raise RuleError(f"{name}: trunk=continue({stream}) needs {stream!r} as {where}, at a numbered depth", name)
    if len(found) > 1:
        raise RuleError(f"{name}: trunk=continue({stream}), but two arguments are states of {stream!r}", name)
    if found[0][1] == 0 and design.modality_of(stream).layout.channel is None:
        raise RuleError(f"{name}: trunk=continue({stream}) goes on from codes of symbols: expected {stream}@1 or deeper", name)
    design.continued[name] = found[0]
    left = design.stages[stream] - found[0][1]
    if trunk.num_stages not in (AUTO, left):
        raise RuleError(f"{name}: trunk=continue({stream}) has {trunk.num_stages} stages, but {left} are left", name)
    return Trunk("continue", left, stream)


def _complete_outputs(design: Resolution, outputs: Sequence[Output]) -> None:
    complete = []
    for index, output in enumerate(outputs):
        tap = _complete_tap(design, output.source, "->", index, ())
        if tap.depth == "L":
            tap = replace(tap, depth=design.stages[tap.source])
        if tap.depth not in ("score", design.stages[tap.source]):
            end = f"{tap.source}@L or {tap.source}@score" if tap.source in design.streams else f"the end of its trunk, {tap.source}"
            raise RuleError(f"output {tap}: expected {end}", "->", index)
        if Output(tap, output.task) in complete:
            raise RuleError(f"output {tap} stands there twice", "->", index)
        complete.append(Output(tap, output.task))
    design.outputs = tuple(complete)


def _check_dead_stages(design: Resolution, deepest: dict[str, int]) -> None:
    ends = {output.source.source for output in design.outputs}
    for name, fusion in design.fusions.items():
        needed = max(
            [deepest.get(name, 0)]
            + [arg.depth for other in design.fusions.values() for arg in other.args if arg.source == name and isinstance(arg.depth, int)]
        )
        if fusion.trunk.stream is None and name not in ends and fusion.trunk.num_stages > needed:
            given = f"{fusion.trunk.family}:{fusion.trunk.num_stages}"
            raise RuleError(f"{name}: trunk={given}, but nothing reads {name} deeper than @{needed}", name)


def _check_training(design: Resolution, training: Training) -> Training:
    if training not in TRAININGS:
        raise RuleError(f"train = {training}: {suggestion(str(training), TRAININGS)}", "train")
    if training == "convex":
        _check_linear(design)
    elif not design.fusions and training != "joint":
        raise RuleError(f"train = {training}: a design without fusions trains jointly, leave the line out", "train")
    if training == "independent":
        for fusion in design.fusions.values():
            for arg in fusion.args:
                if arg.source in design.streams and arg.depth != "score":
                    raise RuleError(
                        f"train = independent, but {fusion.name} takes {arg}: expected class scores, {arg.source}@score", "train"
                    )
    return training


def _check_linear(design: Resolution) -> None:
    """Refuse a design that is more than one linear map of raw values: its optimum cannot be solved for."""
    deep = next((name for name, stages in design.stages.items() if stages), None)
    if deep is not None:
        raise RuleError(f"train = convex, but {deep} has stages: expected raw values, by 'identity' or 'flatten', and no trunk", "train")
    if len(design.outputs) > 1 or len(design.fusions) > 1 or any(fusion.operator != "cat" for fusion in design.fusions.values()):
        raise RuleError("train = convex: expected one 'cat' of raw values, or one modality, with one output", "train")
    if any(arg.depth == "score" for fusion in design.fusions.values() for arg in fusion.args):
        raise RuleError("train = convex: expected one 'cat' of raw values, not of class scores", "train")
