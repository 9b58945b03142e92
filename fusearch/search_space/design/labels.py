"""Labels: what is derived from a design and never stored. The rules reproduce the printed analysis of the review's 54 sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from fusearch.search_space.design.structure import FusionLike, fusion_depths

__all__ = ["Labels", "compute_labels"]


@dataclass(frozen=True)
class Labels:
    """The review's analysis of a design.

    Attributes:
        fusions: Number of fusions.
        multiple: Whether there is more than one.
        flows: Number of fusions that take only stream taps and cover all modalities; at least 1.
        type: `gradual` where some modality first enters at a fusion above depth 1, else `multi-flow` where there are several flows,
            else `sudden`; `none` for a design without fusions.
        synchronous: Not gradual, and in every fusion all stream taps have the same depth.
        level: `early` (all stream taps at 0), `late` (all class scores, an untrained vote, independent training), `joint-late` (all
            class scores, trained), `intermediate`, or `unimodal` for a design without fusions.
        when: The taps of each fusion.
        which: The sources of each fusion.
        how: The operator of each fusion, and its trunk where there is one; then the training.
    """

    fusions: int
    multiple: bool
    flows: int
    type: Literal["sudden", "gradual", "multi-flow", "none"]
    synchronous: bool
    level: Literal["early", "intermediate", "joint-late", "late", "unimodal"]
    when: tuple[str, ...] = ()
    which: tuple[str, ...] = ()
    how: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the labels as JSON-able values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def compute_labels(
    order: Sequence[str],
    fusions: Mapping[str, FusionLike],
    modality_of: Mapping[str, str],
    *,
    trained: bool,
    training: str,
    how: Sequence[str] = (),
) -> Labels:
    """Derive the labels of a graph or a pattern.

    Args:
        order: Names of the fusions in topological order.
        fusions: The fusions by name.
        modality_of: Modality of each stream.
        trained: Whether some operator learns.
        training: The training mode.
        how: What each fusion does, in words.
    """
    depths = fusion_depths(order, fusions)
    modalities = set(modality_of.values())
    entry: dict[str, int] = {}  # depth of the first fusion that takes the modality itself
    flows, same_depth = 0, True
    levels: set[int | str] = set()
    for name in order:
        taps = [arg for arg in fusions[name].args if arg.source in modality_of]
        seen = {modality_of[tap.source] for tap in taps}
        for modality in seen:
            entry[modality] = min(entry.get(modality, depths[name]), depths[name])
        flows += len(taps) == len(fusions[name].args) and seen == modalities
        same_depth &= len({tap.depth for tap in taps}) <= 1 and not any(tap.depth == "?" for tap in taps)
        levels.update(tap.depth for tap in taps)
    gradual = any(depth > 1 for depth in entry.values())
    flows = max(1, flows)
    return Labels(
        fusions=len(order),
        multiple=len(order) > 1,
        flows=flows,
        type="none" if not order else "gradual" if gradual else "multi-flow" if flows > 1 else "sudden",
        synchronous=same_depth and not gradual,
        level=_level(levels, bool(order), trained, training),
        when=tuple(f"{name}: {', '.join(str(arg) for arg in fusions[name].args)}" for name in order),
        which=tuple(f"{name}: {', '.join(arg.source for arg in fusions[name].args)}" for name in order),
        how=tuple(how),
    )


def _level(
    levels: set[int | str], fused: bool, trained: bool, training: str
) -> Literal["early", "intermediate", "joint-late", "late", "unimodal"]:
    if not fused:
        return "unimodal"
    if levels == {0}:
        return "early"
    if levels == {"score"}:
        return "late" if not trained and training == "independent" else "joint-late"
    return "intermediate"
