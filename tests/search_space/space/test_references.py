from __future__ import annotations

from strategies import MODALITIES

from fusearch.data.modality import Modality
from fusearch.search_space import SearchSpace
from fusearch.study import ROLES

TABLES = (Modality("a", "tabular", (3,)), Modality("b", "tabular", (4,)))


def formulas(space: SearchSpace) -> dict[str, list[str]]:
    return {role: [graph.formula for graph in graphs] for role, graphs in space.references().items()}


def test_tables() -> None:
    assert formulas(SearchSpace(TABLES)) == {
        "best_unimodal": [
            "a:mlp; a@L ->",
            "b:mlp; b@L ->",
            "a:identity; a@L ->",
            "b:identity; b@L ->",
            "a:identity; train = convex; a@L ->",
            "b:identity; train = convex; b@L ->",
        ],
        "linear": ["a:identity | b:identity; F1 = cat(a@0, b@0) ->", "a:identity | b:identity; train = convex; F1 = cat(a@0, b@0) ->"],
        "early": ["a:identity | b:identity; F1 = cat(a@0, b@0; trunk=fc:2) ->"],
        "penultimate": ["a:mlp | b:mlp; F1 = cat(a@2, b@2) ->"],
        "late": ["a:mlp | b:mlp; train = independent; F1 = vote_mean(a@score, b@score) ->"],
        "stacked": ["a:mlp | b:mlp; train = independent; F1 = stacking(a@score, b@score) ->"],
    }


def test_roles_and_levels() -> None:
    references = SearchSpace(MODALITIES, operators=["film"], encoders={"rna": ["ft_transformer"]}, scores=False).references()
    assert tuple(references) == ROLES
    levels = {role: graphs[0].labels.level for role, graphs in references.items()}
    assert levels == {
        "best_unimodal": "unimodal",
        "linear": "early",
        "early": "early",
        "penultimate": "intermediate",
        "late": "late",
        "stacked": "late",
    }
    assert len(references["best_unimodal"]) == 9  # each three times: as a network, without an encoder, and that one solved
    assert references["best_unimodal"][0].streams[0].encoder == "ft_transformer"


def test_other_kinds_enter_the_linear_model_flattened_where_they_are_small() -> None:
    large = Modality("ct", "volume3d", (1, 64, 64, 64))
    note = Modality("note", "text", (30,))
    assert formulas(SearchSpace((*MODALITIES, large, note)))["linear"] == [
        "rna:identity | scan:flatten | ecg:flatten; F1 = cat(rna@0, scan@0, ecg@0) ->",
        "rna:identity | scan:flatten | ecg:flatten; train = convex; F1 = cat(rna@0, scan@0, ecg@0) ->",
    ]


def test_one_modality_has_no_fusion_to_compare_with() -> None:
    assert formulas(SearchSpace(TABLES[:1])) == {
        "best_unimodal": ["a:mlp; a@L ->"],
        "linear": ["a:identity; a@L ->", "a:identity; train = convex; a@L ->"],
    }


def test_encoders_have_the_parameters_that_the_space_fixes() -> None:
    scan = Modality("scan", "image2d", (1, 32, 32))
    space = SearchSpace((*TABLES, scan), encoders={"a": ["ft_transformer(blocks=1)", "mlp(layers=1)"], "scan": ["cnn(stages=4)"]})
    assert formulas(space)["penultimate"] == ["a:mlp(layers=1) | b:mlp | scan:cnn(stages=4); F1 = cat(a@1, b@2, scan@L) ->"]
    only = SearchSpace(TABLES, encoders={"a": ["ft_transformer(blocks=1)"]})
    assert formulas(only)["best_unimodal"][0] == "a:ft_transformer(blocks=1); a@L ->"
