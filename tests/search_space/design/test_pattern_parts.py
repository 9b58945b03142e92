from __future__ import annotations

from fusearch.search_space.design.pattern_parts import PatternFusion, PatternStream, PatternTap


def test_which_streams_are_free() -> None:
    assert PatternStream("x1").is_free
    assert PatternStream("rna", modality="m").is_free
    assert not PatternStream("rna").is_free
    assert not PatternStream("x").is_free


def test_classes_stand_for_their_operators() -> None:
    tensor = PatternFusion("F1", "⊞", ())
    assert tensor.allows("sum")
    assert tensor.allows("vote_mean")  # votes are printed as tensor operations
    assert not tensor.allows("cat")
    assert PatternFusion("F1", "?", ()).allows("cat")
    assert PatternFusion("F1", "attention", ()).operator == "𝔸"
    assert not PatternFusion("F1", "sum", ()).allows("mean")


def test_taps_print_in_the_reviews_typography() -> None:
    assert str(PatternTap("x2", "y2+1")) == "x2^y2+1"
