from pathlib import Path
from typing import Any

import pytest
import yaml

from fusearch.data.manifest.manifest import Manifest, Splits, load_manifest, manifest_faults
from fusearch.data.readers.image_files import ImageKeys
from fusearch.data.readers.table_file import TableKeys
from fusearch.errors import ManifestError
from fusearch.tasks import REFUSED, TASKS

TEXT = """\
name: lgg
id: patient
task: {kind: classification, file: labels.csv, column: vital}
modalities:
  rna:      {kind: tabular, file: rna.csv}
  clinical: {kind: tabular, file: clinical.csv, columns: ["age", "stage_*"], categorical: ["sex"]}
  cxr:      {kind: image2d, file: labels.csv, column: image_path, root: images}
  ecg:      {kind: timeseries, file: ecg.npz, key: x}
splits: {column: split}
"""


def write(folder: Path, text: str = TEXT) -> Path:
    path = folder / "lgg.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_design_s_example_is_read(tmp_path: Path) -> None:
    manifest = load_manifest(write(tmp_path))
    assert manifest.path == tmp_path / "lgg.yaml"
    assert (manifest.name, manifest.id, manifest.task.kind, manifest.splits.column) == ("lgg", "patient", "classification", "split")
    assert [type(spec).__name__ for spec in manifest.modalities.values()] == ["Tabular", "Tabular", "Image2d", "Timeseries"]
    assert isinstance(manifest.modalities["clinical"], TableKeys)
    assert manifest.modalities["clinical"].columns == ["age", "stage_*"]
    assert isinstance(manifest.modalities["cxr"], ImageKeys)
    assert manifest.modalities["cxr"].root == "images"


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("splits: {fractions: [0.7, 0.15, 0.15], seed: 0, group: hospital}", (0.7, 0.15, 0.15)),
        ("splits: {folds: 5, group: hospital}", (0.7, 0.15, 0.15)),
        ("splits: {test: other_cohort.yaml}", (0.8, 0.2)),
        ("", (0.7, 0.15, 0.15)),
    ],
)
def test_every_form_of_splits_is_read(tmp_path: Path, text: str, shares: tuple[float, ...]) -> None:
    assert load_manifest(write(tmp_path, TEXT.replace("splits: {column: split}", text))).splits.shares == shares


def test_the_name_may_be_left_out(tmp_path: Path) -> None:
    assert load_manifest(write(tmp_path, TEXT.replace("name: lgg\n", ""))).name == "lgg"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("file: rna.csv", "fle: rna.csv", "lgg.yaml: modalities.rna.fle: unknown key, did you mean 'file'?"),
        ("name: lgg", "nme: lgg", "lgg.yaml: nme: unknown key, did you mean 'name'?"),
        ("column: split", "colum: split", "lgg.yaml: splits.colum: unknown key, did you mean 'column'?"),
        ("column: vital", "column: vital, x: 1", "lgg.yaml: task.x: unknown key, expected one of: file, sheet, kind, column, labels"),
        (
            "kind: tabular, file: rna",
            "kind: tabulr, file: rna",
            "lgg.yaml: modalities.rna.kind: unknown kind 'tabulr', did you mean 'tabular'?",
        ),
        (
            "kind: tabular, file: rna",
            "file: rna",
            (
                "lgg.yaml: modalities.rna.kind: missing key, expected one of: audio, graph, image2d, sequence, tabular, text, timeseries, "
                "video, volume3d"
            ),
        ),
        (
            "kind: timeseries, file: ecg.npz",
            "kind: graph, file: ecg.npz",
            "lgg.yaml: modalities.ecg: the array 'ecg.npz' needs the key 'edges', the table of the edges that all samples share",
        ),
        ("{kind: tabular, file: rna.csv}", "rna.csv", "lgg.yaml: modalities.rna: 'rna.csv', expected a mapping"),
        ("{kind: tabular, file: rna.csv}", "{kind: tabular}", "lgg.yaml: modalities.rna.file: missing key, expected in every tabular"),
        (
            "rna.csv}",
            "rna.xls}",
            (
                "lgg.yaml: modalities.rna.file: 'rna.xls', expected a file that ends in one of: .csv, .csv.gz, .tsv, .tsv.gz, .parquet, "
                ".xlsx, .npy, .npz"
            ),
        ),
        (
            "ecg.npz",
            "ecg.txt",
            (
                "lgg.yaml: modalities.ecg.file: 'ecg.txt', expected a file that ends in one of: .npy, .npz, .csv, .csv.gz, .tsv, .tsv.gz, "
                ".parquet, .xlsx"
            ),
        ),
        (
            "{kind: timeseries, file: ecg.npz, key: x}",
            "{kind: timeseries, file: ecg.csv}",
            "lgg.yaml: modalities.ecg: the table 'ecg.csv' needs one of the keys 'time' (a row a step) and 'column' (a recording a row)",
        ),
        ("  rna: ", "  r-na: ", "lgg.yaml: modalities: modality 'r-na': expected letters, digits and '_', not starting with a digit"),
        (
            "column: image_path, ",
            "",
            "lgg.yaml: modalities.cxr: the table 'labels.csv' needs the key 'column', the column with the path of each sample's image",
        ),
        ('["age", "stage_*"]', "age", "lgg.yaml: modalities.clinical.columns: 'age', expected a valid list"),
        (
            "column: split",
            "folds: 5, column: split",
            "lgg.yaml: splits: column and folds exclude each other, expected one of: column, fractions, folds",
        ),
        (
            "column: split",
            "test: b.yaml, column: s",
            "lgg.yaml: splits: column and test exclude each other, expected one of: column, fractions, folds",
        ),
        ("column: split", "folds: 1", "lgg.yaml: splits.folds: 1, expected 2 or more, or 'groups'"),
        (
            "column: split",
            "test: 0.25",
            "lgg.yaml: splits.test: 0.25, expected the manifest of another cohort; shares of these rows are `fractions: [0.7, 0.15, 0.15]`",
        ),
        ("column: split", "folds: group", "lgg.yaml: splits.folds: 'group', expected 2 or more, or 'groups'"),
        (
            "column: split",
            "folds: groups",
            "lgg.yaml: splits: folds by 'groups' need the key 'group', the column of the groups that are left out one by one",
        ),
        (
            "column: split",
            "fractions: [0.7, 0.2]",
            "lgg.yaml: splits: fractions [0.7, 0.2] sum to 0.9, expected shares above 0 that sum to 1",
        ),
        (
            "column: split",
            "fractions: [1.2, -0.2]",
            "lgg.yaml: splits: fractions [1.2, -0.2] sum to 1 and the least is -0.2, expected shares above 0 that sum to 1",
        ),
        (
            "column: split",
            "fractions: [0.6, 0.2, 0.2], test: b.yaml",
            "lgg.yaml: splits: fractions [0.6, 0.2, 0.2] have a share for test, which is 'b.yaml' already; expected two shares",
        ),
        ("  rna: ", "  cxr: ", "lgg.yaml: line 7, column 3: the key 'cxr' stands twice, first in line 5"),
        ("{column: split}", "[1", "lgg.yaml: line 10, column 1: expected ',' or ']', but got '<stream end>', expected YAML"),
        (TEXT, "", "lgg.yaml: an empty file, expected a mapping with the keys name, id, task, modalities, splits"),
        (TEXT, "- rna", "lgg.yaml: a list, expected a mapping with the keys name, id, task, modalities, splits"),
    ],
)
def test_messages(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert TEXT.count(old) == 1
    path = write(tmp_path, TEXT.replace(old, new))
    with pytest.raises(ManifestError) as caught:
        load_manifest(path)
    assert str(caught.value) == message
    assert manifest_faults(path) == [message]


@pytest.mark.parametrize("kind", REFUSED)
def test_a_task_that_is_refused_is_told_why(tmp_path: Path, kind: str) -> None:
    path = write(
        tmp_path, TEXT.replace("kind: classification, file: labels.csv, column: vital", f"kind: {kind}, file: l.csv, time: t, event: e")
    )
    with pytest.raises(ManifestError) as caught:
        load_manifest(path)
    assert str(caught.value) == f"lgg.yaml: task.kind: {kind!r}: {REFUSED[kind]}; expected one of: {', '.join(TASKS)}"


def test_all_faults_are_counted_and_listed(tmp_path: Path) -> None:
    path = write(
        tmp_path, TEXT.replace("id: patient", "ide: patient").replace("column: split", "foldz: 3").replace("file: ecg.npz", "file: ecg")
    )
    assert len(manifest_faults(path)) == 3
    with pytest.raises(
        ManifestError, match=r"lgg.yaml: splits.foldz: unknown key, did you mean 'folds'\? \(and 2 more: see `fusearch check .*lgg.yaml`\)"
    ):
        load_manifest(path)


def test_a_manifest_that_cannot_be_opened(tmp_path: Path) -> None:
    assert manifest_faults(tmp_path / "nope.yaml") == [f"no manifest '{tmp_path / 'nope.yaml'}', expected a YAML file"]
    assert manifest_faults(tmp_path) == [f"{tmp_path.name}: cannot be read (Is a directory), expected a YAML file"]
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert manifest_faults(tmp_path / "binary.yaml") == ["binary.yaml: line 1, column 1: not UTF-8 text, expected a YAML file"]


def test_a_missing_file_is_named_with_the_nearest_one(tmp_path: Path) -> None:
    manifest = load_manifest(write(tmp_path))
    (tmp_path / "rna2.csv").touch()
    with pytest.raises(ManifestError) as caught:
        manifest.resolve("rna.csv", "modalities.rna.file")
    assert str(caught.value) == "lgg.yaml: modalities.rna.file: no file 'rna.csv', did you mean 'rna2.csv'?"
    (tmp_path / "rna2.npz").touch()
    (tmp_path / "rna2.aaa").touch()
    with pytest.raises(ManifestError, match=r"did you mean 'rna2.csv'\?"):
        manifest.resolve("rna.csv", "modalities.rna.file")
    (tmp_path / "rna.csv").touch()
    assert manifest.resolve("rna.csv", "modalities.rna.file") == tmp_path / "rna.csv"


def test_a_manifest_written_from_its_model_reads_the_same(tmp_path: Path) -> None:
    manifest = load_manifest(write(tmp_path))
    document: dict[str, Any] = manifest.model_dump(exclude_defaults=True)
    (tmp_path / "again.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    assert load_manifest(tmp_path / "again.yaml").model_dump() == manifest.model_dump()
    assert isinstance(manifest, Manifest)
    assert Splits().shares == (0.7, 0.15, 0.15)


def test_a_folder_a_backslash_and_a_truth_value_are_named(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    (tmp_path / "rna").mkdir()
    path.write_text(
        "task: {kind: classification, file: l.csv, column: y, labels: [false, true]}\nmodalities: {rna: {kind: tabular, file: rna.csv}}\n"
    )
    with pytest.raises(ManifestError, match=r"task.labels.0: YAML reads it as the truth value False, expected text; write it in quotes"):
        load_manifest(path)
    path.write_text("task: {kind: classification, file: l.csv, column: y}\nmodalities: {rna: {kind: tabular, file: rna.csv}}\n")
    manifest = load_manifest(path)
    with pytest.raises(ManifestError, match=r"study.yaml: task.file: 'rna' is a folder, expected a file"):
        manifest.resolve("rna", "task.file")
    with pytest.raises(ManifestError, match=r"no file 'rna\\\\l.csv', expected '/' between folders: 'rna/l.csv'"):
        manifest.resolve("rna\\l.csv", "task.file")
