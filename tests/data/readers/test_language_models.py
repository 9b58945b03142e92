"""Language models in folders: their states are those of the library, nothing is fetched or run, and what does not fit is told in a line."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_bert import write_bert

from fusearch.data.assembly.decoded import FOLDER
from fusearch.data.kinds import KINDS
from fusearch.data.readers import READERS, Source, language_models
from fusearch.data.readers.language_models import open_language_model, read_states
from fusearch.data.readers.symbol_files import TextKeys
from fusearch.errors import DataError, ManifestError

TEXTS = [
    "Severe pains of the left knee.",
    None,
    "no fever",
    "Mild cough since three weeks and two days, no pain - fever is severe, mild pain.",
]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bert(tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(FOLDER, str(tmp_path / "cache"))
    return tmp_path / "cache"


def states(bert: Path, text: str, layer: int) -> np.ndarray:
    """Return the states of a text after a hidden layer, as the library gives them."""
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(bert)
    network = transformers.AutoModel.from_pretrained(bert).eval()
    found = network(**tokenizer([text], return_tensors="pt", truncation=True, max_length=20), output_hidden_states=True)
    return np.asarray(found.hidden_states[layer][0].detach())


@pytest.mark.parametrize(("layers", "layer"), [(None, 2), (1, 1)])
def test_states_are_those_of_the_library(bert: Path, layers: int | None, layer: int) -> None:
    tokens = read_states(TEXTS, bert, layers=layers, length=None, pooling="none")
    means = read_states(TEXTS, bert, layers=layers, length=None, pooling="mean")
    assert (tokens.values.shape, means.values.shape) == ((4, 20, 16), (4, 1, 16))
    assert tokens.notes == ("1 of 4 texts are longer than 20 tokens and cut there; `length` in the manifest reads more",)
    assert np.isnan(tokens.values[1]).all()
    for row in (0, 2, 3):
        expected = states(bert, str(TEXTS[row]), layer)
        np.testing.assert_allclose(tokens.values[row, : len(expected)], expected, atol=1e-5)
        assert np.isnan(tokens.values[row, len(expected) :]).all()
        np.testing.assert_allclose(means.values[row, 0], expected.mean(axis=0), atol=1e-5)


def test_states_are_computed_once(bert: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_states(TEXTS, bert, layers=None, length=6, pooling="mean")
    assert [path.suffix for path in sorted(cache.iterdir())] == [".json", ".npy"]
    monkeypatch.setattr(language_models, "open_language_model", None)  # whoever asks it again fails
    again = read_states(TEXTS, bert, layers=None, length=6, pooling="mean")
    np.testing.assert_array_equal(first.values, again.values)
    assert first.notes == again.notes
    with pytest.raises(TypeError):
        read_states([*TEXTS[:3], "no pain"], bert, layers=None, length=6, pooling="mean")


def _without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _other_weights(folder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    held = load_file(folder / "model.safetensors")
    save_file({name: values for name, values in held.items() if "layer.1" not in name}, folder / "model.safetensors")


def _with_code(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "code.Own", "AutoModel": "code.Own"}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "code.py").write_text("raise SystemExit('code of a folder was run')", encoding="utf-8")


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


@pytest.mark.parametrize(
    ("change", "keys", "message"),
    [
        (_without_weights, {}, "model 'bert' cannot be opened by transformers: OSError: "),
        (_other_weights, {}, r"model 'bert': its folder holds no weights 'encoder.layer.1.\S+', expected all of them"),
        (_with_code, {}, r"model 'bert' cannot be opened by transformers: ValueError: .*contains custom code"),
        (_empty, {}, "model 'bert' cannot be opened by transformers: "),
        (None, {"layers": 3}, "model 'bert': layers is 3, expected 1 to 2, as many as it has"),
        (None, {"length": 21}, "model 'bert' gives no states for 21 tokens of a text alone: .*; a smaller `length` may help"),
    ],
)
def test_what_does_not_fit_is_told_in_a_line(bert: Path, tmp_path: Path, change: Any, keys: dict[str, Any], message: str) -> None:
    folder = Path(shutil.copytree(bert, tmp_path / "bert"))
    if change is not None:
        change(folder)
    with pytest.raises(DataError, match=message) as error:
        open_language_model(folder, keys.get("layers"), keys.get("length"))
    assert "\n" not in str(error.value)


def test_a_model_is_a_folder_beside_the_manifest_and_needs_transformers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.csv").write_text("id,note\n1,no pain\n2,fever\n", encoding="utf-8")
    keys = TextKeys(kind="text", file="notes.csv", column="note", model="bert")
    source = Source("note", KINDS["text"], keys, tmp_path / "notes.csv", tmp_path / "study.yaml", "id")
    with pytest.raises(ManifestError, match=r"study\.yaml: modalities.note.model: no folder 'bert' beside the manifest"):
        READERS["texts"].read(source).take(np.arange(2))
    (tmp_path / "bert").mkdir()
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(DataError, match=r"modality 'note': bert: reading it needs transformers; expected `pip install 'fusearch\[text\]'`"):
        READERS["texts"].read(source).take(np.arange(2))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"layers": 1}, "'layers' needs the key 'model', the folder of the language model"),
        ({"pooling": "none"}, "'pooling' needs the key 'model'"),
        ({"model": "bert", "vocabulary": 10}, "'vocabulary' does not go with 'model', which has tokens of its own"),
        ({"model": "bert", "pooling": "max"}, "expected 'mean' or 'none'|Input should be 'mean' or 'none'"),
    ],
)
def test_keys_that_do_not_go_together(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TextKeys(kind="text", file="notes.csv", column="note", **keys)
