import typing

import typer

from fusearch.cli import options


def test_every_shared_option_is_explained() -> None:
    for name in options.__all__:
        _, info = typing.get_args(getattr(options, name))
        assert isinstance(info, typer.models.ParameterInfo)
        assert info.help
