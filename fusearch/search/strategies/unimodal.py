"""The unimodal candidates of the ensemble strategies, and their predictions side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fusearch.errors import RunError, SpaceError, suggestion
from fusearch.search.ensembles import Predictions
from fusearch.search.strategies.strategy import Result
from fusearch.search_space import ENCODERS, Candidate, FusionGraph, Output, Recipe, Stream, Tap
from fusearch.search_space.encoders import POOL, encoders_for
from fusearch.search_space.entries.parameter import combinations

if TYPE_CHECKING:
    from fusearch.search_space import SearchSpace

__all__ = ["PAPER_TABLES", "collect_predictions", "unimodal_candidate", "unimodal_streams"]

#: The encoders of a table in the method paper.
PAPER_TABLES = ("mlp1", "mlp2", "mlp3", "mlp4")


def unimodal_streams(space: SearchSpace, encoders: Mapping[str, Sequence[str]] | None = None) -> list[Stream]:
    """Return every stream that may be joined: each encoder of each modality, in each of its sizes.

    Args:
        space: The modalities.
        encoders: Names of encoders by modality. Left out: the four multilayer perceptrons of the method paper for a table, for other
            kinds every encoder that reads them.

    Raises:
        SpaceError: A modality that the data do not have, or one without an encoder.
    """
    for name in encoders or {}:
        known = [modality.name for modality in space.modalities]
        if name not in known:
            raise SpaceError(f"encoders of modality {name!r}: {suggestion(name, known)}")
    found = []
    for modality in space.modalities:
        fitting = encoders_for(modality)
        names = (encoders or {}).get(modality.name) or [name for name in PAPER_TABLES if name in fitting] or fitting
        streams = [stream for name in names for stream in _sizes(modality.name, name)]
        if not streams:
            raise SpaceError(f"modality {modality.name!r} ({modality.kind}): no encoder with a stage reads it")
        found += streams
    return found


def unimodal_candidate(space: SearchSpace, stream: Stream, recipe: Recipe) -> Candidate:
    """Return the design of one stream alone."""
    return Candidate(FusionGraph(space.modalities, (stream,), (), (Output(Tap(stream.name, "L")),)), recipe)


def collect_predictions(streams: Sequence[Stream], results: Sequence[Result]) -> Predictions:
    """Put the out-of-fold predictions of unimodal candidates side by side.

    Raises:
        RunError: An evaluation kept no class probabilities, or not for the rows of the others.
    """
    first: Mapping[str, np.ndarray] = results[0].arrays if results else {}
    for stream, result in zip(streams, results, strict=True):
        missing = [name for name in ("probabilities", "targets", "rows", "fold", "seed") if name not in result.arrays]
        if missing:
            raise RunError(f"the evaluation of {stream.name!r} kept no {missing[0]!r}: votes need the class probabilities of every member")
        for name in ("targets", "rows", "fold", "seed"):
            if not np.array_equal(result.arrays[name], first[name]):
                raise RunError(f"the predictions of {streams[0].name!r} and {stream.name!r} are not for the same {name}")
    _, members = np.unique(np.stack([first["fold"], first["seed"]]), axis=1, return_inverse=True)
    return Predictions(
        tuple(stream.name for stream in streams),
        tuple(stream.modality for stream in streams),
        np.stack([result.arrays["probabilities"] for result in results]),
        first["targets"],
        members.reshape(-1),
    )


def _sizes(modality: str, name: str) -> Iterator[Stream]:
    """Give a stream for every combination of the choices of an encoder's parameters; none where it has no stage."""
    encoder = ENCODERS[name]
    stated = {POOL: encoder.params[POOL].default} if POOL in encoder.params else {}
    several = [key for key, param in encoder.params.items() if key not in stated and len(param.offered) > 1]
    for params in combinations(encoder.params, stated):
        if encoder.num_stages(params) == 0:
            return
        label = "_".join([modality, name, *(f"{params[key]}".replace(".", "p").replace("-", "m") for key in several)])
        yield Stream(label, modality, name, params)
