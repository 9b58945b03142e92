from pathlib import Path
from typing import Any

import pytest

from fusearch.data.embedded import EmbeddedData
from fusearch.data.loading import find_source, load_data
from fusearch.errors import DataError, FusearchError


def test_a_path_or_a_name(study: Any) -> None:
    path = study.write()
    assert load_data(path) == load_data(str(path))
    assert load_data("wisconsin").source == "wisconsin"


def test_a_file_comes_before_an_embedded_name(study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    study.write().rename(study.folder / "wisconsin")
    monkeypatch.chdir(study.folder)
    assert isinstance(find_source("wisconsin"), Path)
    assert isinstance(find_source("digits"), EmbeddedData)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("wisconsn", r"no manifest and no embedded data set 'wisconsn', did you mean 'wisconsin'\?"),
        ("zzz", "no manifest and no embedded data set 'zzz', expected one of: digits, wisconsin"),
    ],
)
def test_messages(source: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_data(source)


def test_a_missing_manifest_is_named() -> None:
    with pytest.raises(FusearchError, match=r"no manifest 'nope.yaml', expected a YAML file"):
        load_data("nope.yaml")
