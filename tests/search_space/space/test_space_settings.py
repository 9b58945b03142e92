from __future__ import annotations

import pytest
from strategies import MODALITIES

from fusearch.data.modality import Modality
from fusearch.errors import SpaceError, UnknownNameError
from fusearch.search_space import DEFAULT_OPERATORS, OPERATORS, SearchSpace
from fusearch.search_space.space.space_settings import choose_encoders


def test_default_operators_cover_every_class_twice_and_the_votes() -> None:
    families = [OPERATORS[name].family for name in DEFAULT_OPERATORS]
    assert all(families.count(family) >= 2 for family in set(families))
    assert set(families) == {"concatenation", "tensor", "attention", "calibration", "sharing", "decision"}
    assert {"vote_mean", "vote_weighted"} <= set(DEFAULT_OPERATORS)
    assert not any(OPERATORS[name].needs_grid for name in DEFAULT_OPERATORS)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"max_fusions": -1}, SpaceError, "max_fusions is -1"),
        ({"max_trunk": True}, SpaceError, "max_trunk is True"),
        ({"max_streams": 0}, SpaceError, "max_streams is 0"),
        ({"trunks": ("fcc",)}, SpaceError, "did you mean 'fc'"),
        ({"trunks": ("continue",)}, SpaceError, "at least one trunk family"),
        ({"trainings": ("independent",)}, SpaceError, "at least one trunk family other than 'continue' and one training"),
        ({"operators": ["catt"]}, UnknownNameError, "did you mean 'cat'"),
        ({"operators": []}, SpaceError, "expected at least one that joins two arguments"),
        ({"operators": ["cat_channels"]}, SpaceError, "joins any two arguments"),
        ({"operators": ["expert_gated_unit"]}, SpaceError, "joins any two arguments"),
        ({"encoders": {"rn": ["mlp"]}}, SpaceError, "unknown modality 'rn', did you mean 'rna'"),
        ({"encoders": {"rna": ["cnn"]}}, SpaceError, "'cnn' does not read modality 'rna', which is tabular"),
        ({"encoders": {"rna": []}}, SpaceError, "none for modality 'rna'"),
        ({"encoders": {"rna": {"mlp": 3}}}, SpaceError, "encoders: rna: {'mlp': 3}, expected a name or a list of names"),
        ({"encoders": 3}, SpaceError, "encoders: 3, expected a name or a list of names"),
        ({"operators": 3}, SpaceError, "operators: 3, expected a name or a list of names"),
        ({"trunks": {"fc": 2}}, SpaceError, "trunks: {'fc': 2}, expected a name or a list of names"),
        ({"scores": "maybe"}, SpaceError, "scores is 'maybe', expected true or false"),
        ({"encoders": ["mlpp"]}, UnknownNameError, "did you mean 'mlp'"),
    ],
)
def test_illegal_settings(wrong: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SearchSpace(MODALITIES, **wrong)  # type: ignore[arg-type]  # the point of the test


def test_modalities_have_to_differ() -> None:
    with pytest.raises(SpaceError, match="one modality or more"):
        SearchSpace(())
    with pytest.raises(SpaceError, match="the same name"):
        SearchSpace((MODALITIES[0], MODALITIES[0]))


def test_encoders_by_name_go_to_the_modalities_that_they_read() -> None:
    assert choose_encoders(MODALITIES, ["gru", "mlp", "identity"]) == {
        "rna": ("mlp", "identity"),
        "scan": ("identity",),
        "ecg": ("gru", "identity"),
    }
    assert choose_encoders(MODALITIES, {"ecg": ["gru"]}) == {"rna": ("mlp",), "scan": ("cnn",), "ecg": ("gru",)}
    assert choose_encoders(MODALITIES, None)["scan"] == ("cnn",)


def test_names_of_streams_and_fusions_never_collide() -> None:
    odd = [Modality(name, "tabular", (3,)) for name in ("F1", "a", "a_2", "L", "train", "f1", "late", "recipe")]
    space = SearchSpace(odd, max_streams=2)
    names = [name for names in space.settings.slots.values() for name in names]
    assert len(set(names)) == 16
    assert space.settings.prefix == "FF"
