from __future__ import annotations

import pytest

from fusearch.reports.figures.learning_figures import learning_figures
from fusearch.reports.findings.learning import Learned, LearningPhase, MemberLosses

MEMBERS = tuple(MemberLosses(fold, 0, (1, 2, 3), (0.9, 0.5, 0.2), (0.8, 0.6, 0.7 + fold), 2, 0.6) for fold in range(3))


def phase(trial: int, name: str = "the whole design", members: tuple[MemberLosses, ...] = MEMBERS) -> LearningPhase:
    return LearningPhase(trial, "d", f"trial {trial}", name, members)


def test_each_member_has_two_lines_and_a_dot_at_its_best_epoch() -> None:
    figures = learning_figures(Learned(((phase(7), phase(7, "rna alone")), (phase(3),))))
    assert list(figures) == ["learning-0-0", "learning-0-1", "learning-1-0"]
    *lines, best = figures["learning-0-0"].data
    assert [line.name for line in lines] == ["training"] * 3 + ["validation"] * 3
    assert [line.showlegend for line in lines] == [True, False, False] * 2  # one entry of the legend for all members
    assert (best.x, best.y) == ((2, 2, 2), (0.6, 0.6, 0.6))
    assert best.text == ("fold 0, seed 0", "fold 1, seed 0", "fold 2, seed 0")
    assert not any(trace.customdata for trace in figures["learning-0-0"].data)  # a click on a line is no click on a trial


@pytest.mark.parametrize(("reason", "colour"), [(None, "#1f9d76"), ("none were kept", "#d9602b")])
def test_the_colour_says_which_is_the_recommended_design(reason: str | None, colour: str) -> None:
    figure = learning_figures(Learned(((phase(7),),), reason))["learning-0-0"]
    assert figure.data[3].line.color == colour


def test_a_training_without_held_out_rows_and_one_of_a_single_epoch() -> None:
    member = MemberLosses(0, 0, (1,), (0.9,), (), None, None)
    (trace,) = learning_figures(Learned(((phase(1, members=(member,)),),)))["learning-0-0"].data
    assert (trace.name, trace.mode) == ("training", "markers")
