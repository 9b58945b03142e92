"""`show`: what a design is, and what it costs on a data set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusearch.data import Dataset, load_data
from fusearch.notebook import html_table
from fusearch.search_space import Candidate, FusionGraph, FusionPattern, PublishedStudy, Recipe, parse
from fusearch.search_space.published.named import find_study
from fusearch.settings import Settings

__all__ = ["Shown", "show"]


@dataclass(frozen=True)
class Shown:
    """What `show` found.

    Attributes:
        design: The design, or the pattern.
        facts: What `fusearch show --json` prints of it: `formula`, `labels`; of a design `digest`, `review` (its formula as the review
            prints it) and `streams`; with a data set `parameters`, `macs`, `memory` (bytes of a training step), `refused` (why a search
            does not train it) and `never_trained`.
        study: The published study that was asked for; None of a design of one's own.
    """

    design: FusionGraph | FusionPattern
    facts: Mapping[str, Any]
    study: PublishedStudy | None = None

    def __str__(self) -> str:
        lines = [f"{name}: {value}" for name, value in self._rows().items()]
        return "\n".join([str(self.design), *lines])

    def _repr_html_(self) -> str:
        rows = [{"fact": name, "value": value} for name, value in self._rows().items()]
        drawing = self.design._repr_html_() if isinstance(self.design, FusionGraph) else ""
        return drawing + html_table([{"design": str(self.design)}]) + html_table(rows)

    def _rows(self) -> dict[str, Any]:
        named = ("digest", "parameters", "macs", "memory", "refused")
        return {**self.facts["labels"], **{name: self.facts[name] for name in named if self.facts.get(name) is not None}}


def show(design: str | FusionGraph | FusionPattern, data: Dataset | str | Path | None = None) -> Shown:
    """Explain a design: its text, its labels, and on a data set its streams and its cost. The command `fusearch show`.

    Args:
        design: A design or a pattern, as text or as a value; or the number or key of a published one (`fusearch list designs`).
        data: The data set that it is for, or what `load_data` takes; a published design is bound to it.

    Raises:
        FormulaError: The text is no design; a caret shows the place.
        UnknownNameError: It is a word that names no published design.
        DesignError: A published design does not fit the data.
        DataError: The data set cannot be loaded.

    Example:
        >>> shown = show("F1 = cat(mean@1, worst@L) ->", "wisconsin")
        >>> shown.facts["labels"]["level"], shown.facts["parameters"] > 1000
        ('intermediate', True)
    """
    loaded = data if data is None or isinstance(data, Dataset) else load_data(data)
    modalities = () if loaded is None else loaded.modalities
    study = find_study(design) if isinstance(design, str) else None
    if isinstance(design, str):
        design = parse(design, modalities) if study is None else study.design() if loaded is None else study.bind(modalities)
    facts: dict[str, Any] = {"formula": str(design), "labels": design.labels.to_dict()}
    if isinstance(design, FusionPattern):
        return Shown(design, {**facts, "pattern": True}, study)
    facts = {"digest": design.digest, **facts, "review": str(design.to_pattern())}
    facts["streams"] = [
        {"stream": stream.name, "modality": stream.modality, "encoder": stream.encoder, "stages": design.num_stages(stream.name)}
        for stream in design.streams
    ]
    return Shown(design, facts if loaded is None else {**facts, **_costs(design, loaded)}, study)


def _costs(design: FusionGraph, data: Dataset) -> dict[str, Any]:
    from fusearch.evaluators.evaluator import TrainingEvaluator  # it needs torch, which a design alone does not

    evaluator, candidate = TrainingEvaluator(data), Candidate(design, Recipe())
    costs = evaluator.cheap(candidate)
    facts: dict[str, Any] = {name: int(value) if math.isfinite(value) else None for name, value in costs.items()}
    facts["refused"] = Settings().refusal(costs)
    if facts["refused"] is None:
        dead, named = evaluator.never_trained(candidate)
        facts["never_trained"] = {"parameters": list(dead), "of": named}
    return facts
