from __future__ import annotations

import json

import pytest
from strategies import HAND_MADE

from fusearch.errors import DesignError
from fusearch.search_space import FusionGraph
from fusearch.search_space.design.record import from_record


def test_a_record_is_plain_json() -> None:
    for text in HAND_MADE:
        graph = FusionGraph.parse(text)
        assert FusionGraph.from_dict(json.loads(json.dumps(graph.to_dict()))) == graph


def test_unknown_and_missing_keys_are_named() -> None:
    record = FusionGraph.parse(HAND_MADE[0]).to_dict()
    with pytest.raises(DesignError, match="design: unknown key 'fusion', did you mean 'fusions'"):
        from_record({**record, "fusion": []})
    del record["fusions"][0]["trunk"]
    with pytest.raises(DesignError, match="fusion: key 'trunk' is missing"):
        from_record(record)
