from __future__ import annotations

import pytest

from fusearch.data.modality import Modality
from fusearch.search_space.design.resolution import Resolution, resolve
from fusearch.search_space.design.tap_facts import Carried, carried_args
from fusearch.search_space.notation import read_design

MODALITIES = [Modality("a", "tabular", (5,)), Modality("b", "tabular", (4,)), Modality("i", "image2d", (1, 16, 16))]


def design(text: str) -> Resolution:
    draft = read_design(text, MODALITIES)
    return resolve(draft.modalities, draft.streams, draft.fusions, draft.outputs, draft.training)


@pytest.mark.parametrize(
    ("tap", "carried"),
    [
        ("a@0", Carried(False, None)),  # as wide as the table
        ("a@1", Carried(False, "recipe")),
        ("i@0", Carried(True, None)),
        ("i@2", Carried(True, "recipe")),
        ("i@L", Carried(False, "recipe")),
        ("i@*", Carried(False, None)),
        ("i@score", Carried(False, "scores")),
    ],
)
def test_streams(tap: str, carried: Carried) -> None:
    found = design(f"a | i; F1 = cat({tap}, a@2, i@3) ->")
    assert carried_args(found)["F1"][0] == carried


@pytest.mark.parametrize(
    ("join", "tap", "carried"),
    [
        ("cat(a@1, i@1)", "F1@0", Carried(False, None)),
        ("cat(a@1, i@1; align=1)", "F1@0", Carried(True, None)),
        ("sum(a@1, b@1)", "F1@0", Carried(False, "recipe")),
        ("sum(a@1, b@0)", "F1@0", Carried(False, None)),
        ("sum(a@1, i@1)", "F1@0", Carried(True, "recipe")),
        ("film(a@1, i@1)", "F1@0", Carried(False, "recipe")),
        ("film(i@1, a@1)", "F1@1", Carried(True, "recipe")),
        ("film(i@1, a@1; trunk=continue(i))", "F1@1", Carried(True, "recipe")),
        ("co_attention(i@1, a@1)", "F1.a@0", Carried(False, "recipe")),
        ("co_attention(i@1, a@1)", "F1.i@0", Carried(True, "recipe")),
        ("self_attention(i@1, a@1)", "F1@0", Carried(False, None)),
        ("cat_tokens(a@1, b@1)", "F1@0", Carried(True, None)),
    ],
)
def test_fusions(join: str, tap: str, carried: Carried) -> None:
    found = design(f"a | b | i:cnn(stages=3); F1 = {join}; F2 = cat({tap}, b@2, a@2, i@3) ->")
    assert carried_args(found)["F2"][0] == carried
