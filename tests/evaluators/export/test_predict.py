from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest

from fusearch.data.table_schema import TableSchema
from fusearch.evaluators.export.predict import align, code_of, main, parse_options, read

SCHEMA = TableSchema(("age", "size"), {"sex": ("f", "m"), "grade": ("1", "2", "10"), "half": ("0.5", "1.0")})
TABLE: dict[str, Any] = {
    "option": "--clinical",
    "kind": "tabular",
    "shape": [5],
    "key": "clinical",
    "numeric": list(SCHEMA.numeric),
    "categorical": {name: list(levels) for name, levels in SCHEMA.categorical.items()},
}
IMAGE: dict[str, Any] = {"option": "--image", "kind": "image2d", "shape": [1, 2, 3], "key": "pixels"}
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
    ids, values = read(path, TABLE, "patient")
    assert ids == ["007", "008", "009", "010", "011"]
    expected = SCHEMA.encode(pd.read_csv(path, dtype={"patient": str}), place="clinical.csv")
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("kind", ["numeric", "categorical"])
def test_a_table_of_one_kind_of_columns(tmp_path: Path, kind: str) -> None:
    table = TABLE | {other: type(TABLE[other])() for other in ("numeric", "categorical") if other != kind}
    _, values = read(write(tmp_path / "clinical.csv", CSV), table, "patient")
    assert values.shape == (5, len(TABLE[kind]))


def test_an_empty_row_is_a_missing_modality(tmp_path: Path) -> None:
    ids, values = read(write(tmp_path / "clinical.csv", "patient,half,grade,sex,size,age\na,,,,,\nb,,,f,,\n"), TABLE, "patient")
    assert ids == ["a", "b"]
    assert np.isnan(values).all(axis=1).tolist() == [True, False]


@pytest.mark.parametrize(("value", "code"), [("1", 0), (1, 0), (1.0, 0), (" 10 ", 2), (3, -1), ("x", -1), (True, -1)])
def test_levels_match_however_they_were_read(value: object, code: int) -> None:
    assert code_of(value, ["1", "2", "10"]) == code
    assert np.isnan(code_of(None, ["1"]))


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_arrays(tmp_path: Path, suffix: str) -> None:
    path, values = tmp_path / f"image{suffix}", np.arange(12.0).reshape(2, 2, 3)
    if suffix == ".npy":
        np.save(path, values)
    else:
        np.savez(path, pixels=values, patient=np.array([7, 9]))
    ids, found = read(path, IMAGE, "patient")
    assert ids == (None if suffix == ".npy" else ["7", "9"])
    np.testing.assert_array_equal(found, values[:, None])


def test_the_array_of_values_may_be_one_of_several(tmp_path: Path) -> None:
    np.savez(tmp_path / "image.npz", mask=np.zeros(2), pixels=np.ones((2, 2, 3)))
    ids, found = read(tmp_path / "image.npz", IMAGE, None)
    assert ids is None
    np.testing.assert_array_equal(found, np.ones((2, 1, 2, 3)))


@pytest.mark.parametrize("suffix", [".tsv", ".parquet", ".csv.gz"])
def test_other_tables(tmp_path: Path, suffix: str) -> None:
    expected = read(write(tmp_path / "clinical.csv", CSV), TABLE, "patient")
    frame, path = pd.read_csv(tmp_path / "clinical.csv", dtype={"patient": str}), tmp_path / f"clinical{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    ids, values = read(path, TABLE, "patient")
    assert ids == expected[0]
    np.testing.assert_array_equal(values, expected[1])


def test_rows_are_matched_by_id_and_what_lacks_is_nan() -> None:
    a = (["p", "q"], np.array([[1.0], [2.0]], np.float32))
    b = (["r", "q"], np.array([[3.0, 3.0], [4.0, 4.0]], np.float32))
    modalities = {name: {"option": f"--{name}", "shape": shape} for name, shape in {"a": [1], "b": [2], "c": [1, 2]}.items()}
    ids, inputs = align({"a": a, "b": b}, modalities)
    assert ids == ["p", "q", "r"]
    np.testing.assert_array_equal(inputs["a"], [[1], [2], [np.nan]])
    np.testing.assert_array_equal(inputs["b"], [[np.nan, np.nan], [4, 4], [3, 3]])
    assert inputs["c"].shape == (3, 1, 2)
    assert np.isnan(inputs["c"]).all()


def test_rows_without_ids_follow_the_first_file_that_has_some() -> None:
    values = np.array([[1.0], [2.0]], np.float32)
    modalities = {name: {"option": f"--{name}", "shape": [1]} for name in ("a", "b")}
    assert align({"a": (None, values), "b": (["x", "y"], values)}, modalities)[0] == ["x", "y"]
    assert align({"a": (None, values), "b": (None, values)}, modalities)[0] == ["0", "1"]
    with pytest.raises(SystemExit, match=r"--a: 2 rows without ids, expected 1 as in the file with ids"):
        align({"a": (None, values), "b": (["x"], values[:1])}, modalities)
    with pytest.raises(SystemExit, match=r"--b: id 'x' stands there twice, expected each id once"):
        align({"b": (["x", "x"], values)}, modalities)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CSV.replace(",size", ",Size"), r"clinical.csv: no column 'size' \(1 of 6 columns are missing\)"),
        (CSV.replace("patient", "id"), "clinical.csv: no column 'patient'"),
        (CSV.replace("3.5", "big"), "clinical.csv: column 'size' holds 'big' in row 1, expected a number"),
        (CSV.replace("1e3", "inf"), "clinical.csv: column 'size' holds 'inf' in row 3, expected a number"),
        (CSV.replace("009", ""), "clinical.csv: column 'patient' is empty in row 3, expected an id"),
    ],
)
def test_a_wrong_table_is_one_clear_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        read(write(tmp_path / "clinical.csv", text), TABLE, "patient")


def test_a_wrong_array_is_one_clear_line(tmp_path: Path) -> None:
    np.save(tmp_path / "image.npy", np.zeros((2, 3, 2)))
    with pytest.raises(SystemExit, match=r"image.npy: an array of shape \(2, 3, 2\), expected \(rows, 1, 2, 3\)"):
        read(tmp_path / "image.npy", IMAGE, None)
    np.savez(tmp_path / "image.npz", a=np.zeros((2, 2, 3)), b=np.zeros(2))
    with pytest.raises(SystemExit, match=r"image.npz: the arrays a, b, expected one named 'pixels', and one named 'id' of ids"):
        read(tmp_path / "image.npz", IMAGE, None)
    np.save(tmp_path / "image.npy", np.full((2, 2, 3), np.inf))
    with pytest.raises(SystemExit, match=r"image.npy: an infinite value, expected finite numbers, or NaN for a missing one"):
        read(tmp_path / "image.npy", IMAGE, None)
    np.save(tmp_path / "image.npy", np.array([{}], dtype=object))
    with pytest.raises(SystemExit, match=r"image.npy: cannot be read \(Object arrays cannot be loaded"):
        read(tmp_path / "image.npy", IMAGE, None)
    with pytest.raises(SystemExit, match="image2d values are read from an NPY or NPZ file"):
        read(write(tmp_path / "image.csv", CSV), IMAGE, None)


@pytest.mark.parametrize("name", ["gone.csv", "gone.npz"])
def test_a_file_that_is_not_there_is_one_clear_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(SystemExit, match=rf"{name}: No such file or directory"):
        read(tmp_path / name, TABLE, "patient")


def test_a_file_without_content_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"clinical.csv: cannot be read \(No columns to parse from file\)"):
        read(write(tmp_path / "clinical.csv", ""), TABLE, "patient")
    header = read(write(tmp_path / "clinical.csv", CSV.splitlines()[0]), TABLE, "patient")
    with pytest.raises(SystemExit, match="the files hold no row, expected at least one"):
        align({"clinical": header}, {"clinical": TABLE})


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
    table = write(tmp_path / "clinical.csv", CSV)
    for out, reason in (("nowhere/y.csv", "non-existent directory"), (".", "Is a directory")):
        monkeypatch.setattr(sys, "argv", ["predict.py", "--clinical", str(table), "--out", str(tmp_path / out)])
        with pytest.raises(SystemExit, match=rf"cannot be written \(.*{reason}"):
            main()


def test_options(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["predict.py", "--image", "x.npz", "--out", "y.csv"])
    assert parse_options({"clinical": TABLE, "image": IMAGE}) == ({"image": Path("x.npz")}, Path("y.csv"))
    monkeypatch.setattr(sys, "argv", ["predict.py", "--out", "y.csv"])
    with pytest.raises(SystemExit):
        parse_options({"clinical": TABLE, "image": IMAGE})
    assert "expected a file for at least one of: --clinical, --image" in capsys.readouterr().err
