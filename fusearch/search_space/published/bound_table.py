"""Every published network bound to data of its kinds and counts: what `docs/published.md` shows, and a test checks line by line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from fusearch.data.modality import Modality
from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.published.catalogue import PUBLISHED, PublishedStudy

__all__ = ["BoundRow", "bind_to_kinds", "bound_rows", "data_of_kinds"]

#: Shapes of other data than those that the studies are written with.
_SHAPES = {
    "tabular": (7,),
    "image2d": (3, 24, 20),
    "volume3d": (2, 8, 12, 10),
    "video": (3, 4, 16, 12),
    "timeseries": (20, 3),
    "audio": (40, 2),
    "text": (16, 5),
    "sequence": (18,),
    "graph": (9, 2 + 9),
}


@dataclass(frozen=True)
class BoundRow:
    """One line of the table.

    Attributes:
        study: The study.
        kinds: Number of modalities of each kind, in words.
        design: The network over data of these kinds.
    """

    study: PublishedStudy
    kinds: str
    design: FusionGraph

    @property
    def fusions(self) -> str:
        """The fusions and the training, without the line of the streams."""
        return "; ".join(str(self.design).splitlines()[1:])


def data_of_kinds(study: PublishedStudy) -> tuple[Modality, ...]:
    """Return modalities of the kinds and counts of a study, called by kind and number, in its order."""
    seen: Counter[str] = Counter()
    data = []
    for modality in study.design().modalities:
        seen[modality.kind] += 1
        data.append(Modality(f"{modality.kind}_{seen[modality.kind]}", modality.kind, _SHAPES[modality.kind]))
    return tuple(data)


def bind_to_kinds(study: PublishedStudy) -> BoundRow:
    """Bind a study to data of its kinds and counts.

    Example:
        >>> row = bind_to_kinds(PUBLISHED["opcnn"])
        >>> row.kinds, [modality.name for modality in row.design.modalities]
        ('2 tabular', ['tabular_1', 'tabular_2'])
    """
    data = data_of_kinds(study)
    counts = Counter(modality.kind for modality in data)
    return BoundRow(study, ", ".join(f"{number} {kind}" for kind, number in counts.items()), study.bind(data))


def bound_rows() -> list[BoundRow]:
    """Return a line for each of the 54 studies."""
    return [bind_to_kinds(study) for study in PUBLISHED.values()]
