from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted_runs import planted_trials
from sklearn.metrics import roc_auc_score

from fusearch.contracts import Objective
from fusearch.data import load_data
from fusearch.data.given_weights import GivenWeights
from fusearch.errors import DataError, RunError
from fusearch.layout import LEVELS, predictions_file
from fusearch.reports.findings.level_scores import ColumnScores, keep_levels, level_cells, level_note, read_level_scores
from fusearch.run import Run
from fusearch.trials import Trials

DESIGNS = [("rna", 0.5, "best_unimodal"), ("F1 = cat(rna@L, labs@L) ->", 2.0, None)]


def read(trials: Trials, column: Callable[[int], str | None], rows: int = 300) -> ColumnScores:
    plant(trials, {"site": {f"p{row}": column(row) for row in range(rows)}})
    (told,) = read_level_scores(trials, trials.records[1], lambda record: f"trial {record.number}")
    return told


def plant(trials: Trials, columns: Mapping[str, Mapping[str, str | None]]) -> None:
    assert trials.path is not None
    (trials.path / LEVELS).write_text(json.dumps(columns))


def planted(folder: Path, trial: int) -> tuple[np.ndarray, np.ndarray]:
    with np.load(predictions_file(folder, f"candidate{trial}")) as file:
        return file["targets"], file["probabilities"][:, 1]


def test_each_level_has_the_score_of_its_own_rows_with_an_interval_around_it(tmp_path: Path) -> None:
    told = read(planted_trials(tmp_path, DESIGNS), lambda row: "north" if row % 3 else "south")
    assert (told.metric, told.designs) == ("auroc", ("trial 1", "trial 0"))
    assert [(each.level, each.rows) for each in told.levels] == [(None, 300), ("north", 200), ("south", 100)]
    rows = [np.arange(300), np.arange(300) % 3 > 0, np.arange(300) % 3 == 0]
    for level, held in zip(told.levels, rows, strict=True):
        values = [roc_auc_score(*(each[held] for each in planted(tmp_path, trial))) for trial in (1, 0)]
        assert [score.value for score in level.scores] == pytest.approx(values)
        assert all(score.low < score.value < score.high for score in level.scores)
        assert level.gain is not None
        assert level.gain.value == pytest.approx(values[0] - values[1])
        assert level.gain.low < level.gain.value < level.gain.high
    widths = [level.scores[1].high - level.scores[1].low for level in told.levels]
    assert widths[0] < widths[2]


def test_a_loss_gains_where_it_is_less(tmp_path: Path) -> None:
    told = read(planted_trials(tmp_path, DESIGNS, objectives=("log_loss", "macs")), lambda row: "here")
    pick, other = told.levels[0].scores
    assert told.levels[0].gain is not None
    assert told.levels[0].gain.value == pytest.approx(other.value - pick.value)


def test_levels_with_too_few_rows_or_too_few_of_a_class_have_no_number(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, DESIGNS)
    targets = planted(tmp_path, 0)[0]
    positive = np.flatnonzero(targets == 1)[:3].tolist()
    negative = np.flatnonzero(targets == 0)[:30].tolist()
    told = read(trials, lambda row: "few" if row >= 290 else "one sided" if row in positive + negative else "most")
    found = {each.level: each for each in told.levels}
    assert found["few"].reason == "too few rows: fewer than 20"
    assert found["one sided"].reason == "too few rows of 1 (3): fewer than 5"
    assert [found[level].scores for level in ("few", "one sided")] == [(), ()]
    assert len(found["most"].scores) == 2
    assert level_cells(told, found["few"]) == ("few", "10", "too few rows: fewer than 20", "–", "–")


def test_numbers_are_cut_into_thirds_and_a_missing_value_is_a_level(tmp_path: Path) -> None:
    told = read(planted_trials(tmp_path, DESIGNS), lambda row: None if row < 30 else f"{row},5")
    assert [(each.level, each.rows) for each in told.levels[1:]] == [
        ("below 120.5", 90),
        ("120.5 to below 210.5", 90),
        ("210.5 or more", 90),
        ("no value", 30),
    ]


def test_few_numbers_are_levels_in_their_order(tmp_path: Path) -> None:
    told = read(planted_trials(tmp_path, DESIGNS), lambda row: str(9 + row % 3))
    assert [each.level for each in told.levels[1:]] == ["9", "10", "11"]


def test_of_many_levels_the_largest_are_shown_and_the_rest_is_counted(tmp_path: Path) -> None:
    told = read(planted_trials(tmp_path, DESIGNS), lambda row: f"site {row % 20}" if row >= 100 else "the largest")
    assert len(told.levels) == 1 + 12
    assert (told.levels[1].level, told.levels[1].rows) == ("the largest", 100)
    assert told.left_out == (9, 90)
    assert level_note(told) == "9 further levels with 90 rows in all are not shown."


def test_groups_are_drawn_whole(tmp_path: Path) -> None:
    widths = []
    for groups in (0, 12):
        told = read(planted_trials(tmp_path / str(groups), DESIGNS, groups=groups), lambda row: "north")
        widths.append(told.levels[1].scores[0].high - told.levels[1].scores[0].low)
    assert widths[0] != widths[1]


def test_what_cannot_be_told_is_said_in_words(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, DESIGNS)
    assert read_level_scores(trials, trials.records[1], str) == ()
    assert read(trials, lambda row: None).levels[1].level == "no value"
    assert read_level_scores(trials, None, str) == ()
    own = replace(trials, objectives=(Objective.parse("my_score:max"),))
    assert read(own, lambda row: "a").reason == "my_score is no metric of the predictions that were kept"
    file = predictions_file(tmp_path, "candidate1")
    with np.load(file) as held:
        arrays = {name: held[name] for name in held.files if name != "ids"}
    np.savez(file, **arrays)
    told = read(trials, lambda row: "a")
    assert level_note(told) == "Nothing to show: the predictions that were kept do not tell the ids of their rows."
    file.unlink()
    assert read(trials, lambda row: "a").reason == "no predictions of trial 1 were kept"
    (tmp_path / LEVELS).write_text("[1]")
    with pytest.raises(RunError, match=r"levels\.json' does not hold levels of rows"):
        read_level_scores(trials, trials.records[1], str)


def test_one_design_alone_has_no_difference(tmp_path: Path) -> None:
    trials = planted_trials(tmp_path, DESIGNS[:1])
    plant(trials, {"site": {"p1": "a"}})
    (told,) = read_level_scores(trials, trials.records[0], lambda record: "it")
    assert told.designs == ("it",)
    assert len(level_cells(told, told.levels[0])) == 3
    assert told.levels[0].gain is None


def test_columns_are_kept_for_the_data_of_the_run_alone(make_run: Callable[..., Run]) -> None:
    run, data = make_run(3), load_data("wisconsin")
    with pytest.raises(RunError, match=rf"the data changed, fingerprint 3f9c0aa1b2c4d5e6 in the run and {data.fingerprint} now"):
        keep_levels(run, ["mean_radius"], data)
    run.config["evaluator"]["data"] = data.identity
    (run.path / "w.pt").write_bytes(b"w")
    given = GivenWeights.read("cytology", "mlp", run.path / "w.pt")
    with pytest.raises(RunError, match=r"cytology:mlp starts from weights 'w.pt' now, and from none in the run"):
        keep_levels(run, ["mean_radius"], data.starting_from(given))
    told = json.loads(keep_levels(run, ["mean_radius", "mean_area"], data).read_text(encoding="utf-8"))
    assert list(told) == ["mean_radius", "mean_area"]
    assert list(told["mean_area"]) == data.ids[data.rows("search")].tolist()
    before = (run.path / LEVELS).read_bytes()
    with pytest.raises(DataError, match="no table has a column 'sex'"):
        keep_levels(run, ["sex"], data)
    assert (run.path / LEVELS).read_bytes() == before
