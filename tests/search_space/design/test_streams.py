from __future__ import annotations

import pytest

from fusearch.data.modality import Modality
from fusearch.search_space import Stream
from fusearch.search_space.design.parts import RuleError
from fusearch.search_space.design.streams import complete_streams, count_stages

MODALITIES = {name: Modality(name, "tabular", (4,)) for name in ("a", "b")}


def test_a_tied_stream_takes_over_parameters_whatever_the_order() -> None:
    streams = complete_streams([Stream("t", "b", "mlp", tie="s"), Stream("s", "a", "mlp", {"layers": 3})], MODALITIES)
    assert list(streams) == ["t", "s"]
    assert streams["t"].params == {"layers": 3}
    assert count_stages(streams["t"]) == 3


def test_a_stream_cannot_be_tied_to_itself() -> None:
    with pytest.raises(RuleError, match="tied to 's', which is no other stream"):
        complete_streams([Stream("s", "a", "mlp", tie="s")], MODALITIES)


def test_unknown_encoder() -> None:
    with pytest.raises(RuleError, match="unknown encoder 'mlpp': did you mean 'mlp'"):
        complete_streams([Stream("s", "a", "mlpp")], MODALITIES)
