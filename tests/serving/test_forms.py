"""How the values of a modality come in a request."""

from __future__ import annotations

import pytest

from fusearch.data.files.films import FRAMES
from fusearch.data.readers import READERS
from fusearch.serving.forms import _UPLOADS, form_of, uploads_of
from fusearch.serving.zipped_folder import ZIP

FILES = {"column": "path", "root": "."}


@pytest.mark.parametrize(
    ("modality", "form"),
    [
        ({"numeric": ["a"], "categorical": {}}, "table"),
        ({"column": "note", "symbols": ["a"], "reader": "texts"}, "text"),
        ({"column": "note", "model": "note", "reader": "texts"}, "text"),
        ({**FILES, "symbols": ["a"], "reader": "texts"}, "file"),
        ({**FILES, "rate": 100, "seconds": 1, "reader": "series"}, "file"),
        ({**FILES, "rate": 8000, "mels": 8, "reader": "sounds"}, "file"),
        ({**FILES, "nodes": 3, "reader": "graphs"}, "file"),
        ({**FILES, "reader": "images"}, "array"),
        ({"shape": [1, 2, 2]}, "array"),
        ({"time": "t", "channels": ["a"], "reader": "series"}, None),
        ({"node": "atom", "edges": "edges.csv", "reader": "graphs"}, None),
        ({"edges": [[0, 1]], "directed": False}, None),
        ({"symbols": ["a"], "alphabet": "dna", "reader": "fasta"}, None),
    ],
)
def test_the_form_of_a_modality(modality: dict, form: str | None) -> None:
    assert form_of(modality) == form


def test_files_are_those_that_readers_name() -> None:
    assert set(_UPLOADS) == {name for name in READERS if "column" in READERS[name].carried and name != "strings"}
    for name, suffixes in _UPLOADS.items():
        single = {suffix for suffix in READERS[name].names if suffix.startswith(".")}
        assert single <= set(suffixes)
        folders = any(what.startswith("a folder") for what in READERS[name].names) or READERS[name].inside == FRAMES
        assert (ZIP in suffixes) == folders, "a folder comes as a zip"
    assert uploads_of({**FILES, "reader": "images"})[1] == ".png"
    assert uploads_of({"column": "path", "reader": "images"}) == ()
