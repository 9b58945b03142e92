import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.errors import DataError

SHAPES = {"tabular": (5,), "timeseries": (9, 2), "image2d": (1, 8, 8), "volume3d": (1, 4, 8, 8), "text": (12,), "graph": (6, 3 + 6)}


@pytest.mark.parametrize(("kind", "shape"), SHAPES.items())
def test_a_shape_fits_its_kind(kind: str, shape: tuple[int, ...]) -> None:
    assert Modality("m", kind, shape).shape == shape
    with pytest.raises(DataError, match=f"does not fit kind '{kind}'"):
        Modality("m", kind, (*shape, 2, 2, 2))
    with pytest.raises(DataError, match=f"does not fit kind '{kind}'"):
        Modality("m", kind, (0, *shape[1:]))


@given(st.sampled_from(list(KINDS)))
def test_a_modality_without_a_shape_is_a_name_and_a_kind(kind: str) -> None:
    assert Modality("m", kind) == Modality("m", kind, ())


def test_messages() -> None:
    with pytest.raises(DataError, match=r"modality 'x': unknown kind 'tabluar', did you mean 'tabular'\?"):
        Modality("x", "tabluar")
    with pytest.raises(DataError, match="modality 'x-ray': expected letters, digits and '_', not starting with a digit"):
        Modality("x-ray", "image2d")
