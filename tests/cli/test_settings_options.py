"""Each setting of a search is an option, with its range and words."""

from __future__ import annotations

import inspect
import math
import typing
from typing import Any

import pytest

from fusearch.cli.search_command import search
from fusearch.cli.settings_options import with_settings
from fusearch.settings import Settings

OPTIONS = [setting for setting in Settings.table() if setting.is_option]


@pytest.mark.parametrize("setting", OPTIONS, ids=lambda setting: setting.name)
def test_a_setting_is_an_option_as_it_was_declared(setting: Any) -> None:
    parameter = inspect.signature(search).parameters[setting.name]
    kind, option = typing.get_args(parameter.annotation)
    assert parameter.default == setting.default
    assert kind == (str if setting.type is Any else setting.type)
    assert (option.min, option.max) == tuple(bound if math.isfinite(bound) else None for bound in (setting.least, setting.most))
    assert setting.help in option.help
    assert option.rich_help_panel == setting.group


def test_the_values_reach_the_command() -> None:
    seen = {}

    @with_settings
    def command(data: str, **settings: Any) -> None:
        seen.update(settings, data=data)

    command(data="d", trials=3)
    assert seen == {"data": "d", "trials": 3}


def test_a_value_out_of_range_is_refused_before_anything_is_read(fusearch: Any) -> None:
    done = fusearch("search", "wisconsin", "--out", "x", "--reference-share", "1.5")
    assert done.code == 2
    assert "'--reference-share': Input should be less than or equal to 1, found '1.5'" in done.err
