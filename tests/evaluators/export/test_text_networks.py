"""Texts through a language model, from the manifest to `predict.py`, which does without torch and transformers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import yaml
from bundles import predictions_of_files
from tiny_bert import write_bert

from fusearch.data import check_data, load_data
from fusearch.data.assembly.decoded import FOLDER
from fusearch.data.files.texts import read_tokenizer, text_states
from fusearch.errors import ExportError
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.export import export, text_networks
from fusearch.evaluators.export.text_networks import write_text_networks
from fusearch.search import run_search
from fusearch.search_space import FusionGraph, SearchSpace

ROWS = 40


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the manifest of notes in a column, read as means and as tokens, beside a table."""
    monkeypatch.setenv(FOLDER, str(tmp_path / "cache"))
    write_bert(tmp_path / "models" / "tiny-bert")
    rng = np.random.default_rng(0)
    sick = np.arange(ROWS) % 2 == 0
    notes = [f"{' '.join(rng.choice(['pain', 'fever', 'cough'], rng.integers(1, 7)))} {'severe' if ill else 'mild'}." for ill in sick]
    labels = pd.DataFrame(
        {"id": [f"p{row}" for row in range(ROWS)], "sick": np.where(sick, "yes", "no"), "age": rng.integers(20, 80, ROWS)}
    )
    labels["note"] = notes
    labels.loc[3, "note"] = None
    labels.to_csv(tmp_path / "labels.csv", index=False)
    text = {"kind": "text", "file": "labels.csv", "column": "note", "model": "models/tiny-bert"}
    document = {
        "id": "id",
        "task": {"kind": "classification", "file": "labels.csv", "column": "sick"},
        "modalities": {
            "note": text,
            "words": {**text, "pooling": "none", "length": 12, "layers": 1},
            "clinic": {"kind": "tabular", "file": "labels.csv", "columns": ["age"]},
        },
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return tmp_path / "study.yaml"


def test_files_of_a_language_model_give_what_was_read(study: Path, tmp_path: Path) -> None:
    data = load_data(study)
    assert {modality.name: modality.shape for modality in data.modalities} == {"note": (1, 16), "words": (12, 16), "clinic": (1,)}
    assert data.present["note"].tolist() == [row != 3 for row in range(ROWS)]
    write_text_networks(data, [data.modality("words"), data.modality("clinic")], tmp_path)
    assert sorted(path.name for path in (tmp_path / "texts").iterdir()) == ["words.json", "words.onnx"]
    tokenizer = read_tokenizer((tmp_path / "texts" / "words.json").read_text(encoding="utf-8"), "words")
    session = onnxruntime.InferenceSession(tmp_path / "texts" / "words.onnx")
    texts = [None if isinstance(text, float) else text for text in pd.read_csv(tmp_path / "labels.csv")["note"]]
    values, cut = text_states(
        texts, tokenizer, lambda tokens: session.run(None, {"tokens": tokens})[0], pooling="none", make=np.empty, shape=(12, 16)
    )
    np.testing.assert_allclose(values, data.raw["words"], atol=1e-4)
    assert cut == 0


def test_a_network_that_cannot_be_exported_is_told(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = load_data(study)
    monkeypatch.setattr(text_networks._States, "forward", lambda self, ids_1T: self.network.no_such_part(ids_1T))
    with pytest.raises(ExportError, match=r"torch cannot export the language model 'tiny-bert': \S+: "):
        write_text_networks(data, [data.modality("note")], tmp_path)


@pytest.mark.slow
def test_a_study_with_a_language_model(study: Path) -> None:
    assert check_data(study).ok
    data = load_data(study)
    space = SearchSpace(data.modalities, encoders=["tcn(stages=1)", "transformer(blocks=1)", "mlp(layers=1)"])
    formula = "note:tcn(stages=1) | words:transformer(blocks=1) | clinic:mlp(layers=1)\nF1 = cat(note@1, words@1, clinic@1) ->"
    design = FusionGraph.parse(formula, modalities=data.modalities)
    folder = study.parent
    evaluator = TrainingEvaluator(data, folds=2, epochs=1)
    run = run_search(space, evaluator, ("auroc", "macs"), out=folder / "run", first=[design], trials=1, executor="inline")
    assert [record.reason for record in run.records() if record.state == "failed"] == []
    bundle = export(run, folder / "bundle", pick=design.digest, seeds=1)
    inputs = json.loads((bundle / "inputs.json").read_text(encoding="utf-8"))["modalities"]
    assert (inputs["note"]["model"], inputs["words"]["pooling"]) == ("note", "none")
    assert sorted(path.name for path in (bundle / "texts").iterdir()) == ["note.json", "note.onnx", "words.json", "words.onnx"]
    assert "tokenizers>=" in (bundle / "requirements.txt").read_text(encoding="utf-8")
    assert "read through the language model in `texts/`" in (bundle / "model_card.md").read_text(encoding="utf-8")
    (folder / "away").mkdir()
    found, expected = predictions_of_files(
        bundle, data, lambda _: folder / "labels.csv", ["no", "yes"], folder / "away", absent=["transformers"]
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)
