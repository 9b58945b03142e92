"""Reads a design as the answers that the program of a pattern would need to make it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.parts import Depth, Stream, Tap
from fusearch.search_space.design.pattern import FusionPattern
from fusearch.search_space.design.pattern_parts import UNKNOWN
from fusearch.search_space.entries.parameter import Value
from fusearch.search_space.space.answers import becomes
from fusearch.search_space.space.pattern_program import encoders_offered, least_stages
from fusearch.search_space.space.pattern_sources import resolutions
from fusearch.search_space.space.space_settings import SpaceSettings

__all__ = ["read_pattern_answers"]


def read_pattern_answers(settings: SpaceSettings, graph: FusionGraph) -> Iterator[dict[str, Value]]:
    """Give the answers to every decision, by key, for each way in which the pattern can stand for the design.

    The caller checks that the design made from the answers has the same digest.
    """
    for sources, pattern in resolutions(settings).items():
        for names, letters in pattern.readings(graph):
            yield {"sources": sources, "training": graph.training, **_answers(settings, pattern, graph, names, letters)}


def _answers(
    settings: SpaceSettings, pattern: FusionPattern, graph: FusionGraph, names: Mapping[str, str], letters: Mapping[str, int | str]
) -> dict[str, Value]:
    answers: dict[str, Value] = {f"depth.{letter}": depth for letter, depth in letters.items()}
    for wanted in pattern.streams:
        stream = graph.stream(names[wanted.name])
        offered = encoders_offered(settings, wanted, stream.modality, least_stages(pattern, wanted.name))
        spelled = (each for each in offered if becomes(graph, stream, Stream(stream.name, stream.modality, *each)))
        encoder, params = next(spelled, (stream.encoder, stream.params))
        answers |= {f"{wanted.name}.modality": stream.modality, f"{wanted.name}.encoder": encoder}
        answers |= {f"{wanted.name}.{name}": value for name, value in params.items()}
    for wanted_fusion in pattern.fusions:
        name, fusion = wanted_fusion.name, graph.fusion(names[wanted_fusion.name])
        answers |= {f"{name}.operator": fusion.operator, f"{name}.trunk": fusion.trunk.num_stages, f"{name}.family": fusion.trunk.family}
        answers |= {f"{name}.{fusion.operator}.{param}": value for param, value in fusion.params.items()}
        left = list(fusion.args)
        for at, arg in enumerate(wanted_fusion.args):
            of_source = [tap for tap in left if tap.source == names[arg.source]]
            if not of_source:
                continue
            actual = next((tap for tap in of_source if _depth(graph, tap) == _wanted(arg.depth, letters)), of_source[0])
            left.remove(actual)
            if arg.depth == UNKNOWN:
                answers[f"{name}.{at}.depth"] = _depth(graph, actual)
            answers[f"{name}.{at}.depth pooled"] = actual.depth
    return answers


def _depth(graph: FusionGraph, tap: Tap) -> Depth:
    """Return how deep a tap lies; an embedding lies at the last stage."""
    return graph.num_stages(tap.source) if tap.depth == "L" else tap.depth


def _wanted(depth: int | str, letters: Mapping[str, int | str]) -> int | str:
    """Return the depth that a pattern asks for, with what its letters stand for."""
    letter, _, plus = str(depth).partition("+")
    meaning = letters.get(letter, depth)
    return meaning + int(plus or 0) if isinstance(meaning, int) and letter in letters else meaning
