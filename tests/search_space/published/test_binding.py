"""Which modality of the data a study's becomes, what streams and fusions are called then, and why a network does not fit."""

from __future__ import annotations

import pytest

from fusearch.data.modality import Modality
from fusearch.errors import DesignError
from fusearch.search_space import PUBLISHED, fitting_designs
from fusearch.search_space.published.binding import assign


def tables(*names: str) -> list[Modality]:
    return [Modality(name, "tabular", (7,)) for name in names]


def test_modalities_are_taken_by_kind_and_in_order() -> None:
    data = [*tables("b", "a"), Modality("ecg", "timeseries", (20, 3)), *tables("c")]
    assert {name: modality.name for name, modality in assign(tables("first", "second"), data).items()} == {"first": "b", "second": "a"}
    assert [stream.name for stream in PUBLISHED["opcnn"].bind(data).streams] == ["b", "a"]
    assert [stream.name for stream in PUBLISHED["opcnn"].bind([data[3], data[0]]).streams] == ["c", "b"]
    assert [stream.name for stream in PUBLISHED["hf-vrnn-grus"].bind(data).streams] == ["ecg", "b"]


def test_two_streams_of_a_modality_are_numbered() -> None:
    data = [Modality("t1", "volume3d", (1, 8, 8, 8)), Modality("t2", "volume3d", (1, 8, 8, 8)), *tables("labs")]
    assert [stream.name for stream in PUBLISHED["ovarian-dnonl"].bind(data).streams] == ["t1", "t2", "labs", "labs_2"]


def test_names_of_the_data_never_collide_with_those_of_the_design() -> None:
    bound = PUBLISHED["mmdynamics"].bind(tables("F1", "train", "score"))
    assert [stream.name for stream in bound.streams] == ["F1", "train_1", "score_1"]
    assert [fusion.name for fusion in bound.fusions] == ["FF1"]


def test_a_port_is_renamed_with_its_stream() -> None:
    bound = PUBLISHED["gmrlnet"].bind([Modality("left", "image2d", (1, 16, 16)), Modality("right", "image2d", (1, 16, 16))])
    assert {str(tap) for fusion in bound.fusions for tap in fusion.args if tap.port} <= {"F1.left@1", "F1.right@1"}


@pytest.mark.parametrize(
    ("key", "data", "message"),
    [
        ("mmdynamics", tables("a", "b"), "study 36 (mmdynamics): it needs 3 tabular (mrna, meth, mirna), the data have 2 (a, b)"),
        ("opcnn", [], "study 45 (opcnn): it needs 2 tabular (chemical, target), the data have none"),
        (
            "medfuse",
            tables("a"),
            "study 25 (medfuse): it needs 1 timeseries (ehr), the data have none; 1 image2d (cxr), the data have none",
        ),
    ],
)
def test_a_network_that_does_not_fit_says_why(key: str, data: list[Modality], message: str) -> None:
    with pytest.raises(DesignError) as caught:
        PUBLISHED[key].bind(data)
    assert str(caught.value) == message
    assert fitting_designs(data)[1][key] == message.partition(": ")[2]


def test_streams_that_share_weights_need_one_shape() -> None:
    volumes = [Modality("before", "volume3d", (1, 8, 8, 8)), Modality("after", "volume3d", (1, 8, 8, 16))]
    with pytest.raises(DesignError, match=r"study 24 \(multi3dsiamese\): stream 'after' is tied to 'before' but"):
        PUBLISHED["multi3dsiamese"].bind([*tables("a", "b", "c"), *volumes])


def test_every_study_fits_or_has_a_reason() -> None:
    designs, reasons = fitting_designs([*tables("a", "b"), Modality("ecg", "timeseries", (20, 3))])
    assert set(designs) | set(reasons) == {study.key for study in PUBLISHED.values()}
    assert not set(designs) & set(reasons)
    assert {"opcnn", "hf-vrnn-grus", "pci-ecg-emr"} <= set(designs)
