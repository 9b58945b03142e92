from __future__ import annotations

import pytest

from fusearch.data.modality import Modality
from fusearch.search_space import PUBLISHED, FusionGraph
from fusearch.search_space.published import FEATURES, design_distance, nearest_study

TABLES = (Modality("rna", "tabular", (8,)), Modality("cnv", "tabular", (5,)), Modality("labs", "tabular", (4,)))
BASE = "F1 = cat(rna@2, cnv@2) ->"

#: What differs from the base in one feature or two -> the features.
CHANGED = {
    "F1 = gated_cat(rna@2, cnv@2) ->": {"operators, as a collection", "classes of operators, by their shares"},
    "F1 = cat(rna@1, cnv@1) ->": {"mean depth of the taps of streams, as a share of their stages"},
    "F1 = cat(rna@2, cnv@2, labs@2) ->": {"number of modalities, by their ratio", "kinds of modalities, as a collection"},
    "train = staged; F1 = cat(rna@2, cnv@2) ->": {"training"},
    "F1 = cat(rna@1, cnv@2) ->": {"synchronous or not", "mean depth of the taps of streams, as a share of their stages"},
    "F1 = cat(rna@score, cnv@score) ->": {"level (early, intermediate, joint-late, late)"},
}


def design(text: str) -> FusionGraph:
    return FusionGraph.parse(text, TABLES)


@pytest.mark.parametrize("text", CHANGED)
def test_a_change_is_seen_in_its_features(text: str) -> None:
    one, other = design(BASE), design(text)
    differing = {name for name, compare in FEATURES.items() if compare(one, other) > 0}
    assert differing - {"classes of operators, by their shares"} == CHANGED[text] - {"classes of operators, by their shares"}
    assert design_distance(one, other) == pytest.approx(sum(compare(one, other) for compare in FEATURES.values()) / 10)


def test_types_and_numbers_of_fusions_are_seen() -> None:
    one, other = design(BASE), design("F1 = cat(rna@2, cnv@2); F2 = cat(F1@1, labs@2) ->")
    assert FEATURES["number of fusions, by their ratio"](one, other) == 0.5
    assert FEATURES["type (sudden, gradual, multi-flow)"](one, other) == 1
    assert FEATURES["operators, as a collection"](one, other) == 0.5


@pytest.mark.parametrize("study", PUBLISHED.values(), ids=lambda study: study.key)
def test_every_published_network_is_its_own_neighbour_or_has_a_twin(study) -> None:
    found, distance = nearest_study(study.design())
    assert distance == 0
    assert found.number <= study.number


def test_the_distance_is_symmetric_and_between_0_and_1() -> None:
    designs = [PUBLISHED[number].design() for number in (1, 4, 20, 28, 36, 45, 52)]
    for one in designs:
        for other in designs:
            assert 0 <= design_distance(one, other) <= 1
            assert design_distance(one, other) == pytest.approx(design_distance(other, one))


@pytest.mark.parametrize("key", ["opcnn", "mmdynamics", "uncertainty-latefusion-lung"])
def test_a_network_on_other_data_finds_its_study(key: str) -> None:
    assert nearest_study(PUBLISHED[key].bind(TABLES))[0].key == key


def test_a_design_finds_its_family() -> None:
    late = design("train = independent; F1 = vote_weighted(rna@score, cnv@score) ->")
    assert nearest_study(late)[0].key == "uncertainty-latefusion-lung"


def test_a_single_modality_is_compared_by_its_output() -> None:
    assert 0 < nearest_study(design("rna@L ->"))[1] <= 1
