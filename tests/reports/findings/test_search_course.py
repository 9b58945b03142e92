from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from fusearch.contracts import Objective
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.search_course import (
    more_seeds_sentence,
    progress_info,
    races_sentence,
    throughput_info,
    trainings_sentences,
)
from fusearch.run import Run
from fusearch.study import TrialRecord
from fusearch.trials import Trials

AUROC, MACS = Objective.parse("auroc"), Objective.parse("macs")


def findings(points: list[tuple[float, float]], **facts: object) -> Findings:
    records = [
        replace(
            TrialRecord("", f"g{number}", f"c{number}", number=number, state="complete", objectives={"auroc": y, "macs": x}),
            ended=float(number),
            **facts,  # type: ignore[arg-type]
        )
        for number, (x, y) in enumerate(points)
    ]
    return Findings(Trials(records, (AUROC, MACS)))


def test_hypervolume_by_hand() -> None:
    # Ranges are 10 MACs and 0.5 AUROC; the reference point lies a tenth beyond, so the box is 1.1 by 1.1 in units of the ranges.
    info = progress_info(findings([(20, 0.5), (10, 1.0)]))
    assert info.hypervolume == pytest.approx((0.1 * 0.1 / 1.1**2, 1.0))
    assert info.references is None


def test_the_curve_never_falls_and_stays_in_the_box(make_run: Callable[..., Run]) -> None:
    info = progress_info(read_findings(make_run(50)))
    assert len(info.trials) == len(info.hypervolume) == 50
    assert all(a <= b + 1e-12 for a, b in itertools.pairwise(info.hypervolume))
    assert 0 < info.hypervolume[0] <= info.hypervolume[-1] <= 1
    assert info.references is not None
    assert info.references <= info.hypervolume[-1]


def test_trials_count_in_the_order_in_which_they_finished() -> None:
    found = findings([(20, 0.5), (10, 1.0)])
    late = replace(found.records[0], ended=9.0)
    assert progress_info(Findings(Trials([late, found.records[1]], found.objectives))).trials == (1, 0)


@pytest.mark.parametrize("objectives", [("auroc",), ("auroc", "macs", "latency_ms", "log_loss")])
def test_one_and_four_objectives(make_run: Callable[..., Run], objectives: tuple[str, ...]) -> None:
    assert 0 < progress_info(read_findings(make_run(30, objectives=objectives))).hypervolume[-1] <= 1


def test_throughput_adds_up() -> None:
    found = findings([(20, 0.5), (10, 1.0), (5, 0.7)], started=0.0, seconds=4.0)
    through = throughput_info(found)
    assert (through.wall, through.work, through.finished, through.median) == (2.0, 12.0, 3, 4.0)
    assert (through.per_minute, through.parallel) == (90.0, 6.0)
    empty = throughput_info(Findings(Trials((), (AUROC,))))
    assert (empty.wall, empty.per_minute, empty.parallel) == (None, None, None)


def test_what_races_did_in_words(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(20, raced=1))
    assert races_sentence(found.trials.races) == "Races stopped 1 design that could hardly win, and saved 3 % of the trainings of folds."
    assert races_sentence(read_findings(make_run(5)).trials.races) == ""
    left = "3 recipes left the training to better recipes of the same design: 1 after epoch 20 and 2 after epoch 40."
    assert races_sentence(read_findings(make_run(20, outrun=3)).trials.races) == left
    alone = read_findings(make_run(20))
    assert throughput_info(found).work == throughput_info(alone).work + 2.0, "what they took is work too"
    assert throughput_info(found).finished == 20


def test_who_got_more_seeds_in_words() -> None:
    told = "After the search 2 designs on the front or next to it got 5 more seeds, as their order did not stand."
    assert more_seeds_sentence({"designs": 2, "seeds": 5, "failed": 0}) == told
    failed = "After the search 1 design on the front or next to it got 1 more seed, as their order did not stand; 2 trainings failed."
    assert more_seeds_sentence({"designs": 1, "seeds": 1, "failed": 2}) == failed
    assert more_seeds_sentence({"designs": 0, "seeds": 0, "failed": 0}) == ""


def test_how_designs_were_trained_in_words() -> None:
    trainings = {
        "packed": 5,
        "in_the_loop": {"a buffer": 2, "No rule. No fallback.": 1},
        "not_captured": {"a wait for the CPU": 1},
        "streams": {"asked": 45, "found": 9, "bytes": 1_230_000},
    }
    assert trainings_sentences(trainings) == [
        "Trained as packs: 5 trials.",
        "Trained one member after the other, 2 trials: a buffer.",
        "Trained one member after the other, 1 trial: No rule. No fallback.",
        "Steps not captured as CUDA graphs, 1 trial: a wait for the CPU.",
        "Streams trained alone: 45, 9 of them taken from what is kept (1.2 MB).",
    ]
    assert trainings_sentences(findings([(0.8, 1.0)]).trials.trainings) == []


def test_the_trainings_of_more_seeds_are_work_and_no_designs() -> None:
    found = findings([(0.8, 1.0), (0.9, 2.0)], seconds=3.0)
    more = replace(found.records[0], number=2, more_seeds_of=0)
    seeded = Findings(Trials([*found.records, more], found.objectives))
    assert throughput_info(found).work == 6.0
    assert (throughput_info(seeded).work, throughput_info(seeded).finished) == (9.0, 2)
    assert progress_info(seeded).trials == progress_info(found).trials
