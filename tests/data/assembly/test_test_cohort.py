from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from fusearch.data.assembly.from_manifest import read_dataset
from fusearch.data.manifest.manifest import load_manifest
from fusearch.errors import FusearchError


def add_cohort(study: Any, **changes: Any) -> None:
    """Write a second cohort of 12 samples, numbered as the first one, with its columns in another order."""
    rng = np.random.default_rng(9)
    ids = [f"p{row:02d}" for row in range(12)]
    pd.DataFrame({"patient": ids, "vital": ["dead", "alive"] * 6}).to_csv(study.folder / "labels_b.csv", index=False)
    rna = pd.DataFrame(rng.normal(size=(12, 5)), columns=["g4", "g3", "g2", "g1", "g0"])
    rna.assign(patient=ids).to_csv(study.folder / "rna_b.csv", index=False)
    clinical = pd.DataFrame({"patient": ids, "age": 50 + np.arange(12), "stage_t": 1, "stage_n": 0, "sex": ["male", "other"] * 6})
    clinical.to_csv(study.folder / "clinical_b.csv", index=False)
    np.savez(study.folder / "ecg_b.npz", x=rng.normal(size=(12, 7, 2)))
    document = yaml.safe_load(yaml.safe_dump(study.document)) | {"name": "other", "splits": {"folds": 3}}
    document["task"]["file"] = "labels_b.csv"
    for name, file in (("rna", "rna_b.csv"), ("clinical", "clinical_b.csv"), ("ecg", "ecg_b.npz")):
        document["modalities"][name]["file"] = file
    document.update(changes)
    (study.folder / "b.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    study.document["splits"] = {"test": "b.yaml"}


def test_another_cohort_is_the_test_split(study: Any) -> None:
    add_cohort(study)
    data = read_dataset(load_manifest(study.write()))
    assert data.rows("test").tolist() == list(range(60, 72))
    assert (len(data.rows("train")), len(data.rows("val"))) == (48, 12)
    assert data.ids[60] == "other/p00"
    assert data.targets[60:].tolist() == [1, 0] * 6
    theirs = pd.read_csv(study.folder / "rna_b.csv")[["g1", "g2", "g3", "g4"]]
    np.testing.assert_allclose(data.raw["rna"][60:], theirs, rtol=1e-6)
    assert data.columns["clinical"].categorical["sex"] == ("female", "male")
    assert data.raw["clinical"][60:, 3].tolist() == [1, -1] * 6


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        (lambda row: f"p{row:02d}", "warning: 12 of 12 ids of b.yaml stand in labels.csv too ('p00'), with other values; if they are the "),
        (lambda row: f"P{row}" if row < 3 else f"q{row}", "warning: 3 of 12 ids of b.yaml stand in labels.csv too ('P0', there 'p00'), wi"),
        (lambda row: f"q{row:02d}", None),
    ],
)
def test_ids_of_the_cohort_that_were_trained_on_are_told(study: Any, ids: Any, told: str | None) -> None:
    add_cohort(study)
    for file in ("labels_b.csv", "rna_b.csv", "clinical_b.csv"):
        frame = pd.read_csv(study.folder / file)
        frame.assign(patient=[ids(row) for row in range(12)]).to_csv(study.folder / file, index=False)
    notes = [f"{note.severity}: {note.what}" for note in read_dataset(load_manifest(study.write())).notes if note.where == "splits.test"]
    assert [note[: len(told or "")] for note in notes] == ([told] if told else [])


def test_groups_of_the_cohort_are_apart(study: Any) -> None:
    add_cohort(study)
    study.document["splits"] = {"test": "b.yaml", "folds": 4, "group": "hospital"}
    data = read_dataset(load_manifest(study.write()))
    assert len(data.rows("test")) == 12
    assert len(data.folds()) == 4
    assert data.groups[60:].tolist() == data.ids[60:].tolist()
    assert not set(data.groups[60:]) & set(data.groups[:60])
    assert data.groups[60] == "other/p00"


def test_a_cohort_that_repeats_a_row_is_refused_where_groups_matter(study: Any) -> None:
    add_cohort(study)
    study.document["splits"]["group"] = "hospital"
    for frame, file in ((study.rna, "rna_b.csv"), (study.clinical, "clinical_b.csv")):
        frame.head(12).to_csv(study.folder / file, index=False)
    np.savez(study.folder / "ecg_b.npz", x=study.ecg[:12])
    with pytest.raises(FusearchError, match=r"rows p\d\d and other/p\d\d are identical and stand in (train|val) and test"):
        read_dataset(load_manifest(study.write()))


def other_kind(study: Any) -> None:
    add_cohort(study, task={"kind": "regression", "file": "labels_b.csv", "column": "vital"})


def lacks_modality(study: Any) -> None:
    add_cohort(study, modalities={"rna": {"kind": "tabular", "file": "rna_b.csv"}})


def other_modality_kind(study: Any) -> None:
    add_cohort(study)
    text = (study.folder / "b.yaml").read_text(encoding="utf-8")
    (study.folder / "b.yaml").write_text(text.replace("kind: timeseries", "kind: image2d"), encoding="utf-8")


def lacks_column(study: Any) -> None:
    add_cohort(study)
    frame = pd.read_csv(study.folder / "rna_b.csv")
    frame.rename(columns={"g1": "gene1"}).to_csv(study.folder / "rna_b.csv", index=False)


def other_shape(study: Any) -> None:
    add_cohort(study)
    np.savez(study.folder / "ecg_b.npz", x=np.random.default_rng(0).normal(size=(12, 8, 2)))


def other_label(study: Any) -> None:
    add_cohort(study)
    labels = pd.read_csv(study.folder / "labels_b.csv")
    labels.replace("dead", "deceased").to_csv(study.folder / "labels_b.csv", index=False)


def itself(study: Any) -> None:
    study.document["splits"] = {"test": "lgg.yaml"}


def nothing(study: Any) -> None:
    study.document["splits"] = {"test": "zzz.yaml"}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (other_kind, "lgg.yaml: splits.test: the task of 'b.yaml' is a regression, expected a classification"),
        (lacks_modality, "lgg.yaml: splits.test: 'b.yaml' has no modality 'clinical', expected one of: rna"),
        (other_modality_kind, "lgg.yaml: splits.test: modality 'ecg' of 'b.yaml' is image2d, expected timeseries"),
        (lacks_column, "b.yaml: modality 'rna' has no numeric column 'g1', did you mean 'gene1'?"),
        (other_shape, "b.yaml: modality 'ecg' has samples of shape (8, 2), expected (7, 2)"),
        (other_label, "b.yaml: labels_b.csv: column 'vital' holds the label 'deceased', did you mean 'dead'?"),
        (itself, "lgg.yaml: splits.test: 'lgg.yaml' is this manifest itself, expected another cohort"),
        (nothing, "lgg.yaml: splits.test: no file 'zzz.yaml', expected a file in '{folder}'"),
    ],
)
def test_messages(study: Any, spoil: Any, message: str) -> None:
    spoil(study)
    with pytest.raises(FusearchError) as caught:
        read_dataset(load_manifest(study.write()))
    assert str(caught.value) == message.format(folder=study.folder)


def test_texts_of_another_cohort(study: Any) -> None:
    add_cohort(study)
    study.labels["note"] = [f"pain {'high' if row % 2 else 'low'} {row}" for row in range(60)]
    (study.folder / "notes_b.csv").write_text("patient,note\n" + "".join(f"p{row:02d},new low pain and more\n" for row in range(12)))
    study.document["modalities"]["note"] = {"kind": "text", "file": "labels.csv", "column": "note"}
    other = yaml.safe_load((study.folder / "b.yaml").read_text(encoding="utf-8"))
    other["modalities"]["note"] = {"kind": "text", "file": "notes_b.csv", "column": "note"}
    (study.folder / "b.yaml").write_text(yaml.safe_dump(other), encoding="utf-8")
    data = read_dataset(load_manifest(study.write()))
    names = data.symbols["note"].names
    assert names == ("high", "low", "pain"), "words of the other cohort alone have no code"
    assert data.raw["note"][60].tolist() == [-1, names.index("low"), names.index("pain")]
