from __future__ import annotations

import json

import pytest

from fusearch.search_space import PUBLISHED, FusionGraph, FusionPattern

#: Sheets that print `sudden` beside more than one flow, against the rule that they follow elsewhere (study 1); the review's own table
#: calls 27 and 50 multi-flow.
SUDDEN_WITH_FLOWS = {17, 27, 50}


@pytest.mark.parametrize("number", list(PUBLISHED))
def test_the_printed_analysis_of_the_54_sheets(number: int) -> None:
    sheet = PUBLISHED[number].sheet
    labels = PUBLISHED[number].pattern().labels
    assert labels.fusions == sheet["fusions"]
    assert labels.multiple == sheet["multiple"]
    assert labels.flows == sheet["flows"]
    assert labels.synchronous == sheet["synchronous"]
    if number in SUDDEN_WITH_FLOWS:
        assert (labels.type, sheet["type"], sheet["flows"] > 1) == ("multi-flow", "sudden", True)
    else:
        assert labels.type == sheet["type"]


@pytest.mark.parametrize(
    ("formula", "level", "kind"),
    [
        ("a:mlp; a@L ->", "unimodal", "none"),
        ("a:mlp | b:mlp; F1 = cat(a@0, b@0; trunk=fc:2) ->", "early", "sudden"),
        ("a:mlp | b:mlp; F1 = cat(a@0, b@1) ->", "intermediate", "sudden"),
        ("a:mlp | b:mlp; train = independent; F1 = vote_mean(a@score, b@score) ->", "late", "sudden"),
        ("a:mlp | b:mlp; F1 = vote_mean(a@score, b@score) ->", "joint-late", "sudden"),
        ("a:mlp | b:mlp; train = independent; F1 = stacking(a@score, b@score) ->", "late", "sudden"),
        ("a:mlp | b:mlp; F1 = cat(a@score, b@score) ->", "joint-late", "sudden"),
        ("a:mlp | b:mlp | c:mlp; F1 = cat(a@1, b@1); F2 = cat(F1@1, c@1) ->", "intermediate", "gradual"),
        ("a:mlp | b:mlp; F1 = cat(a@1, b@1); F2 = cat(a@2, b@2); F3 = cat(F1@1, F2@1) ->", "intermediate", "multi-flow"),
    ],
)
def test_levels_and_types(formula: str, level: str, kind: str) -> None:
    labels = FusionGraph.parse(formula).labels
    assert (labels.level, labels.type) == (level, kind)


def test_two_streams_of_one_modality_are_one_modality() -> None:
    graph = FusionGraph.parse("x = a:mlp | y = a:mlp | b:mlp; F1 = cat(x@1, b@1); F2 = cat(F1@0, y@1) ->")
    assert graph.labels.type == "sudden"  # modality a enters at F1, though its stream y enters later
    assert graph.labels.flows == 1


def test_an_unknown_depth_is_never_synchronous() -> None:
    assert not FusionPattern.parse("F1 = ⊕(x1^?, x2^?) →").labels.synchronous
    assert FusionPattern.parse("F1 = ⊕(x1^x, x2^x) →").labels.synchronous
    assert not FusionPattern.parse("F1 = ⊕(x1^y, x2^y+1) →").labels.synchronous


def test_when_which_how() -> None:
    labels = FusionGraph.parse("a:mlp | b:mlp; train = staged; F1 = film(a@1, b@2; trunk=continue(a)) ->").labels
    assert labels.when == ("F1: a@1, b@2",)
    assert labels.which == ("F1: a, b",)
    assert labels.how == ("F1: film, continue(a)", "staged")
    assert json.loads(json.dumps(labels.to_dict()))["how"] == list(labels.how)
