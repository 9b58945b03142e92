from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from fusearch.data import Dataset, load_data
from fusearch.data.files.checksums import write_checksums
from fusearch.errors import ExportError, RunError
from fusearch.evaluators.export import export
from fusearch.evaluators.export.carried import write_program
from fusearch.evaluators.export.choice import read_choice
from fusearch.evaluators.export.inputs import raw_values
from fusearch.evaluators.export.predict import main as predict_main
from fusearch.evaluators.export.refit import refit
from fusearch.inference import correction_of, team_of
from fusearch.run import Run
from fusearch.search_space import FusionGraph, Recipe
from fusearch.serving.request_samples import read_samples
from fusearch.serving.served_bundle import ServedBundle

MakeRun = Callable[..., Run]
Predict = Callable[..., pd.DataFrame]

FILES = [
    "SHA256SUMS",
    "design.json",
    "files",
    "inputs.json",
    "metrics.json",
    "model.onnx",
    "model.pt2",
    "model_card.md",
    "predict.py",
    "requirements.txt",
]

#: What a place without fusearch lacks. A hook refuses them, so that the subprocess may use this interpreter.
ABSENT = ("fusearch", "torch", "sklearn", "onnx", "ray", "optuna")
HOOK = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {ABSENT!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
"""


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a process that can import nothing of ABSENT."""
    folder = tmp_path_factory.mktemp("hook")
    (folder / "sitecustomize.py").write_text(HOOK)
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONWARNINGS": "error"}
    for name in ABSENT:
        done = subprocess.run([sys.executable, "-c", f"import {name}"], env=environment, capture_output=True, text=True, cwd=folder)
        assert f"ModuleNotFoundError: {name}" in done.stderr
    return environment


@pytest.fixture
def predict(outside: dict[str, str], tmp_path: Path) -> Predict:
    """Return a function that runs the predict.py of a bundle outside."""

    def run(bundle: Path, **files: Path) -> pd.DataFrame:
        options = [part for name, path in files.items() for part in (f"--{name}", str(path))]
        command = [sys.executable, str(bundle / "predict.py"), *options, "--out", "predictions.csv"]
        done = subprocess.run(command, env=outside, capture_output=True, text=True, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert all(": the design does not use" in note or "ids in common" in note for note in done.stderr.splitlines()), done.stderr
        found = pd.read_csv(tmp_path / "predictions.csv", dtype={0: str, "predicted": str}, index_col=0)
        spec = json.loads((bundle / "inputs.json").read_text(encoding="utf-8"))
        if spec["decision"] is not None:
            taken = (found[spec["outputs"]].to_numpy() * spec["decision"]["weights"]).argmax(axis=1)
            assert found.pop("predicted").tolist() == [spec["outputs"][code] for code in taken]
        return found

    return run


def eager(run: Run, data: Dataset, ids: Any, *, pick: str = "simplest", absent: str | None = None) -> np.ndarray:
    """Train the picked design once more with one seed (the same seed: the same network) and let the network itself predict."""
    choice = read_choice(run, run.pick(pick), data)
    model = refit(data, choice.candidate, epochs=choice.epochs, seeds=1, batch_size=choice.batch_size)
    raw = raw_values(data, choice.modalities, np.array([data.ids.tolist().index(name) for name in list(ids)]))
    if absent is not None:
        raw[absent][:] = np.nan
    with torch.inference_mode():
        return model({name: torch.from_numpy(values) for name, values in raw.items()}).numpy()


def served_rows(bundle: Path, ids: Any, **files: Path) -> list[list[float]]:
    """Return what a server of the bundle says of the rows of these files, sent as JSON."""
    spec = json.loads((bundle / "inputs.json").read_text(encoding="utf-8"))
    samples: list[dict[str, Any]] = [{} for _ in ids]
    for name, path in files.items():
        levels = spec["modalities"][name]["categorical"]
        frame = pd.read_csv(path, dtype={"patient": str, **dict.fromkeys(levels, str)}).set_index("patient")
        frame = frame[[*spec["modalities"][name]["numeric"], *levels]]
        for sample, row in zip(samples, ids, strict=True):
            if row in frame.index:
                sample[name] = {column: None if pd.isna(value) else value for column, value in frame.loc[row].items()}
    body = json.dumps({"samples": [{"values": values} for values in samples]}).encode()
    bundle_served = ServedBundle(bundle)
    _, read = read_samples(body, bundle_served.spec, bundle_served.forms, len(samples), 0)
    return [[said[name] for name in spec["outputs"]] for said in bundle_served.predict(read)]


def test_tables_with_levels_and_missing_values(clinic: Path, make_run: MakeRun, predict: Predict, tmp_path: Path) -> None:
    data = load_data(clinic / "outcome.yaml")
    run = make_run(data, {"F1 = cat(rna@L, clinical@0) ->": None})
    bundle = export(run, tmp_path / "bundle", seeds=1)
    assert sorted(path.name for path in bundle.iterdir()) == FILES

    found = predict(bundle, rna=clinic / "rna.csv", clinical=clinic / "clinical.csv")
    assert (found.index.name, list(found.columns)) == ("patient", ["alive", "dead"])
    assert set(found.index) == {name for name in data.ids if any(data.present[part][data.ids.tolist().index(name)] for part in data.raw)}
    np.testing.assert_allclose(found.to_numpy(), eager(run, data, found.index), atol=1e-4)
    # A file that is left out is a modality that every sample lacks.
    alone = predict(bundle, clinical=clinic / "clinical.csv")
    np.testing.assert_allclose(alone.to_numpy(), eager(run, data, alone.index, absent="rna"), atol=1e-4)

    served = served_rows(bundle, found.index[:20], rna=clinic / "rna.csv", clinical=clinic / "clinical.csv")
    np.testing.assert_allclose(served, found[:20].to_numpy(), atol=1e-6)

    design = json.loads((bundle / "design.json").read_text(encoding="utf-8"))
    assert FusionGraph.parse(design["formula"], modalities=data.modalities).digest == design["digest"] == run.pick().digest
    assert FusionGraph.from_dict(design["graph"]).digest == design["digest"]
    assert Recipe.from_dict(design["recipe"]) == Recipe(width=8)
    assert design["data"] == {"name": "outcome", "fingerprint": data.fingerprint, "training_rows": len(data.rows("search"))}
    metrics = json.loads((bundle / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["search"]["auroc"] == {"mean": run.pick().values["auroc"], "spread": run.pick().spread["auroc"]}
    assert metrics["search"]["macs"]["spread"] is None
    assert metrics["confirmed"] is None
    assert "python predict.py --clinical clinical.csv --rna rna.csv --out predictions.csv" in (bundle / "model_card.md").read_text()
    for path in filter(Path.is_file, bundle.rglob("*")):
        assert str(clinic).encode() not in path.read_bytes(), f"{path.name} names a folder of this machine"


@pytest.mark.slow
def test_a_prediction_never_hangs_on_the_other_rows_of_a_file(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any part of a file, in any order, down to a single row, is predicted as the whole."""
    rng, rows = np.random.default_rng(0), 60
    icd, smoker = rng.choice(["010", "020", "C50"], rows), rng.choice(["TRUE", "FALSE", "unknown"], rows)
    frame = pd.DataFrame({"pid": [f"{row:03d}" for row in range(rows)], "icd": icd, "smoker": smoker, "dose": rng.integers(0, 9, rows)})
    frame.to_csv(tmp_path / "clin.csv", index=False)
    labels = frame[["pid"]].assign(y=np.where((icd == "010") ^ (smoker == "TRUE"), "case", "control"))
    labels.to_csv(tmp_path / "labels.csv", index=False)
    pd.DataFrame(rng.normal(size=(rows, 3)), columns=list("abc")).assign(pid=frame["pid"]).to_csv(tmp_path / "rna.csv", index=False)
    (tmp_path / "study.yaml").write_text(
        "id: pid\ntask: {kind: classification, file: labels.csv, column: y}\n"
        "modalities:\n  clin: {kind: tabular, file: clin.csv, categorical: [icd, smoker]}\n  rna: {kind: tabular, file: rna.csv}\n"
    )
    data = load_data(tmp_path / "study.yaml")
    assert data.columns["clin"].categorical == {"icd": ("010", "020", "C50"), "smoker": ("FALSE", "TRUE", "unknown")}
    run = make_run(data, {"clin:mlp\nclin@L ->": None}, recipe=Recipe(width=8, learning_rate=0.05))
    bundle = export(run, tmp_path / "bundle", seeds=1)
    monkeypatch.setattr("fusearch.evaluators.export.predict.FOLDER", bundle)

    def predicted(part: pd.DataFrame) -> pd.DataFrame:
        part.to_csv(tmp_path / "part.csv", index=False)
        options = ["--clin", str(tmp_path / "part.csv"), "--rna", "not-read.csv", "--out", str(tmp_path / "out.csv")]
        monkeypatch.setattr(sys, "argv", ["predict.py", *options])
        predict_main()
        return pd.read_csv(tmp_path / "out.csv", dtype={"pid": str}).set_index("pid")

    whole = predicted(frame)
    assert capsys.readouterr().err == "--rna: the design does not use 'rna'; its file is not read\n"
    assert whole["case"].std() > 0.01
    numeric, boolean = frame["icd"].isin(["010", "020"]), frame["smoker"].isin(["TRUE", "FALSE"])
    for part in (frame[numeric], frame[boolean], frame[numeric & boolean], frame.iloc[[7]], frame.sample(frac=1, random_state=0)):
        found = predicted(part)
        assert (found["predicted"] == whole.loc[found.index, "predicted"]).all()
        np.testing.assert_allclose(found[["case", "control"]], whole.loc[found.index, ["case", "control"]], atol=1e-6)
    strange = frame.assign(icd=frame["icd"].where(frame.index > 0, "C99"))
    np.testing.assert_allclose(predicted(strange)[["case", "control"]].iloc[1:], whole[["case", "control"]].iloc[1:], atol=1e-6)
    assert "column 'icd' holds levels that the model was not trained on, taken for unknown: 'C99' in 1 rows" in capsys.readouterr().err


@pytest.mark.slow
def test_ids_of_every_file_follow_one_rule_and_a_design_may_have_two_outputs(make_run: MakeRun, predict: Predict, tmp_path: Path) -> None:
    data = load_data("wisconsin")
    run = make_run(data, {"F1 = cat(mean@L, error@L) -> aside\nF2 = sum(F1@1, worst@L) ->": None, "mean@L ->": "best_unimodal"})
    digest = run.records()[0].digest
    bundle = export(run, tmp_path / "bundle", pick=digest, seeds=1)
    expected = eager(run, data, data.ids, pick=digest)
    tables = {name: pd.DataFrame(data.raw[name], columns=list(data.columns[name].numeric)) for name in data.raw}
    files = {name: tmp_path / f"{name}.csv" for name in tables}
    for name, table in tables.items():  # rows without ids
        table.to_csv(files[name], index=False)
    found = predict(bundle, **files)
    assert (found.index.name, list(found.columns)) == ("id", ["benign", "malignant"])
    assert found.index.tolist() == data.ids.tolist()
    np.testing.assert_allclose(found.to_numpy(), expected, atol=1e-4)
    numbers = np.arange(1, len(data) + 1)
    for name in ("mean", "worst"):
        tables[name].assign(id=numbers).to_csv(files[name], index=False)
    np.savez(tmp_path / "error.npz", id=numbers.astype(float)[::-1], error=data.raw["error"][::-1])
    found = predict(bundle, **{**files, "error": tmp_path / "error.npz"})
    assert found.index.tolist() == [str(number) for number in numbers]
    np.testing.assert_allclose(found.to_numpy(), expected, atol=1e-4)


@pytest.mark.slow
def test_a_late_design_of_a_regression(clinic: Path, make_run: MakeRun, predict: Predict, tmp_path: Path) -> None:
    data = load_data(clinic / "stay.yaml")
    run = make_run(data, {"F1 = vote_mean(rna@score, clinical@score) ->\ntrain = independent": "late"})
    bundle = export(run, tmp_path / "bundle", seeds=1)
    found = predict(bundle, clinical=clinic / "clinical.csv", rna=clinic / "rna.csv")
    assert list(found.columns) == ["los"]
    np.testing.assert_allclose(found.to_numpy(), eager(run, data, found.index), rtol=1e-4)


@pytest.mark.slow
def test_an_image_and_a_series(make_run: MakeRun, predict: Predict, tmp_path: Path) -> None:
    digits = load_data("digits")
    raw, targets = {name: values[:120] for name, values in digits.raw.items()}, digits.targets[:120]
    data = Dataset.from_arrays("few digits", modalities=raw, targets=targets, labels=[str(digit) for digit in range(10)])
    run = make_run(data, {"image:cnn | profile:gru\nF1 = cat_tokens(image@2, profile@L; trunk=attention:1) ->": None})
    bundle = export(run, tmp_path / "bundle", data=data, seeds=1)
    np.savez(tmp_path / "image.npz", image=data.raw["image"][:40, 0], id=data.ids[:40])
    np.savez(tmp_path / "profile.npz", profile=data.raw["profile"][39::-1], id=data.ids[39::-1])
    found = predict(bundle, image=tmp_path / "image.npz", profile=tmp_path / "profile.npz")
    assert list(found.columns) == [str(digit) for digit in range(10)]
    assert found.index.tolist() == data.ids[:40].tolist()
    np.testing.assert_allclose(found.to_numpy(), eager(run, data, found.index), atol=1e-4)


def test_a_wrong_file_is_one_line_outside_too(outside: dict[str, str], tmp_path: Path) -> None:
    """The script of a bundle alone, without a model: what is wrong with the files is said before the model is loaded."""
    write_program(tmp_path)
    table = {"option": "--a", "kind": "tabular", "shape": [1], "key": "a", "numeric": ["x"], "categorical": {}}
    (tmp_path / "inputs.json").write_text(json.dumps({"id": "who", "outputs": ["y"], "modalities": {"a": table}}))
    write_checksums(tmp_path)
    (tmp_path / "a.csv").write_text("who,z\n1,2\n")
    command = [sys.executable, "predict.py", "--a", "a.csv", "--out", "b.csv"]
    done = subprocess.run(command, env=outside, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "a.csv: no column 'x' (1 of 1 columns are missing)\n")
    assert not (tmp_path / "b.csv").exists()
    (tmp_path / "inputs.json").write_text((tmp_path / "inputs.json").read_text().replace("who", "id"))
    changed = subprocess.run(command, env=outside, capture_output=True, text=True, cwd=tmp_path)
    assert (changed.returncode, changed.stdout, changed.stderr.count("\n")) == (1, "", 1)
    assert changed.stderr.startswith("inputs.json: the file was changed after the export")


def test_what_cannot_be_exported_leaves_nothing(clinic: Path, make_run: MakeRun, tmp_path: Path) -> None:
    data = load_data(clinic / "outcome.yaml")
    run = make_run(data, {"F1 = cat(rna@0, clinical@0) ->": None})
    (tmp_path / "mine").mkdir()
    with pytest.raises(ExportError, match="mine' exists; expected the name of a folder to make"):
        export(run, tmp_path / "mine")
    with pytest.raises(ExportError, match="seeds is 0, expected at least 1"):
        export(run, tmp_path / "bundle", seeds=0)
    with pytest.raises(RunError, match="the data changed"):
        export(run, tmp_path / "bundle", data=load_data("wisconsin"))
    with pytest.raises(RunError, match="no design 'bset'"):
        export(run.path, tmp_path / "bundle", pick="bset")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_threshold_that_was_fitted_travels_with_the_model(make_run: MakeRun, predict: Predict, tmp_path: Path) -> None:
    """Probabilities stay what they are; the class that is named, the documents and the report say one threshold."""
    rng = np.random.default_rng(0)
    targets = np.where(rng.random(800) < 0.12, "sick", "well")
    views = {name: rng.normal(size=(800, 3)) + 0.5 * (targets == "sick")[:, None] for name in ("a", "b")}
    data = Dataset.from_arrays("rare", modalities=views, targets=targets, labels=["well", "sick"])
    run = make_run(data, {"F1 = cat(a@0, b@0) ->": "linear"}, recipe=Recipe(learning_rate=0.03), metric="f1_macro")
    correction = correction_of(run.read(), run.records())
    assert correction is not None
    bundle = export(run, tmp_path / "rare", data=data, seeds=1)
    inputs, metrics = (json.loads((bundle / f"{name}.json").read_text()) for name in ("inputs", "metrics"))
    told = {"weights": list(correction.weights), "threshold": correction.threshold, "fitted_for": "f1_macro"}
    assert inputs["decision"] == told
    assert metrics["correction"] == {**asdict(correction), "weights": list(correction.weights)}
    assert f"is sick from a probability of {correction.threshold:.3g} on, else well" in (bundle / "model_card.md").read_text()
    for name in data.raw:
        np.savez(tmp_path / f"{name}.npz", id=data.ids, **{name: data.raw[name]})
    found = predict(bundle, a=tmp_path / "a.npz", b=tmp_path / "b.npz")  # which checks the class
    np.testing.assert_allclose(found.to_numpy(), eager(run, data, found.index), atol=1e-4)
    assert ((found["sick"] > correction.threshold) & (found["sick"] < 0.5)).any()


def test_a_team_is_one_model_that_says_the_mean_of_its_members(make_run: MakeRun, predict: Predict, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    targets = np.arange(120) % 2
    views = {name: rng.normal(size=(120, 3)) + 0.6 * targets[:, None] for name in ("a", "b")}  # each knows a part
    data = Dataset.from_arrays("parts", modalities=views, targets=targets)
    designs = {"a:identity\na@L ->": None, "b:identity\nb@L ->": None}
    run = make_run(data, designs, recipe=Recipe(learning_rate=0.05))
    team = team_of(run.read())
    assert len(team.trials) == 2
    folder = export(run, tmp_path / "team", data=data, pick="team", seeds=1)
    assert sorted(path.name for path in folder.iterdir()) == FILES
    design, metrics, inputs = (json.loads((folder / f"{name}.json").read_text()) for name in ("design", "metrics", "inputs"))
    assert design["digest"] == "+".join(member["digest"] for member in design["members"])
    assert metrics["trial"] == list(team.trials)
    assert metrics["search"]["auroc"] == {"mean": pytest.approx(team.plain), "spread": None}
    assert metrics["search"]["macs"]["mean"] == team.cost["macs"]
    assert list(inputs["modalities"]) == ["a", "b"]
    card = (folder / "model_card.md").read_text()
    assert "1 network of each of 2 designs" in card
    alone = [
        refit(data, choice.candidate, epochs=choice.epochs, seeds=1)
        for choice in (read_choice(run, run.pick(each), data) for each in team.candidates)
    ]
    raw = {name: torch.from_numpy(values) for name, values in raw_values(data, data.modalities, np.arange(20)).items()}
    with torch.inference_mode():
        expected = torch.stack([model(raw) for model in alone]).mean(dim=0).numpy()
        program = torch.export.load(folder / "model.pt2").module()
        np.testing.assert_allclose(program(raw).numpy(), expected, atol=1e-5)


def test_the_module_alone_or_beside_the_files(clinic: Path, make_run: MakeRun, tmp_path: Path) -> None:
    data = load_data(clinic / "outcome.yaml")
    run = make_run(data, {"F1 = cat(rna@L, clinical@0) ->": None})
    bundle = export(run, tmp_path / "bundle", seeds=1, formats=["module", "pt2"])
    left_out = {"model.onnx", "predict.py", "files", "requirements.txt"}
    assert {path.name for path in bundle.iterdir()} == set(FILES) - left_out | {"module"}
    assert {path.name for path in (bundle / "module").iterdir()} == {"model.py", "model.safetensors"}
    metrics = json.loads((bundle / "metrics.json").read_text(encoding="utf-8"))
    assert set(metrics["file_differences"]) == {"model.pt2", "module/model.py"}
    card = (bundle / "model_card.md").read_text(encoding="utf-8")
    assert "`module/model.py` (plain torch as source: `from model import load`) hold the same model" in card
    assert "predict.py" not in card
    for path in filter(Path.is_file, bundle.rglob("*")):
        assert str(clinic).encode() not in path.read_bytes(), f"{path.name} names a folder of this machine"
    with pytest.raises(ExportError, match="format 'modul': did you mean 'module'"):
        export(run, tmp_path / "other", formats=["modul"])
    with pytest.raises(ExportError, match="no format is given, expected some of onnx, pt2, module"):
        export(run, tmp_path / "other", formats=[])
