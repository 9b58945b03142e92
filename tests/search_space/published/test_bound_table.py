"""All 54 networks bound to data of their kinds and counts, a line of output each with `-v`."""

from __future__ import annotations

from pathlib import Path

import pytest

from fusearch.search_space import PUBLISHED, fitting_designs
from fusearch.search_space.published.bound_table import bind_to_kinds, bound_rows, data_of_kinds

PAGE = Path(__file__).parents[3] / "docs" / "published.md"


@pytest.mark.parametrize("study", PUBLISHED.values(), ids=lambda study: f"{study.number}-{study.key}")
def test_a_network_is_bound_to_data_of_its_kinds_and_counts(study) -> None:
    design, data = study.design(), data_of_kinds(study)
    assert [modality.kind for modality in data] == [modality.kind for modality in design.modalities]
    assert all(one.shape != other.shape for one, other in zip(data, design.modalities, strict=True))
    row = bind_to_kinds(study)
    bound = row.design
    assert {(modality.name, modality.shape) for modality in bound.modalities} == {(modality.name, modality.shape) for modality in data}
    assert bound.to_pattern() == design.to_pattern()
    assert [(fusion.operator, fusion.params, fusion.trunk.family, fusion.trunk.num_stages) for fusion in bound.fusions] == [
        (fusion.operator, fusion.params, fusion.trunk.family, fusion.trunk.num_stages) for fusion in design.fusions
    ]
    own = {modality.name: other.name for modality, other in zip(design.modalities, data, strict=True)}
    assert [stream.modality for stream in bound.streams] == [own[stream.modality] for stream in design.streams]
    assert bound.training == design.training
    assert study.bind(tuple(sorted(data, key=lambda modality: modality.kind))).digest == bound.digest  # order matters inside a kind alone
    assert study.bind(design.modalities).digest == design.digest
    assert study.key in fitting_designs(data)[0]
    line = next(line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {study.number} |"))
    assert f"`{study.key}`" in line
    assert f"| {row.kinds} |" in line
    assert f"`{row.fusions}`" in line


def test_there_is_a_row_for_each_study() -> None:
    assert [row.study.number for row in bound_rows()] == list(range(1, 55))
