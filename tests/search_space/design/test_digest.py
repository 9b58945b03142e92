from __future__ import annotations

from itertools import combinations

from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import HAND_MADE, graphs, law, same_designs

from fusearch.search_space import FusionGraph


@law
@given(st.data())
def test_names_and_order_do_not_matter(data: st.DataObject) -> None:
    graph = data.draw(graphs())
    again = data.draw(same_designs(graph))
    assert again.digest == graph.digest, f"{graph}\n\n{again}"


@law
@given(graphs(), graphs())
def test_designs_that_print_differently_after_sorting_differ(first: FusionGraph, second: FusionGraph) -> None:
    def counts(graph: FusionGraph) -> object:
        streams = sorted((s.modality, s.encoder, str(s.params)) for s in graph.streams)
        fusions = sorted(
            (f.operator, str(f.params), f.trunk.family, f.trunk.num_stages, sorted(str(a.depth) for a in f.args)) for f in graph.fusions
        )
        return streams, fusions, len(graph.outputs), graph.training

    assume(counts(first) != counts(second))
    assert first.digest != second.digest


def digest(*lines: str) -> str:
    return FusionGraph.parse("\n".join(lines)).digest


def test_twelve_hex_digits() -> None:
    assert len(digest("a:mlp", "a@L ->")) == 12
    assert int(digest("a:mlp", "a@L ->"), 16) >= 0


def test_hand_made_designs_differ() -> None:
    digests = [FusionGraph.parse(text).digest for text in HAND_MADE]
    assert len(set(digests)) == len(digests)


def test_one_changed_detail_changes_the_digest() -> None:
    header = "a:mlp | b:mlp"
    variants = [
        digest(header, "F1 = cat(a@1, b@1) ->"),
        digest(header, "F1 = cat(a@1, b@2) ->"),
        digest(header, "F1 = cat(a@2, b@1) ->"),
        digest(header, "F1 = cat(a@1, b@1; trunk=fc:1) ->"),
        digest(header, "F1 = cat(a@1, b@1; trunk=conv:1) ->"),
        digest(header, "F1 = gated_cat(a@1, b@1) ->"),
        digest(header, "F1 = sum(a@1, b@1) ->"),
        digest(header, "F1 = sum(a@1, b@1; trunk=continue(a)) ->"),
        digest(header, "train = staged", "F1 = cat(a@1, b@1) ->"),
        digest(header, "F1 = cat(a@1, b@1) ->", "a@score -> aux"),
        digest(header, "F1 = cat(a@1, b@1) ->", "b@score -> aux"),
        digest(header, "F1 = cat(a@1, b@1, a@1) ->"),
        digest(header, "F1 = film(a@1, b@1) ->"),
        digest(header, "F1 = film(b@1, a@1) ->"),
        digest("a:mlp(layers=3) | b:mlp", "train = staged", "F1 = cat(a@1, b@1) ->"),
        digest("x = a:mlp | y = a:mlp", "F1 = cat(x@1, y@1) ->"),
        digest("x = a:mlp | y = a:mlp(tie=x)", "F1 = cat(x@1, y@1) ->"),
    ]
    assert all(one != other for one, other in combinations(variants, 2))


def test_what_nothing_reads_is_no_part_of_a_design() -> None:
    variants = [
        digest("a:mlp(layers=1) | b:mlp", "F1 = cat(a@1, b@2) ->"),
        digest("a:mlp(layers=3) | b:mlp", "F1 = cat(a@1, b@2) ->"),
        digest("a:mlp(layers=3) | b:mlp(layers=3)", "F1 = cat(b@2, a@1; align=true) ->"),
    ]
    assert len(set(variants)) == 1
    assert FusionGraph.parse("a:mlp(layers=3) | b:mlp\nF1 = cat(a@1, b@0) ->").formula == (
        "a:mlp(layers=1) | b:identity; F1 = cat(a@1, b@0) ->"
    )


def test_a_join_of_joins_is_one_join_where_it_computes_the_same() -> None:
    head = "a:mlp | b:mlp | c:mlp"
    assert digest(head, "F1 = cat(a@1, b@2)", "F2 = cat(F1@0, c@1) ->") == digest(head, "F1 = cat(c@1, b@2, a@1) ->")
    assert digest(head, "F1 = sum(a@1, b@2)", "F2 = sum(F1@0, c@1) ->") == digest(head, "F1 = sum(a@1, b@2, c@1) ->")
    # Raw columns may differ in width, and a sum then projects them; a stage between is a layer.
    assert digest(head, "F1 = sum(a@0, b@0)", "F2 = sum(F1@0, c@1) ->") != digest(head, "F1 = sum(a@0, b@0, c@1) ->")
    assert digest(head, "F1 = cat(a@1, b@2)", "F2 = cat(F1@1, c@1) ->") != digest(head, "F1 = cat(a@1, b@2, c@1) ->")


def test_sharing_a_stream_differs_from_having_two_alike() -> None:
    shared = digest("a:mlp | b:mlp", "F1 = cat(a@1, b@1)", "F2 = sum(a@1, b@1)", "F3 = cat(F1@0, F2@0) ->")
    apart = digest("a:mlp | a2 = a:mlp | b:mlp", "F1 = cat(a@1, b@1)", "F2 = sum(a2@1, b@1)", "F3 = cat(F1@0, F2@0) ->")
    assert shared != apart


def test_ports_count() -> None:
    head = ("a:mlp | b:mlp", "F1 = mmtm(a@1, b@1)")
    assert digest(*head, "F2 = cat(F1.a@0, b@2) ->") != digest(*head, "F2 = cat(F1.b@0, b@2) ->")
    # mmtm is symmetric: its ports are known by their arguments.
    assert digest(*head, "F2 = cat(F1.a@0, b@2) ->") == digest(head[0], "F1 = mmtm(b@1, a@1)", "F2 = cat(F1.a@0, b@2) ->")


def test_interchangeable_streams_in_a_ring() -> None:
    """Colour refinement alone cannot tell two triangles from one ring of six; the search over orders can."""
    streams = [f"s{number}" for number in range(6)]
    header = " | ".join(f"{name} = a:mlp" for name in streams)

    def build(pairs: list[tuple[int, int]]) -> str:
        fusions = [f"P{k} = sum(s{i}@1, s{j}@1)" for k, (i, j) in enumerate(pairs)]
        top = ", ".join(f"P{k}@0" for k in range(len(pairs)))
        return "\n".join([header, *fusions, f"T = cat({top}) ->"])

    ring = build([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0)])
    turned = build([(3, 2), (0, 5), (2, 1), (1, 4), (4, 0), (5, 3)])
    triangles = build([(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)])
    assert FusionGraph.parse(ring).digest == FusionGraph.parse(turned).digest
    assert FusionGraph.parse(ring).digest != FusionGraph.parse(triangles).digest


def test_too_many_alike_still_have_a_digest() -> None:
    names = [f"s{number}" for number in range(8)]
    text = " | ".join(f"{name} = a:mlp" for name in names) + f"\nF1 = cat({', '.join(f'{name}@1' for name in names)}) ->"
    assert FusionGraph.parse(text).digest == FusionGraph.parse(text).digest


def test_conditions_of_an_operator_may_change_places() -> None:
    head = "a:mlp | b:mlp | c:mlp"
    for operator in ("film", "cross_attention", "dynamic_mlp"):
        one = digest(head, f"F1 = {operator}(a@1, b@1, c@2) ->")
        assert digest(head, f"F1 = {operator}(a@1, c@2, b@1) ->") == one
        assert digest(head, f"F1 = {operator}(b@1, a@1, c@2) ->") != one
    assert digest(head, "F1 = recurrent(a@1, b@1, c@2) ->") != digest(head, "F1 = recurrent(a@1, c@2, b@1) ->")
