from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusearch.data.assembly.arrays import RawModality
from fusearch.data.assembly.label_file import read_labels
from fusearch.data.assembly.modality_files import read_modality
from fusearch.data.manifest.manifest import load_manifest
from fusearch.errors import FusearchError


def read(study: Any, name: str) -> RawModality:
    manifest = load_manifest(study.write())
    return read_modality(manifest, name, read_labels(manifest))


def test_every_column_but_the_id(study: Any) -> None:
    block = read(study, "rna")
    assert block.schema is not None
    assert block.schema.numeric == ("g1", "g2", "g3", "g4")
    np.testing.assert_allclose(block.values, study.rna.drop(columns="patient"), rtol=1e-6)


def test_columns_by_pattern_beside_categorical_ones(study: Any) -> None:
    schema = read(study, "clinical").schema
    assert schema is not None
    assert schema.numeric == ("age", "stage_t", "stage_n")
    assert dict(schema.categorical) == {"sex": ("female", "male")}


def test_rows_may_stand_in_any_order(study: Any) -> None:
    expected = {name: read(study, name).values for name in ("rna", "clinical")}
    study.rna = study.rna.sample(frac=1, random_state=0)
    study.clinical = study.clinical.iloc[::-1]
    for name, values in expected.items():
        np.testing.assert_array_equal(read(study, name).values, values)


def test_arrays_follow_their_ids_or_the_order_of_the_labels(study: Any) -> None:
    path = study.write()
    order = np.random.default_rng(0).permutation(60)
    np.savez(study.folder / "shuffled.npz", x=study.ecg[order], patient=study.labels["patient"].to_numpy(np.str_)[order])
    np.save(study.folder / "ordered.npy", study.ecg)
    manifest = load_manifest(path)
    for file in ("shuffled.npz", "ordered.npy"):
        spec = manifest.modalities["ecg"].model_copy(update={"file": file, "key": None})
        here = manifest.model_copy(update={"modalities": {**manifest.modalities, "ecg": spec}})
        block = read_modality(here, "ecg", read_labels(here))
        np.testing.assert_allclose(block.values, study.ecg, rtol=1e-6)


def test_an_id_without_a_row_lacks_the_modality(study: Any) -> None:
    study.rna = study.rna.drop(index=[4, 9])
    block = read(study, "rna")
    assert np.flatnonzero(~block.present).tolist() == [4, 9]
    assert np.isnan(block.values[[4, 9]]).all()


def test_rows_of_nobody_are_left_out_and_counted(study: Any) -> None:
    study.rna = pd.concat([study.rna, study.rna.head(2).assign(patient=["x1", "x2"])])
    assert (len(read(study, "rna").values), read(study, "rna").num_unlabelled) == (60, 2)
    study.rna = study.rna.drop(index=[20, 21, 22])
    assert read(study, "rna").num_unlabelled == 2, "samples without a row are another matter"


def test_the_labels_file_may_hold_a_modality_without_its_target(study: Any) -> None:
    study.document["splits"] = {"column": "split", "group": "hospital"}
    study.document["modalities"]["rest"] = {"kind": "tabular", "file": "labels.csv"}
    schema = read(study, "rest").schema
    assert schema is not None
    assert schema.columns == ("months",)


def test_parquet_and_a_table_from_an_array(study: Any) -> None:
    expected = read(study, "rna").values
    study.rna.to_parquet(study.folder / "rna.parquet")
    study.document["modalities"]["rna"]["file"] = "rna.parquet"
    np.testing.assert_allclose(read(study, "rna").values, expected, rtol=1e-6)
    np.savez(study.folder / "rna.npz", genes=study.rna.drop(columns="patient").to_numpy())
    study.document["modalities"]["rna"]["file"] = "rna.npz"
    block = read(study, "rna")
    assert block.schema is not None
    assert block.schema.numeric == ("rna_0", "rna_1", "rna_2", "rna_3")
    np.testing.assert_allclose(block.values, expected, rtol=1e-6)


def add_images(study: Any, shape: tuple[int, ...] = (4, 5)) -> None:
    (study.folder / "images").mkdir()
    names = [f"{identity}.npy" for identity in study.labels["patient"]]
    for row, name in enumerate(names):
        np.save(study.folder / "images" / name, np.full(shape, row, np.float32))
    study.labels["image_path"] = names
    study.document["modalities"]["cxr"] = {"kind": "image2d", "file": "labels.csv", "column": "image_path", "root": "images"}


def test_images_are_files_named_in_a_column(study: Any) -> None:
    add_images(study)
    study.labels.loc[7, "image_path"] = None
    block = read(study, "cxr")
    assert block.values.shape == (60, 1, 4, 5)
    assert block.values[:, 0, 0, 0].tolist()[:7] == list(range(7))
    assert np.flatnonzero(~block.present).tolist() == [7]


def test_images_follow_the_ids_of_their_table(study: Any) -> None:
    add_images(study)
    table = study.labels[["patient", "image_path"]].sample(frac=1, random_state=0)
    table.to_csv(study.folder / "images.csv", index=False)
    study.document["modalities"]["cxr"]["file"] = "images.csv"
    assert read(study, "cxr").values[:, 0, 0, 0].tolist() == list(range(60))


def test_a_column_of_image_paths_is_no_measurement(study: Any) -> None:
    add_images(study)
    study.document["modalities"]["rest"] = {"kind": "tabular", "file": "labels.csv", "categorical": ["hospital"]}
    schema = read(study, "rest").schema
    assert schema is not None
    assert schema.columns == ("months", "hospital")


def spoil_columns(study: Any) -> None:
    study.document["modalities"]["clinical"]["columns"] = ["stge_*"]


def take_the_target(study: Any) -> None:
    study.document["modalities"]["rna"] = {"kind": "tabular", "file": "labels.csv", "columns": ["vital"]}


def take_text(study: Any) -> None:
    study.document["modalities"]["clinical"]["columns"] = ["age", "note"]


def repeat_an_id(study: Any) -> None:
    study.rna.loc[5, "patient"] = "p01"


def use_other_ids(study: Any) -> None:
    study.rna["patient"] = [f"q{row}" for row in range(60)]


def forget_the_id(study: Any) -> None:
    study.rna = study.rna.rename(columns={"patient": "subject"})


def name_no_file(study: Any) -> None:
    study.document["modalities"]["rna"]["file"] = "rnaa.csv"


def name_no_array(study: Any) -> None:
    study.document["modalities"]["ecg"]["key"] = "y"


def drop_rows_without_ids(study: Any) -> None:
    del study.document["id"]
    study.rna = study.rna.drop(columns="patient").head(50)


def mix_image_sizes(study: Any) -> None:
    add_images(study)
    np.save(study.folder / "images" / "p03.npy", np.zeros((4, 6)))


def lose_an_image(study: Any) -> None:
    add_images(study)
    (study.folder / "images" / "p03.npy").unlink()


def lose_the_folder(study: Any) -> None:
    add_images(study)
    study.document["modalities"]["cxr"]["root"] = "image"


def name_no_image(study: Any) -> None:
    add_images(study)
    study.labels["image_path"] = None


@pytest.mark.parametrize(
    ("name", "spoil", "message"),
    [
        (
            "clinical",
            spoil_columns,
            "lgg.yaml: modalities.clinical.columns: no column matches 'stge_*' in clinical.csv, did you mean 'stage_t'?",
        ),
        ("rna", take_the_target, "lgg.yaml: modalities.rna.columns: 'vital' is the target, expected a column of measurements"),
        (
            "clinical",
            take_text,
            (
                "clinical.csv: column 'note' holds 'text' in 60 rows, first in line 2; "
                "expected finite numbers (or 'note' under `categorical`, or left out by `columns`)"
            ),
        ),
        ("rna", repeat_an_id, "rna.csv: id 'p01' stands in line 3 and line 7, expected each id once"),
        ("rna", use_other_ids, "rna.csv: none of its 60 ids is in labels.csv (its first is 'q0'), expected ids such as 'p00'"),
        ("rna", forget_the_id, "lgg.yaml: modalities.rna.file: no column 'patient' in rna.csv, expected one of: subject, g1, g2, g3, g4"),
        ("rna", name_no_file, "lgg.yaml: modalities.rna.file: no file 'rnaa.csv', did you mean 'rna.csv'?"),
        ("ecg", name_no_array, "ecg.npz: no array 'y', expected one of: x"),
        ("rna", drop_rows_without_ids, "rna.csv: 50 rows, expected 60 as in labels.csv (without ids, rows join by position)"),
        (
            "cxr",
            mix_image_sizes,
            (
                "modality 'cxr': images of 2 shapes (C, H, W): (1, 4, 5) (59, such as 'p00.npy'), (1, 4, 6) (1, such as 'p03.npy'); "
                "`size: [4, 5]` in the manifest would bring them together"
            ),
        ),
        ("cxr", lose_an_image, "modality 'cxr': 1 of 60 images is missing in '{folder}/images': 'p03.npy'"),
        ("cxr", lose_the_folder, "lgg.yaml: modalities.cxr.root: no folder 'image' beside the manifest"),
        ("cxr", name_no_image, "modality 'cxr': column 'image_path' of labels.csv names no file, expected one for at least one sample"),
    ],
)
def test_messages(study: Any, name: str, spoil: Any, message: str) -> None:
    spoil(study)
    with pytest.raises(FusearchError) as caught:
        read(study, name)
    assert str(caught.value) == message.format(folder=study.folder)


def test_an_array_whose_rows_have_other_names_is_told(study: Any) -> None:
    study.write()
    names = np.array([f"{name}-01" for name in study.labels["patient"]])
    np.savez(study.folder / "named.npz", x=study.ecg, sample=names)
    study.document["modalities"]["ecg"]["file"] = "named.npz"
    what = "named.npz has no 'patient', so its rows were joined by position; its 'sample' names them otherwise"
    assert read(study, "ecg").notes == (f"{what} ('p00-01', where the labels have 'p00')",)


def test_a_table_with_samples_in_columns_is_named(study: Any) -> None:
    study.rna = study.rna.set_index("patient").T.rename_axis("patient").reset_index()
    with pytest.raises(FusearchError, match=r"rna.csv: 60 of its columns are named like samples of labels.csv, .*transpose it"):
        read(study, "rna")


def test_missing_numbers_of_an_array_of_columns(study: Any) -> None:
    study.document["missing"] = [-999]
    study.document["modalities"]["rna"]["file"] = "rna.npy"
    values = study.rna.drop(columns="patient").to_numpy(np.float32, copy=True)
    values[:7, 1] = -999
    np.save(study.folder / "rna.npy", values)
    found = read(study, "rna").values
    assert np.isnan(found[:7, 1]).all()
    assert np.isnan(found).sum() == 7


@pytest.mark.parametrize(
    ("keys", "key", "column", "what"),
    [
        ({"kind": "text", "column": "{target}"}, "column", "{target}", "target"),
        ({"kind": "text", "column": "split"}, "column", "split", "split"),
        ({"kind": "text", "column": "hospital"}, "column", "hospital", "group"),
        ({"kind": "sequence", "column": "{target}", "alphabet": "01"}, "column", "{target}", "target"),
        ({"kind": "timeseries", "time": "t", "channels": ["{target}"]}, "channels", "{target}", "target"),
        ({"kind": "timeseries", "time": "{target}", "channels": ["x"]}, "time", "{target}", "target"),
        ({"kind": "timeseries", "column": "{target}", "channels": ["x"], "rate": 1, "seconds": 1}, "column", "{target}", "target"),
        ({"kind": "audio", "column": "{target}"}, "column", "{target}", "target"),
        ({"kind": "image2d", "column": "{target}"}, "column", "{target}", "target"),
        ({"kind": "volume3d", "column": "{target}"}, "column", "{target}", "target"),
    ],
)
def test_no_reader_takes_a_column_of_the_labels(study: Any, keys: dict[str, Any], key: str, column: str, what: str) -> None:
    target = study.document["task"]["column"]

    def filled(value: Any) -> Any:
        return [filled(one) for one in value] if isinstance(value, list) else str(value).replace("{target}", target)

    study.document["splits"] = {"column": "split", "group": "hospital"}
    study.document["modalities"]["leak"] = {"file": "labels.csv", **{name: filled(value) for name, value in keys.items()}}
    message = f"modalities.leak.{key}: '{filled(column)}' is the {what}, expected a column of measurements"
    with pytest.raises(FusearchError, match=message):
        read(study, "leak")
