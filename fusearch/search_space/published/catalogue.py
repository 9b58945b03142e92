"""The 54 published networks of the review: the printed formulas, and each network as it was built.

Reference: Guarrasi et al., A systematic review of intermediate fusion in multimodal deep learning for biomedical applications, Image and
Vision Computing 2025. The printed formulas are the review's; the as-built ones were read from the papers' figures and code.
Decision 0033 lists where an operator is simpler than the published module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.errors import DesignError, UnknownNameError, suggestion
from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.parts import Fusion, Output, Stream, Training, Trunk
from fusearch.search_space.design.pattern import FusionPattern
from fusearch.search_space.design.recipe import Recipe
from fusearch.search_space.design.resolution import resolve
from fusearch.search_space.entries.operator import OPERATORS
from fusearch.search_space.notation import read_design
from fusearch.search_space.published.binding import assign, with_modalities
from fusearch.search_space.published.differences import PrintAgreement, WrittenDesign, agreement
from fusearch.search_space.published.left_out import LEFT_OUT
from fusearch.search_space.published.study_facts import StudyFacts, study_facts

__all__ = ["PUBLISHED", "PublishedStudy", "fitting_designs", "printed_pattern", "published_design"]

#: Sample shapes that stand in for those of the studies, which differ in size only.
_SHAPES = {
    "tabular": (16,),
    "image2d": (1, 32, 32),
    "volume3d": (1, 16, 16, 16),
    "video": (1, 8, 16, 16),
    "timeseries": (32, 4),
    "audio": (32, 4),
    "text": (24,),
    "sequence": (24,),
    "graph": (13, 3 + 13),
}

#: Parameter of the encoders that stand in for those of the studies, which sets the number of stages; of a table's another one.
_STAGES = {"mlp": "layers"}

_TRUNK = re.compile(r"new\((?P<family>\w+),\s*(?P<number>\d+)\)|continue\((?P<stream>\w+)\)")


@dataclass(frozen=True)
class PublishedStudy:
    """One of the 54 studies.

    Attributes:
        number: Number in the review.
        key: A short name.
        title: Title of the paper.
        year: Year of the paper.
        doi: Its digital object identifier, None where it has none.
        printed: The formula that the review prints.
        sheet: The analysis that the review prints: `fusions`, `multiple`, `flows`, `type`, `synchronous`.
        as_built: The network as built: `modalities`, `streams` (with the paper's encoder in words), `formula`, `trunks`, `training`, and
            `recipe` where the paper's numbers of training matter to what an operator computes.
    """

    number: int
    key: str
    title: str
    year: int
    doi: str | None
    printed: str
    sheet: Mapping[str, Any]
    as_built: Mapping[str, Any]

    @property
    def facts(self) -> StudyFacts:
        """What is known of the study beside its network: paper, task, losses, headline result, how it differs in print."""
        return study_facts(self.number)

    @property
    def citation(self) -> str:
        """The paper as a reference."""
        return self.facts.citation(self.title, self.year, self.doi)

    @property
    def left_out(self) -> str:
        """What the study trains beside its task and `design` leaves out, with the reason; empty where that is nothing."""
        return LEFT_OUT.get(self.number, "")

    @property
    def agreement(self) -> PrintAgreement:
        """What the printed formula and the network, written down fusion by fusion, differ in; `facts.differs` says more."""
        return agreement(self.pattern(), WrittenDesign(resolve(*self._parts())))

    def bind(self, modalities: Sequence[Modality]) -> FusionGraph:
        """Return the network over other data: each modality of the study becomes one of the same kind, in order.

        The streams are called like the modalities of the data, and their encoders are fusearch's own for them, with the paper's number
        of stages. Modalities that are left over stay out of the design; pass those that it shall have, in the order of the paper's.

        Args:
            modalities: The modalities of the data.

        Raises:
            DesignError: The data have too few modalities of a kind, or streams that share weights would differ in shape.

        Example:
            >>> tables = [Modality("rna", "tabular", (200,)), Modality("cnv", "tabular", (60,)), Modality("ecg", "timeseries", (100, 2))]
            >>> print(PUBLISHED["lung-recurrence-radiogenomics"].bind(tables))
            rna:mlp(layers=1) | cnv:mlp(layers=1)
            F1 = cat(rna@1, cnv@1; trunk=fc:1) ->
            >>> PUBLISHED["medfuse"].bind(tables)
            Traceback (most recent call last):
            ...
            fusearch.errors.DesignError: study 25 (medfuse): it needs 1 image2d (cxr), the data have none
        """
        design = self.design()
        try:
            assigned = assign(design.modalities, modalities)
            stages = {item["name"]: item for item in self.as_built["streams"]}
            encoders = {name: _stand_in(item, assigned[item["modality"]].layout.encoder) for name, item in stages.items()}
            return with_modalities(design, assigned, encoders)
        except DesignError as error:
            raise DesignError(f"study {self.number} ({self.key}): {error}") from None

    def pattern(self) -> FusionPattern:
        """Return the printed formula as a pattern."""
        return FusionPattern.parse(self.printed)

    def design(self) -> FusionGraph:
        """Return the network as built, as a valid design.

        The encoders are fusearch's own for the kind of each modality, with the paper's number of stages; the shapes of the modalities
        are small stand-ins. Parameters of an operator that fusearch's operator does not have are left out.
        """
        return FusionGraph(*self._parts())

    def _parts(self) -> tuple[tuple[Modality, ...], tuple[Stream, ...], tuple[Fusion, ...], tuple[Output, ...], Training]:
        built = self.as_built
        modalities = tuple(Modality(item["name"], item["kind"], _SHAPES[item["kind"]]) for item in built["modalities"])
        kinds = {modality.name: modality.kind for modality in modalities}
        streams = tuple(_stand_in(item, KINDS[kinds[item["modality"]]].layouts[0].encoder) for item in built["streams"])
        header = " | ".join(f"{stream.name} = {stream.modality}:{stream.encoder}" for stream in streams)
        draft = read_design("\n".join([header, *built["formula"]]), modalities)
        fusions = tuple(_as_built(fusion, built["trunks"].get(fusion.name)) for fusion in draft.fusions)
        return modalities, streams, fusions, draft.outputs, built["training"]

    def recipe(self) -> Recipe:
        """Return the recipe: the numbers of the paper where they belong to its fusion, such as the weight of its losses; else defaults."""
        return Recipe.from_dict(self.as_built.get("recipe", {}))


def _stand_in(item: Mapping[str, Any], encoder: str) -> Stream:
    if item["stages"] == 0:
        return Stream(item["name"], item["modality"], "identity")
    return Stream(item["name"], item["modality"], encoder, {_STAGES.get(encoder, "stages"): item["stages"]}, item.get("tie"))


def _as_built(fusion: Fusion, trunk: str | None) -> Fusion:
    known = OPERATORS[fusion.operator].params
    fusion = replace(fusion, params={name: value for name, value in fusion.params.items() if name in known})
    match = _TRUNK.fullmatch(trunk) if trunk is not None else None
    if match is None:
        return fusion
    if match["stream"]:
        return replace(fusion, trunk=Trunk("continue", stream=match["stream"]))
    return replace(fusion, trunk=Trunk(match["family"], int(match["number"])))  # type: ignore[arg-type]  # Trunk refuses other families


@cache
def _read_studies() -> dict[int, PublishedStudy]:
    records = json.loads(files(__package__).joinpath("designs.json").read_text(encoding="utf-8"))
    return {
        record["number"]: PublishedStudy(
            number=record["number"],
            key=record["key"],
            title=record["title"],
            year=record["year"],
            doi=record["doi"],
            printed="\n".join(record["printed"]["formula"]),
            sheet=record["printed"]["sheet"],
            as_built=record["as_built"],
        )
        for record in records
    }


class _PublishedStudies(Mapping[int | str, PublishedStudy]):
    """The studies by number or key; the file is read on first use.

    Raises:
        UnknownNameError: There is no study of that number or key.

    Example:
        >>> PUBLISHED["medfuse"].facts.task_kind, len(PUBLISHED)
        ('classification', 54)
    """

    def __getitem__(self, name: int | str) -> PublishedStudy:
        studies = _read_studies()
        for study in studies.values():
            if name in (study.number, study.key):
                return study
        hint = (
            suggestion(str(name), [study.key for study in studies.values()]) if isinstance(name, str) else "expected a number from 1 to 54"
        )
        raise UnknownNameError(f"unknown published study {name!r}: {hint}")

    def __contains__(self, name: object) -> bool:
        return any(name in (study.number, study.key) for study in _read_studies().values())

    def __iter__(self) -> Iterator[int | str]:
        return iter(_read_studies())

    def __len__(self) -> int:
        return len(_read_studies())


#: The 54 studies by number; a key such as `medfuse` finds one as well.
PUBLISHED: Mapping[int | str, PublishedStudy] = _PublishedStudies()


def published_design(name: int | str) -> FusionGraph:
    """Return the network of a study as it was built.

    Args:
        name: Its number in the review, or its key.

    Raises:
        UnknownNameError: There is no such study.

    Example:
        >>> print(published_design("medfuse").formula)
        ehr:tcn(stages=2) | cxr:cnn(stages=4); train = staged; F1 = recurrent(ehr@2, cxr@4) ->
    """
    return PUBLISHED[name].design()


def fitting_designs(modalities: Sequence[Modality]) -> tuple[dict[str, FusionGraph], dict[str, str]]:
    """Bind every published network to some data.

    Args:
        modalities: The modalities of the data.

    Returns:
        The networks that fit, and why each other one does not, both by the key of the study.

    Example:
        >>> designs, reasons = fitting_designs([Modality("chem", "tabular", (13,)), Modality("target", "tabular", (34,))])
        >>> sorted(modality.name for modality in designs["opcnn"].modalities)
        ['chem', 'target']
        >>> reasons["medfuse"]
        'it needs 1 timeseries (ehr), the data have none; 1 image2d (cxr), the data have none'
    """
    designs, reasons = {}, {}
    for study in PUBLISHED.values():
        try:
            designs[study.key] = study.bind(modalities)
        except DesignError as error:
            reasons[study.key] = str(error).partition(": ")[2]
    return designs, reasons


def printed_pattern(name: int | str) -> FusionPattern:
    """Return the formula that the review prints for a study.

    Args:
        name: Its number in the review, or its key.

    Raises:
        UnknownNameError: There is no such study.

    Example:
        >>> print(printed_pattern(3))
        F1 = 𝔸(x1^4, x2^5)
        F2 = 𝔸(x1^3, F1^1)
        F3 = 𝔸(x1^2, F2^1) →
    """
    return PUBLISHED[name].pattern()
