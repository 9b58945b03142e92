from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest

from fusearch.data.files.checksums import write_checksums
from fusearch.data.files.frames import read_table
from fusearch.data.table_schema import TableSchema
from fusearch.errors import DataError
from fusearch.evaluators.export.predict import align, main, parse_options, read, refuse_shuffled_array, tell_far_values

SCHEMA = TableSchema(("age", "size"), {"sex": ("f", "m"), "grade": ("1", "2", "10"), "half": ("0.5", "1")})
TABLE: dict[str, Any] = {
    "option": "--clinical",
    "kind": "tabular",
    "shape": [5],
    "key": "clinical",
    "numeric": list(SCHEMA.numeric),
    "categorical": {name: list(levels) for name, levels in SCHEMA.categorical.items()},
}
IMAGE: dict[str, Any] = {"option": "--image", "kind": "image2d", "shape": [1, 2, 3], "key": "pixels"}
SPEC: dict[str, Any] = {"id": "patient", "missing": ["?"], "decimal": None}
WITHOUT_ID: dict[str, Any] = {"id": None}
CSV = """patient,note,half,grade,sex,size,age
007,x,0.5,1,f,3.5,61
008,y,1.0,2,m,,
009,z,,,,1e3,70
010,,1,10, m ,2,50
011,,0.5,3,other,1,40
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_is_read_as_the_data_set_reads_it(tmp_path: Path) -> None:
    path = write(tmp_path / "clinical.csv", CSV)
    ids, values = read(path, TABLE, SPEC)
    assert ids == ["007", "008", "009", "010", "011"]
    expected = SCHEMA.encode(read_table(path, lambda names: {"patient", *SCHEMA.categorical}), place="clinical.csv")
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_a_table_of_one_kind_of_columns(tmp_path: Path, kind: str) -> None:
    table = TABLE | {other: type(TABLE[other])() for other in ("numeric", "categorical") if other != kind}
    _, values = read(write(tmp_path / "clinical.csv", CSV), table, SPEC)
    assert values.shape == (5, len(TABLE[kind]))


def test_an_empty_row_is_a_missing_modality(tmp_path: Path) -> None:
    ids, values = read(write(tmp_path / "clinical.csv", "patient,half,grade,sex,size,age\na,,,,,\nb,,,f,,\n"), TABLE, SPEC)
    assert ids == ["a", "b"]
    assert np.isnan(values).all(axis=1).tolist() == [True, False]


def test_levels_that_the_model_was_not_trained_on_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read(write(tmp_path / "clinical.csv", CSV), TABLE, SPEC)
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "clinical.csv: column 'sex' holds levels that the model was not trained on, taken for unknown: 'other' in 1 rows",
        "clinical.csv: column 'grade' holds levels that the model was not trained on, taken for unknown: '3' in 1 rows",
    ]


def test_texts_without_a_word_that_the_model_knows_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notes = {"kind": "text", "option": "--notes", "shape": [4], "column": "note", "symbols": ["fever", "pain"]}
    _, codes = read(write(tmp_path / "notes.csv", "patient,note\na,no fever\nb,zebra quokka\nc,\n"), notes, SPEC)
    np.testing.assert_array_equal(codes, [[-1, 0, np.nan, np.nan], [-1, -1, np.nan, np.nan], [np.nan] * 4])
    assert capsys.readouterr().err == "--notes: 1 of 3 hold no word that the model knows\n"


def test_what_the_manifest_calls_missing_is_missing(tmp_path: Path) -> None:
    _, values = read(write(tmp_path / "clinical.csv", CSV.replace("61", "?").replace(",f,", ",?,")), TABLE, SPEC)
    assert np.isnan(values[0, [0, 2]]).all()


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_arrays(tmp_path: Path, suffix: str) -> None:
    path, values = tmp_path / f"image{suffix}", np.arange(12.0).reshape(2, 2, 3)
    if suffix == ".npy":
        np.save(path, values)
    else:
        np.savez(path, pixels=values, patient=np.array([7, 9]))
    ids, found = read(path, IMAGE, SPEC)
    assert ids == (None if suffix == ".npy" else ["7", "9"])
    np.testing.assert_array_equal(found, values[:, None])


def test_the_array_of_values_may_be_one_of_several(tmp_path: Path) -> None:
    np.savez(tmp_path / "image.npz", mask=np.zeros(2), pixels=np.ones((2, 2, 3)))
    ids, found = read(tmp_path / "image.npz", IMAGE, WITHOUT_ID)
    assert ids is None
    np.testing.assert_array_equal(found, np.ones((2, 1, 2, 3)))


@pytest.mark.parametrize("suffix", [".tsv", ".parquet", ".csv.gz"])
def test_other_tables(tmp_path: Path, suffix: str) -> None:
    expected = read(write(tmp_path / "clinical.csv", CSV), TABLE, SPEC)
    frame, path = pd.read_csv(tmp_path / "clinical.csv", dtype={"patient": str}), tmp_path / f"clinical{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    ids, values = read(path, TABLE, SPEC)
    assert ids == expected[0]
    np.testing.assert_array_equal(values, expected[1])


MODALITIES: dict[str, Any] = {name: {"option": f"--{name}", "shape": shape} for name, shape in {"a": [1], "b": [2], "c": [1, 2]}.items()}


def test_rows_are_matched_by_id_and_what_lacks_is_nan(capsys: pytest.CaptureFixture[str]) -> None:
    a = (["p", "q"], np.array([[1.0], [2.0]], np.float32))
    b = (["r", "q"], np.array([[3.0, 3.0], [4.0, 4.0]], np.float32))
    ids, inputs = align({"a": a, "b": b}, MODALITIES)
    assert ids == ["p", "q", "r"]
    np.testing.assert_array_equal(inputs["a"], [[1], [2], [np.nan]])
    np.testing.assert_array_equal(inputs["b"], [[np.nan, np.nan], [4, 4], [3, 3]])
    assert inputs["c"].shape == (3, 1, 2)
    assert np.isnan(inputs["c"]).all()
    assert capsys.readouterr().err == "--b: 1 ids in common, of 2 here and 2 in the first file; the others lack a modality\n"


def test_files_without_a_common_id_are_refused_with_what_would_match() -> None:
    values = np.zeros((2, 1), np.float32)
    with pytest.raises(DataError, match=r"--b: none of its 2 ids is in the first file \(such as '1' and '01'\); .*2 more .* leading zeros"):
        align({"a": (["01", "02"], values), "b": (["1", "2"], np.zeros((2, 2), np.float32))}, MODALITIES)


def test_rows_without_ids_follow_the_first_file_that_has_some() -> None:
    a, b = np.array([[1.0], [2.0]], np.float32), np.zeros((2, 2), np.float32)
    assert align({"a": (None, a), "b": (["x", "y"], b)}, MODALITIES)[0] == ["x", "y"]
    assert align({"a": (None, a), "b": (None, b)}, MODALITIES)[0] == ["0", "1"]
    with pytest.raises(DataError, match=r"--a: 2 rows without ids, expected 1 as in the file with ids"):
        align({"a": (None, a), "b": (["x"], b[:1])}, MODALITIES)
    with pytest.raises(DataError, match="the files hold no row, expected at least one"):
        align({"a": ([], a[:0])}, MODALITIES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CSV.replace(",size", ",Size"), r"clinical.csv: no column 'size' \(1 of 5 columns are missing\)"),
        (CSV.replace("patient", "id"), "clinical.csv: no column 'patient', the id"),
        (
            CSV.replace("3.5", "big"),
            "clinical.csv: column 'size' holds 'big' in line 2; expected finite numbers, and empty cells where one is missing$",
        ),
        (CSV.replace("1e3", "inf"), "clinical.csv: column 'size' holds 'inf' in line 4; expected finite numbers"),
        (CSV.replace("009", ""), "clinical.csv: no id in line 4, expected one in every row"),
        (CSV.replace("009", "010"), "clinical.csv: id '010' stands in line 4 and line 5, expected each id once"),
        ("", "clinical.csv: the file is empty"),
        (CSV.splitlines()[0], "clinical.csv: the table has no rows"),
    ],
)
def test_a_wrong_table_is_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(write(tmp_path / "clinical.csv", text), TABLE, SPEC)


def test_a_wrong_array_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "image.npy"
    np.save(path, np.zeros((2, 3, 2)))
    with pytest.raises(DataError, match=r"image.npy: an array of shape \(2, 3, 2\), expected \(rows, 1, 2, 3\)"):
        read(path, IMAGE, WITHOUT_ID)
    np.save(path, np.full((2, 2, 3), np.inf))
    with pytest.raises(DataError, match=r"image.npy: an array of float64 with more than finite numbers"):
        read(path, IMAGE, WITHOUT_ID)
    np.save(path, np.array([{}], dtype=object))
    with pytest.raises(DataError, match=r"image.npy: cannot be read as an array \(Object arrays cannot be loaded"):
        read(path, IMAGE, WITHOUT_ID)
    np.savez(tmp_path / "image.npz", a=np.zeros((2, 2, 3)), b=np.zeros((2, 2)))
    with pytest.raises(DataError, match=r"image.npz: 2 arrays, expected `key` to name one of: a, b"):
        read(tmp_path / "image.npz", IMAGE, WITHOUT_ID)


@pytest.mark.parametrize(
    ("name", "modality", "message"),
    [
        ("image.csv", IMAGE, r"image.csv: expected a file of --image that ends in one of: .npy, .npz"),
        ("clinical.xls", TABLE, r"clinical.xls: expected a file of --clinical that ends in one of: .csv, .csv.gz, .tsv"),
    ],
)
def test_a_wrong_type_of_file_is_one_clear_line(tmp_path: Path, name: str, modality: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(write(tmp_path / name, CSV), modality, WITHOUT_ID)


@pytest.mark.parametrize("name", ["gone.csv", "gone.npz"])
def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=rf"{name}: there is no such file"):
        read(tmp_path / name, TABLE, SPEC)


def test_axes_are_brought_into_the_order_of_the_model(tmp_path: Path) -> None:
    pixels = np.arange(2 * 3 * 2).reshape(2, 2, 3, 1).astype(np.float32)
    np.save(tmp_path / "image.npy", pixels)
    _, values = read(tmp_path / "image.npy", {**IMAGE, "axes": [0, 3, 1, 2]}, WITHOUT_ID)
    np.testing.assert_array_equal(values[:, 0], pixels[..., 0])


def test_images_that_a_table_names(tmp_path: Path) -> None:
    (tmp_path / "png").mkdir()
    for name in ("a", "b"):
        np.save(tmp_path / "png" / f"{name}.npy", np.full((2, 3), ord(name)))
    table = write(tmp_path / "scans.csv", "patient,file\n7,a.npy\n8,\n9,b.npy\n")
    named = {**IMAGE, "column": "file", "root": "png", "reader": "images", "size": None, "channels": None, "window": None}
    ids, values = read(table, named, SPEC)
    assert ids == ["7", "8", "9"]
    assert values[[0, 2], 0, 0, 0].tolist() == [97, 98]
    assert np.isnan(values[1]).all()
    with pytest.raises(DataError, match=r"scans.csv: no column 'path', the path of each row's file"):
        read(table, {**named, "column": "path"}, SPEC)
    with pytest.raises(DataError, match=r"scans.csv: images of shape \(1, 2, 3\), expected \(3, 2, 3\)"):
        read(table, {**named, "shape": [3, 2, 3]}, SPEC)


def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fusearch.evaluators.export.predict.FOLDER", tmp_path)
    (tmp_path / "inputs.json").write_text(json.dumps({"id": "patient", "outputs": ["no", "yes"], "modalities": {"clinical": TABLE}}))
    model = onnx.helper.make_graph(
        [onnx.helper.make_node("Slice", ["raw.clinical", "starts", "ends", "axes"], ["out"])],
        "first_two_columns",
        [onnx.helper.make_tensor_value_info("raw.clinical", onnx.TensorProto.FLOAT, ["n", 5])],
        [onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, ["n", 2])],
        [onnx.numpy_helper.from_array(np.array([value]), name) for name, value in (("starts", 0), ("ends", 2), ("axes", 1))],
    )
    onnx.save(onnx.helper.make_model(model, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), tmp_path / "model.onnx")
    write_checksums(tmp_path)
    table = write(tmp_path / "clinical.csv", CSV)
    for out, reason in (("nowhere/y.csv", "non-existent directory"), (".", "Is a directory")):
        monkeypatch.setattr(sys, "argv", ["predict.py", "--clinical", str(table), "--out", str(tmp_path / out)])
        with pytest.raises(SystemExit, match=rf"cannot be written \(.*{reason}"):
            main()


def test_options(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    known = {"clinical": TABLE, "image": IMAGE}
    monkeypatch.setattr(sys, "argv", ["predict.py", "--image", "x.npz", "--rna", "rna.csv", "--out", "y.csv"])
    assert parse_options(known, {"rna": "--rna"}) == ({"image": Path("x.npz")}, Path("y.csv"))
    assert capsys.readouterr().err == "--rna: the design does not use 'rna'; its file is not read\n"
    monkeypatch.setattr(sys, "argv", ["predict.py", "--out", "y.csv"])
    with pytest.raises(SystemExit):
        parse_options(known, {})
    assert "expected a file for at least one of: --clinical, --image" in capsys.readouterr().err


def test_missing_numbers_of_an_array_of_columns(tmp_path: Path) -> None:
    np.save(tmp_path / "rna.npy", np.array([[-999, 1], [2, 3]]))
    table = TABLE | {"shape": [2], "numeric": ["a", "b"], "categorical": {}}
    _, values = read(tmp_path / "rna.npy", table, SPEC | {"missing": ["-999"]})
    np.testing.assert_array_equal(values, [[np.nan, 1], [2, 3]])


def test_channels_that_stand_last_in_the_file_of_a_sample(tmp_path: Path) -> None:
    pixels = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    np.save(tmp_path / "a.npy", pixels)
    table = write(tmp_path / "scans.csv", "patient,file\n1,a.npy\n")
    image = {
        "option": "--i",
        "kind": "image2d",
        "shape": [4, 2, 3],
        "key": "i",
        "column": "file",
        "root": ".",
        "reader": "images",
        "size": None,
        "channels": None,
        "window": None,
    }
    _, values = read(table, image | {"axes": [0, 3, 1, 2]}, SPEC)
    np.testing.assert_array_equal(values[0], np.moveaxis(pixels, -1, 0))


def test_an_array_that_names_its_rows_in_another_order_is_refused(tmp_path: Path) -> None:
    files = {"clinical": write(tmp_path / "clinical.csv", CSV), "rna": tmp_path / "rna.npz"}
    spec = SPEC | {"modalities": {"clinical": TABLE, "rna": {"option": "--rna", "kind": "tabular", "shape": [2], "key": "x"}}}
    for ids, refused in ((["007", "008", "009", "010", "011"], False), (["011", "010", "009", "008", "007"], True)):
        np.savez(files["rna"], x=np.ones((5, 2)), ids=np.array([f"p{name}" for name in ids]))
        files["clinical"].write_text(CSV.replace("\n0", "\np0"), encoding="utf-8")
        tables = {name: read(path, spec["modalities"][name], spec) for name, path in files.items()}
        if not refused:
            refuse_shuffled_array(files, tables, spec)
            continue
        with pytest.raises(DataError, match=r"rna.npz: its array 'ids' holds ids in another order .*name it 'patient'"):
            refuse_shuffled_array(files, tables, spec)


def test_values_in_another_unit_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    image = {"option": "--cxr", "range": {"low": [60.0], "high": [140.0]}}
    table = {
        "option": "--labs",
        "numeric": ["age", "height"],
        "categorical": {"sex": ["f", "m"]},
        "range": {"low": [20, 1.5], "high": [90, 2]},
    }
    tell_far_values(np.full((6, 4, 4, 1), 100.0, np.float32), image)
    tell_far_values(np.full((6, 3), [50, 1.7, 5], np.float32), table)
    tell_far_values(np.full((6, 3), 1e6, np.float32), {"option": "--old"})  # a bundle of before
    assert capsys.readouterr().err == ""
    tell_far_values(np.full((6, 4, 4, 1), 25700.0, np.float32), image)
    tell_far_values(np.full((6, 3), [50, 170, 0], np.float32), table)
    assert capsys.readouterr().err.splitlines() == [
        "--cxr: values lie far off those of the training (mean of a sample: median 25700, and 60 to 140 there); the same unit?",
        "--labs: values lie far off those of the training (height: median 170, and 1.5 to 2 there); the same unit?",
    ]


def test_what_is_odd_of_volumes_is_told_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, values in (("a", np.zeros((2, 2, 2))), ("b", np.arange(8.0).reshape(2, 2, 2))):
        np.save(tmp_path / f"{name}.npy", values)
    (tmp_path / "scans.csv").write_text("patient,file\np1,b.npy\np2,a.npy\n")
    volume = {"option": "--ct", "kind": "volume3d", "shape": [1, 2, 2, 2], "column": "file", "root": ".", "reader": "volumes"}
    ids, values = read(tmp_path / "scans.csv", volume, SPEC)
    assert (ids, values.shape) == (["p1", "p2"], (2, 1, 2, 2, 2))
    assert capsys.readouterr().err == "--ct: volumes of nothing but the value 0 (1): a.npy (scans.csv, line 3)\n"
