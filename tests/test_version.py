from importlib.metadata import version

from fusearch.version import __version__


def test_the_metadata_tell_the_same_version() -> None:
    assert version("fusearch") == __version__
