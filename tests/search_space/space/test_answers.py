from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import MODALITIES, WIDE, drawn_graphs, law, same_designs

from fusearch.errors import SpaceError
from fusearch.search_space import Candidate, FusionGraph
from fusearch.search_space.space.answers import read_answers


@law
@given(st.data())
def test_a_design_is_found_under_other_names_and_orders(data: st.DataObject) -> None:
    graph = data.draw(drawn_graphs(WIDE))
    again = data.draw(same_designs(graph))
    assert WIDE.decode(WIDE.encode(Candidate(again))).graph.digest == graph.digest


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("zzz:mlp\nzzz@L ->", "modality 'zzz' is not in this space"),
        ("rna:mlp | b = rna:mlp | c = rna:mlp\nF1 = cat(rna@1, b@1, c@1) ->", "3 streams of modality 'rna': this space offers 2"),
        ("rna:mlp | b = rna:mlp(tie=rna)\nF1 = cat(rna@1, b@1) ->", "this space offers no ties"),
        ("rna:mlp | ecg:gru\nF1 = cat(rna@1, ecg@1, rna@2) ->", "takes 'rna' twice"),
        ("rna:mlp | ecg:gru\nF1 = cat(rna@1, ecg@1) ->\nF2 = sum(rna@1, ecg@1) -> grade", "this space offers one main output"),
    ],
)
def test_what_the_program_cannot_say(formula: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        read_answers(WIDE.settings, FusionGraph.parse(formula))


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("rna:mlp(layers=7)\nrna@L ->", "rna.layers is 7: this space offers"),
        ("rna:identity\nrna@L ->", "rna.encoder is 'identity': this space offers"),
        ("rna:mlp | ecg:gru\nF1 = cat(rna@1, ecg@1; trunk=fc:3) ->", "output.trunk is 3"),
        ("rna:mlp | ecg:gru\nF1 = cross_attention(rna@1, ecg@1; heads=3) ->", "f1.heads is 3"),
        ("rna:mlp | ecg:gru\nF1 = mmtm(rna@1, ecg@1)\nF2 = cat(F1.rna@0, ecg@1) ->", "outside of this space; the nearest in it is"),
    ],
)
def test_what_the_space_does_not_offer(formula: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        WIDE.encode(Candidate(FusionGraph.parse(formula, MODALITIES)))
