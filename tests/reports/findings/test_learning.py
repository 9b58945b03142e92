from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted_runs import planted_losses, planted_trials

from fusearch.layout import predictions_file
from fusearch.reports.findings.learning import Learned, learned_sentence, read_learned
from fusearch.trials import Trials

DESIGNS = [("rna", 0.5, "best_unimodal"), ("labs", 0.4, "best_unimodal"), ("F1 = cat(rna@L, labs@L) ->", 2.0, None)]


def curves(epochs: int, best: int, members: int = 5) -> np.ndarray:
    """Return losses whose least validation loss is in an epoch; member m has ended m epochs before the others."""
    at = np.arange(1, epochs + 1)
    losses = np.stack([1 / at, 1 + (at - best) ** 2 / 100], axis=1)
    kept = np.repeat(losses[None], members, axis=0)
    for member in range(members):
        kept[member, epochs - member :] = np.nan
    return kept


def read(trials: Trials) -> Learned:
    return read_learned(trials, trials.records[2], lambda record: f"trial {record.number}")


def test_the_pick_comes_first_and_each_member_has_its_epochs_and_its_best_one(tmp_path: Path) -> None:
    trials = planted_losses(planted_trials(tmp_path, DESIGNS), {0: [curves(9, 3)], 1: [curves(9, 3)], 2: [curves(12, 6)]})
    found = read(trials)
    assert [phases[0].trial for phases in found.designs] == [2, 0, 1]
    assert found.reason is None
    (phase,) = found.designs[0]
    assert (phase.label, phase.phase) == ("trial 2", "the whole design")
    assert [(each.fold, each.seed) for each in phase.members] == [(fold, 0) for fold in range(5)]
    assert [len(each.epochs) for each in phase.members] == [12, 11, 10, 9, 8]
    assert [each.best for each in phase.members] == [6] * 5
    assert phase.members[0].training[:3] == (1.0, 0.5, 0.3333)
    assert phase.members[0].best_loss == min(phase.members[0].validation) == 1.0
    assert learned_sentence(trials.records[2], None) == "The 5 members of the recommended design were best at epoch 6."


def test_phases_are_told_apart_and_one_that_a_member_took_over_is_left_out(tmp_path: Path) -> None:
    alone = curves(12, 2)
    alone[4] = np.nan
    trials = planted_losses(planted_trials(tmp_path, DESIGNS), {2: [alone, curves(12, 6)]}, phases=("rna", "fusion"))
    found = read(trials)
    assert [phase.phase for phase in found.designs[0]] == ["the whole design", "stream rna alone"]
    assert [each.fold for each in found.designs[0][1].members] == [0, 1, 2, 3]


def test_without_held_out_rows_there_is_no_best_epoch(tmp_path: Path) -> None:
    trials = planted_losses(planted_trials(tmp_path, DESIGNS), {2: [curves(12, 6)]})
    file = predictions_file(tmp_path, "candidate2")
    with np.load(file) as held:
        arrays = {name: held[name] for name in held.files}
    arrays["losses"][..., 1] = np.nan
    np.savez(file, **arrays)
    member = read(trials).designs[0][0].members[0]
    assert (member.validation, member.best, member.best_loss) == ((), None, None)
    assert len(member.training) == 12


def test_long_trainings_are_thinned_and_keep_both_ends(tmp_path: Path) -> None:
    trials = planted_losses(planted_trials(tmp_path, DESIGNS), {2: [curves(5000, 3333)]})
    member = read(trials).designs[0][0].members[0]
    assert len(member.epochs) == 200
    assert (member.epochs[0], member.epochs[-1], member.best) == (1, 5000, 3333)


@pytest.mark.parametrize("shape", [None, (4, 1, 7, 2), (5, 1, 7)])
def test_what_is_not_told_is_said_in_words(tmp_path: Path, shape: tuple[int, ...] | None) -> None:
    trials = planted_losses(planted_trials(tmp_path, DESIGNS), {2: [curves(12, 6)]})
    file = predictions_file(tmp_path, "candidate2")
    with np.load(file) as held:
        arrays = {name: held[name] for name in held.files if name != "losses"}
    np.savez(file, **arrays, **({} if shape is None else {"losses": np.ones(shape, np.float32)}))
    found = read(trials)
    assert found.designs == ()
    assert found.reason == ("no losses of single epochs were kept" if shape is None else "the losses that were kept cannot be read")
    assert learned_sentence(trials.records[2], found.reason).startswith(f"No learning curves of trial 2: {found.reason}. The 5 members")


def test_a_solved_design_a_missing_file_and_no_design(tmp_path: Path) -> None:
    trials = planted_losses(planted_trials(tmp_path, DESIGNS), {2: [curves(0, 1)], 0: [curves(9, 3)]})
    found = read(trials)
    assert found.reason == "it is solved in one step, not trained by epochs"
    assert [phases[0].trial for phases in found.designs] == [0]
    assert learned_sentence(trials.records[2], found.reason) == f"No learning curves of trial 2: {found.reason}."
    assert read(replace(trials, path=None)).designs == ()
    predictions_file(tmp_path, "candidate2").write_bytes(b"no archive")
    assert read(trials).reason == "no losses of single epochs were kept"
    assert read_learned(trials, None, str).reason == "nothing was evaluated"
    own = replace(trials.records[2], details={"members": 3})
    assert learned_sentence(own, "none were kept") == f"No learning curves of trial {own.number}: none were kept."
