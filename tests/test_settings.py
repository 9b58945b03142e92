"""One table of settings: `run_search`, the command line and `config.yaml` are made from it."""

from __future__ import annotations

import json
import math
from dataclasses import fields

import pytest

from fusearch.contracts import Budget
from fusearch.errors import RunError
from fusearch.settings import Pace, Settings

NUMBERS = [setting for setting in Settings.table() if setting.least > -math.inf]


def test_every_setting_says_what_it_means() -> None:
    assert [setting.name for setting in Settings.table()] == [each.name for each in fields(Settings)]
    for setting in Settings.table():
        assert setting.help.endswith("."), setting.name
        assert getattr(Settings(), setting.name) == setting.default
        assert bool(setting.unset) == (setting.default is None), f"{setting.name}: what does None stand for?"


@pytest.mark.parametrize("setting", NUMBERS, ids=lambda setting: setting.name)
def test_numbers_out_of_range_or_of_another_type_are_refused(setting) -> None:
    wrong = [setting.least - 1, "3", math.nan, True, *([setting.most + 1] if setting.most < math.inf else [])]
    for value in wrong:
        with pytest.raises(RunError, match=f"{setting.name} is {value!r}, expected a (whole )?number"):
            Settings(**{setting.name: value})


def test_none_is_legal_where_it_has_a_meaning() -> None:
    for setting in NUMBERS:
        if setting.may_be_none:
            assert getattr(Settings(**{"time_limit": 5.0, setting.name: None}), setting.name) is None or setting.name == "time_limit"
        else:
            with pytest.raises(RunError, match=f"{setting.name} is None, expected"):
                Settings(**{setting.name: None})


def test_a_search_ends() -> None:
    with pytest.raises(RunError, match="neither trials nor time_limit is given: the search would never end"):
        Settings(trials=None)
    with pytest.raises(RunError, match="cpus_per_trial is 0, expected more than 0"):
        Settings(cpus_per_trial=0)


def test_settings_are_frozen_and_changed_by_name() -> None:
    settings = Settings(trials=5)
    with pytest.raises(AttributeError):
        settings.trials = 6
    assert settings.changed(seed=3) == Settings(trials=5, seed=3)
    with pytest.raises(RunError, match="no setting 'trails': did you mean 'trials'"):
        settings.changed(trails=6)
    with pytest.raises(RunError, match="trials is 0"):
        settings.changed(trials=0)


def test_settings_become_plain_values() -> None:
    settings = Settings(budget=Budget(epochs=2), storage="sqlite:///a.db")
    assert json.loads(json.dumps(settings.to_dict()))["budget"] == {"epochs": 2, "members": None, "seed": None}
    assert {"strategy", "storage"} == {each.name for each in fields(Settings)} - set(settings.to_dict())


def test_the_first_trial_of_a_worker_tells_the_time_left_only_where_it_is_long_and_there_is_no_other() -> None:
    settings, pace = Settings(trials=20), Pace()
    assert settings.seconds_left(9.0, 0, pace, 2) is None
    pace.add(1, 8.0)
    assert settings.seconds_left(9.0, 1, pace, 2) is None, "of 8 s much may be the start of the worker"
    assert Settings(trials=20, time_limit=10.0).seconds_left(9.0, 1, pace, 2) == 1.0
    for worker, seconds in ((1, 1.0), (2, 9.0), (2, 3.0)):
        pace.add(worker, seconds)
    assert pace.num_workers == 2
    assert settings.seconds_left(9.0, 4, pace, 2) == 16 * 2.0 / 2
    assert settings.seconds_left(9.0, 20, pace, 2) == 0.0
    long = Pace()
    long.add(1, 600.0)
    assert settings.seconds_left(601.0, 1, long, 2) == 19 * 600.0 / 2
    assert Settings(trials=None, time_limit=10.0).seconds_left(9.0, 1, Pace(), 0) == 1.0
