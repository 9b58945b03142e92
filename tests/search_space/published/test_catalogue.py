from __future__ import annotations

import pytest

from fusearch.errors import UnknownNameError
from fusearch.search_space import PUBLISHED, FusionGraph, FusionPattern, Recipe, printed_pattern, published_design


def test_there_are_54() -> None:
    assert list(PUBLISHED) == list(range(1, 55))
    assert len({study.key for study in PUBLISHED.values()}) == 54


def test_no_network_joins_a_thing_with_itself() -> None:
    """Where the review prints `F1^0` twice (18, 29), each reads a result of its own: the mean of all and all would be all."""
    for number in PUBLISHED:
        for fusion in published_design(number).fusions:
            assert len(set(fusion.args)) == len(fusion.args), f"{number}: {fusion}"


#: Joined by `cat` as they are, what another `cat` joined is one join: the fusions that are left out of the built designs.
ABSORBED = {21: {"F1"}, 24: {"F2"}, 43: {"F2"}}


@pytest.mark.parametrize("number", list(PUBLISHED))
def test_every_network_is_a_valid_design_of_the_right_depths(number: int) -> None:
    built = PUBLISHED[number].as_built
    graph = published_design(number)
    assert {stream.name: graph.num_stages(stream.name) for stream in graph.streams} == {
        stream["name"]: stream["stages"] for stream in built["streams"]
    }
    assert {modality.name: modality.kind for modality in graph.modalities} == {item["name"]: item["kind"] for item in built["modalities"]}
    written = {line.split(" = ")[0]: line.split("= ")[1].split("(")[0] for line in built["formula"] if " = " in line}
    kept = {name: operator for name, operator in written.items() if name not in ABSORBED.get(number, ())}
    assert {fusion.name: fusion.operator for fusion in graph.fusions} == kept
    for fusion in graph.fusions:
        trunk = built["trunks"].get(fusion.name)
        if trunk is not None and trunk.startswith("continue") and graph.num_stages(fusion.name):
            assert trunk == f"continue({fusion.trunk.stream})"
        elif trunk is not None and graph.num_stages(fusion.name):
            assert trunk == f"new({fusion.trunk.family},{fusion.trunk.num_stages})"
    assert graph.training == built["training"]
    assert FusionGraph.parse(str(graph)) == graph
    assert FusionGraph.from_dict(graph.to_dict()) == graph
    assert graph.to_pattern().matches(graph)
    assert all(modality.shape for modality in graph.modalities)


def test_no_two_are_the_same_design() -> None:
    assert len({published_design(number).digest for number in PUBLISHED}) == 54


def test_where_print_and_building_agree_the_printed_pattern_matches() -> None:
    """Of the sheets in layers of the encoders' blocks; most others count single layers or print another operator."""
    agreeing = {number for number in PUBLISHED if printed_pattern(number).matches(published_design(number))}
    assert {5, 10, 12, 13, 20, 41, 44} <= agreeing
    assert not agreeing & {1, 3, 4, 23, 36, 48}  # the atlas says that these are drawn otherwise than printed


def test_look_up() -> None:
    assert PUBLISHED["medfuse"] is PUBLISHED[25]
    assert "medfuse" in PUBLISHED
    assert 55 not in PUBLISHED
    assert isinstance(printed_pattern("medfuse"), FusionPattern)
    with pytest.raises(UnknownNameError, match="'medfus': did you mean 'medfuse'"):
        published_design("medfus")
    with pytest.raises(UnknownNameError, match="55: expected a number from 1 to 54"):
        published_design(55)


def test_numbers_of_training_that_belong_to_a_fusion() -> None:
    assert {number: study.recipe().loss_weight for number in PUBLISHED if (study := PUBLISHED[number]).recipe() != Recipe()} == {
        17: 1.0,
        36: 1.0,
    }


def test_visits_are_compared_by_their_absolute_difference() -> None:
    for number in (24, 43):
        compared = [fusion for fusion in published_design(number).fusions if fusion.operator == "difference"]
        assert [fusion.params["absolute"] for fusion in compared] == [True, True]


def test_siamese_streams_are_tied() -> None:
    assert {stream.name: stream.tie for stream in published_design(24).streams if stream.tie} == {"clinical2": "clinical1", "mri2": "mri1"}
