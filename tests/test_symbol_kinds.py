"""Texts and sequences from their files to `predict.py`: check, search, report, export, and predictions that do without fusearch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from bundles import bundle_of_all

from fusearch.data import Dataset, check_data, load_data
from fusearch.run import Run

ROWS = 60
SICK = np.arange(ROWS) % 2 == 0
IDS = [f"p{row:02d}" for row in range(ROWS)]


def note(row: int, rng: np.random.Generator) -> str:
    """Return a note of 3 to 9 words; half of the sick have a word that says so."""
    words = rng.choice(["Pain", "fever", "cough", "none", "naïve", "left-sided"], size=rng.integers(2, 8)).tolist()
    return " ".join([*words, "severe" if SICK[row] and row % 4 else "mild"]) + "."


def sequence(row: int, rng: np.random.Generator) -> str:
    """Return 5 to 12 bases, one of them unknown in some."""
    bases = "".join(rng.choice(list("ACGT"), size=rng.integers(5, 13), p=[0.4, 0.1, 0.1, 0.4] if SICK[row] else [0.1, 0.4, 0.4, 0.1]))
    return bases[:-1] + "N" if row % 7 == 0 else bases


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a study of notes in a column, letters in text files, DNA in a column and proteins in FASTA."""
    folder, rng = tmp_path_factory.mktemp("study"), np.random.default_rng(0)
    labels = pd.DataFrame({"id": IDS, "sick": np.where(SICK, "yes", "no"), "age": rng.integers(20, 80, ROWS)})
    labels["note"] = [note(row, rng) for row in range(ROWS)]
    labels.loc[5, "note"] = None
    labels["letter"] = [f"letters/{name}.txt" for name in IDS]
    labels["dna"] = [sequence(row, rng) for row in range(ROWS)]
    (folder / "letters").mkdir()
    for row, name in enumerate(labels["letter"]):
        (folder / name).write_text(f"Dear colleague,\n{note(row, rng)}\nYours", encoding="utf-8")
    labels.to_csv(folder / "labels.csv", index=False)
    proteins = [f">{name} of a patient\n{'MKV' * int(rng.integers(1, 4))}\n{'W' if SICK[row] else 'Y'}x\n" for row, name in enumerate(IDS)]
    (folder / "proteins.fasta").write_text("".join(proteins[::-1]), encoding="utf-8")  # joined by id, not by position
    document = {
        "id": "id",
        "task": {"kind": "classification", "file": "labels.csv", "column": "sick"},
        "modalities": {
            "note": {"kind": "text", "file": "labels.csv", "column": "note", "vocabulary": 20},
            "letter": {"kind": "text", "file": "labels.csv", "column": "letter", "root": ".", "length": 6},
            "dna": {"kind": "sequence", "file": "labels.csv", "column": "dna", "alphabet": "dna"},
            "protein": {"kind": "sequence", "file": "proteins.fasta", "alphabet": "protein"},
            "clinic": {"kind": "tabular", "file": "labels.csv"},
        },
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def data(folder: Path) -> Dataset:
    return load_data(folder / "study.yaml")


@pytest.fixture(scope="module")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a search over the four with each of their encoders."""
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search import run_search
    from fusearch.search_space import SearchSpace

    space = SearchSpace(data.modalities, encoders=["text_cnn(stages=1)", "gru(layers=1)", "tcn(stages=1)", "transformer(blocks=1)"])
    evaluator = TrainingEvaluator(data, folds=2, epochs=1)
    return run_search(space, evaluator, ("auroc", "macs"), out=tmp_path_factory.mktemp("runs") / "run", trials=3, executor="inline")


def changed(folder: Path, name: str, **keys: Any) -> Path:
    """Return the manifest with other keys of one modality, which is alone in it."""
    document = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
    document["modalities"] = {name: {key: value for key, value in {**document["modalities"][name], **keys}.items() if value is not None}}
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    return path


def test_the_data_set(data: Dataset, folder: Path) -> None:
    assert {modality.name: modality.shape for modality in data.modalities}["letter"] == (6,)
    assert data.modality("note").shape == (10,)
    assert data.modality("dna").shape == (12,)
    assert data.modality("protein").shape == (11,)
    assert data.columns["clinic"].columns == ("age",), "columns of texts and sequences are no measurements"
    assert data.symbols["dna"].names == tuple("ACGT")
    assert set(data.symbols["note"].names) >= {"pain", "naïve", "left", "sided", "mild"}
    assert data.present["note"].tolist() == [row != 5 for row in range(ROWS)]
    row = pd.read_csv(folder / "labels.csv")["dna"][7]
    codes = ["ACGT".find(base) for base in row]
    np.testing.assert_array_equal(data.raw["dna"][7], codes + [np.nan] * (12 - len(codes)))
    assert codes[-1] == -1
    result = check_data(folder / "study.yaml")
    assert result.ok
    told = [problem.what for problem in result.problems if problem.where == "modalities.letter"]
    assert told == ["58 of 60 samples are longer than 6 and cut there; `length` in the manifest reads more"]


def test_words_are_fitted_on_the_rows_of_a_fold(data: Dataset) -> None:
    rows = data.rows("train")[:10]
    part = data.fit_preprocessor(rows).to_dict()["note"]
    words = [word for _, word in sorted((code, word) for word, code in zip(part["symbols"], part["codes"], strict=True) if code > 1)]
    counts = {word: int((data.raw["note"][rows] == code).any(axis=1).sum()) for code, word in enumerate(data.symbols["note"].names)}
    assert min(counts[word] for word in words) >= 2
    assert [counts[word] for word in words] == sorted((count for count in counts.values() if count >= 2), reverse=True)[:20]
    assert set(data.fit_preprocessor(data.rows("search")).to_dict()["note"]["codes"]) > set(part["codes"]) or len(words) == len(counts)


def test_search_and_report(run: Run) -> None:
    from fusearch.reports import write_report

    assert [record.reason for record in run.records() if record.state == "failed"] == []
    page = write_report(run).read_text(encoding="utf-8")
    assert "note" in page


@pytest.mark.slow
def test_each_bundle_reads_the_files_of_the_user(run: Run, data: Dataset, folder: Path, tmp_path: Path) -> None:
    bundle, inputs = bundle_of_all(run, ("note", "letter", "dna", "protein"), tmp_path)
    assert "proteins.fasta" not in inputs
    (tmp_path / "moved").mkdir()
    labels = pd.read_csv(folder / "labels.csv")
    labels["letter"] = [str(folder / name) for name in labels["letter"]]
    labels.iloc[::-1].to_csv(tmp_path / "moved" / "new.csv", index=False)
    options = []
    for name, modality in inputs.items():
        options += [modality["option"], str(folder / "proteins.fasta" if name == "protein" else tmp_path / "moved" / "new.csv")]
    command = [sys.executable, "-W", "ignore", str(bundle / "predict.py"), *options, "--out", str(tmp_path / "out.csv")]
    subprocess.run(command, check=True, cwd=tmp_path)
    found = pd.read_csv(tmp_path / "out.csv").set_index("id")
    expected = predicted_here(bundle, data, list(inputs))
    np.testing.assert_allclose(found.loc[data.ids.tolist(), ["no", "yes"]], expected, atol=1e-5)
    card = (bundle / "model_card.md").read_text(encoding="utf-8")
    assert "whose column `letter` names a text file a row" in card
    assert "a FASTA file of protein letters" in card


def predicted_here(bundle: Path, data: Dataset, names: list[str]) -> np.ndarray:
    """Return what the model file says of the raw values of the data set."""
    import onnxruntime

    session = onnxruntime.InferenceSession(bundle / "model.onnx", providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {f"raw.{name}": data.raw[name] for name in names})[0])


@pytest.mark.parametrize(
    ("name", "keys", "told"),
    [
        ("note", {"column": None}, "the table 'labels.csv' needs the key 'column', the column with the text of each sample"),
        (
            "note",
            {"column": "letter"},
            "modalities.note.column: 'letter' holds names of files ('letters/p00.txt'); say their folder, `root: .`",
        ),
        ("note", {"column": "notes"}, "modalities.note.column: no column 'notes' in labels.csv, did you mean 'note'?"),
        ("note", {"alphabet": "dna"}, "modalities.note.alphabet: unknown key"),
        ("note", {"vocabulary": 2000}, "modalities.note.vocabulary: "),
        ("letter", {"root": "letters"}, "labels.csv, line 2: "),
        ("dna", {"alphabet": None}, "'labels.csv' needs the key 'alphabet', expected dna, rna, protein, or the letters"),
        ("dna", {"alphabet": "AA"}, "alphabet 'AA', expected dna, rna, protein, or 2 to 30 letters, each once"),
        ("dna", {"alphabet": "rna"}, "labels.csv, line 2: 'T' at letter "),
        ("protein", {"alphabet": "dna"}, "proteins.fasta, record 'p00': 'X' at letter "),
    ],
)
def test_what_is_refused(folder: Path, name: str, keys: dict[str, Any], told: str) -> None:
    result = check_data(changed(folder, name, **keys))
    assert not result.ok
    assert told in result.problems[0].what
    assert "\n" not in result.problems[0].what


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"ACGT\n", "line 1 holds 'ACGT', expected the header of a record"),
        (b"", "no record, expected lines of '>name' and the letters below"),
        (b">p00\n>p01\n", "no record has a letter"),
        (b">\nACG\n", "the record in line 1 has no name"),
        (b">p00\nACG\n>p00\nACG\n", "record 'p00' stands in line 1 and line 3"),
        (b"\x89PNG\r\n\x1a\n\xff\xfe", "cannot be read as text"),
    ],
)
def test_a_broken_fasta_file(folder: Path, content: bytes, told: str) -> None:
    (folder / "broken.fa").write_bytes(content)
    (problem, *_) = check_data(changed(folder, "protein", file="broken.fa")).problems
    assert problem.severity == "error"
    assert problem.what.startswith("broken.fa: ")
    assert told in problem.what


def test_a_text_file_of_bytes_is_told_with_its_row(folder: Path) -> None:
    labels = pd.read_csv(folder / "labels.csv")
    labels.loc[3, "letter"], labels.loc[4, "letter"] = "letters/bytes.txt", "letters/gone.txt"
    labels.to_csv(folder / "spoilt.csv", index=False)
    (folder / "letters" / "bytes.txt").write_bytes(bytes(range(256)))
    problems = check_data(changed(folder, "letter", file="spoilt.csv")).problems
    assert (
        problems[0].what == "spoilt.csv, line 5: bytes.txt: cannot be read as text (byte 129 is '80', which is not UTF-8), expected UTF-8"
    )
    assert problems[1].what.endswith("gone.txt: No such file or directory")


def test_what_a_text_may_hide(folder: Path) -> None:
    labels = pd.read_csv(folder / "labels.csv")
    labels["note"] = [
        f"{text} The diagnosis is {'positive' if sick else 'negative'}" for text, sick in zip(labels["note"], SICK, strict=True)
    ]
    labels.loc[7, "note"] = "... !"
    labels.to_csv(folder / "telling.csv", index=False)
    told = [problem.what for problem in check_data(changed(folder, "note", file="telling.csv")).problems if problem.severity == "warning"]
    assert "1 texts hold no word and are taken as missing" in told
    assert any(what.startswith("the word 'positive' alone gives the target (100.0% on train); leave 'note' out") for what in told)
    labels["note"] = [f"own{row}" for row in range(ROWS)]
    labels.to_csv(folder / "telling.csv", index=False)
    told = [problem.what for problem in check_data(changed(folder, "note", file="telling.csv")).problems]
    assert "no word of modality 'note' stands in two texts of train and val: nothing can be learned from it" in told
