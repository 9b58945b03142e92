"""The 54 published networks as built, each on files of its own kinds and for its own task, from a manifest to a prediction.

    python benchmarks/as_built.py [--only STUDY ...] [--epochs 2] [--folder FOLDER] [--json]

One generator writes a small study with every kind of data (pictures, NIfTI volumes, tables, series in long form, WAV, texts, sequences,
frames, graphs) and every task, by the writers that people use. For each published study a manifest names the modalities that its network
reads, of the same kinds and in order. Then, as a user would: check, load, bind the network, train it for two epochs in two folds, score,
export, and predict the same files with the bundle's `predict.py`. A line says yes with the score, or where it ended and why. Encoders are
fusearch's own for a kind, with the paper's number of stages. What is told is that all of it works, not how good it is: the data are tiny.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import yaml

from fusearch.data import Dataset, check_data, load_data
from fusearch.errors import FusearchError
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.export import export
from fusearch.search import run_search
from fusearch.search_space import PUBLISHED, PublishedStudy, SearchSpace

ROWS = 48
IDS = [f"p{row:02d}" for row in range(ROWS)]
STUDIES = {study.key: study for study in PUBLISHED.values()}
FILE = {"file": "labels.csv"}
#: What a task is in a manifest, by the word that stands for it in the catalogue.
TASKS: dict[str, dict[str, Any]] = {
    "multilabel": {"task": {**FILE, "kind": "multilabel", "columns": ["finding_a", "finding_b", "finding_c"]}},
    "multiclass": {"task": {**FILE, "kind": "classification", "column": "grade"}},
    "3-class": {"task": {**FILE, "kind": "classification", "column": "grade"}},
    "binary": {"task": {**FILE, "kind": "classification", "column": "sick"}},
    "regression": {"task": {**FILE, "kind": "regression", "column": "score"}},
    "survival": {"task": {**FILE, "kind": "survival", "time": "months", "event": "died"}},
    "segmentation": {"task": {**FILE, "kind": "segmentation", "column": "mask"}},
    "detection": {"task": {**FILE, "kind": "detection", "column": "mask"}},
}


def kinds(study: PublishedStudy) -> list[tuple[str, str]]:
    """Return name and kind of each modality that a study reads."""
    return [(item["name"], item["kind"]) for item in study.as_built["modalities"]]


def task_of(study: PublishedStudy) -> dict[str, Any]:
    """Return what the manifest of a study says that is predicted."""
    words = study.facts.task
    if study.facts.task_kind == "segmentation":
        solid = any(kind == "volume3d" for _, kind in kinds(study))
        return {"task": {**TASKS["segmentation"]["task"], "column": "mask3d" if solid else "mask"}}
    if study.facts.task_kind != "classification":
        return TASKS[study.facts.task_kind]
    return next(task for word, task in TASKS.items() if word in words)


class Writer:
    """Writes the files of a study, and tells what a manifest says of them.

    Args:
        folder: Where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.rng = folder, np.random.default_rng(0)
        self.grade = self.rng.permutation(np.arange(ROWS) % 3)  # what every modality carries
        self.columns: dict[str, Sequence[Any]] = {"id": IDS}

    def write(self) -> dict[tuple[str, int], dict[str, Any]]:
        """Write everything; return kind and number -> the entry of a modality in a manifest."""
        most = Counter[str]()
        for study in STUDIES.values():
            most |= Counter(kind for _, kind in kinds(study))
        entries = {
            (kind, number): getattr(self, kind)(f"{kind}{number}") for kind in most if hasattr(self, kind) for number in range(most[kind])
        }
        time = self.rng.exponential(10.0 / (1 + self.grade))
        masks, solid = self.files("mask", ".png", self._mask), self.files("mask3d", ".nii.gz", self._solid)
        self.columns |= {
            "sick": np.where(self.grade > 0, "yes", "no"),
            "grade": np.array(["none", "mild", "severe"])[self.grade],
            **{f"finding_{letter}": (self.grade > at).astype(int) for at, letter in enumerate("ab")},
            "finding_c": self.rng.integers(0, 2, ROWS),
            "score": self.grade + self.rng.normal(scale=0.3, size=ROWS),
            "months": np.round(np.minimum(time, 15.0), 2),
            "died": (time < 15.0).astype(int),
            "mask": masks,
            "mask3d": solid,
        }
        pd.DataFrame(self.columns).to_csv(self.folder / "labels.csv", index=False)
        return entries

    def files(self, name: str, suffix: str, save: Any) -> list[str]:
        """Write a file for each sample, and return their names."""
        (self.folder / name).mkdir()
        names = [f"{name}/{each}{suffix}" for each in IDS]
        for row, path in enumerate(names):
            save(self.folder / path, row)
        return names

    def named(self, name: str, suffix: str, save: Any, **keys: Any) -> dict[str, Any]:
        """Write a file for each sample, named by a column of the labels."""
        self.columns[name] = self.files(name, suffix, save)
        return {"file": "labels.csv", "column": name, "root": ".", **keys}

    def tabular(self, name: str) -> dict[str, Any]:
        """A table of twelve columns."""
        values = self.rng.normal(size=(ROWS, 12)) + self.grade[:, None] * np.linspace(0, 1, 12)
        pd.DataFrame(values, columns=[f"x{at}" for at in range(12)]).assign(id=IDS).to_csv(self.folder / f"{name}.csv", index=False)
        return {"kind": "tabular", "file": f"{name}.csv"}

    def image2d(self, name: str) -> dict[str, Any]:
        """Grey pictures, brighter in a square."""
        from PIL import Image

        def save(path: Path, row: int) -> None:
            Image.fromarray(np.clip(255 * self.grid((16, 16), row), 0, 255).astype(np.uint8)).save(path)

        return {"kind": "image2d", **self.named(name, ".png", save)}

    def volume3d(self, name: str) -> dict[str, Any]:
        """Volumes."""
        import nibabel

        def save(path: Path, row: int) -> None:
            nibabel.save(nibabel.Nifti1Image(self.grid((16, 16, 16), row).astype(np.float32), np.eye(4)), path)

        return {"kind": "volume3d", **self.named(name, ".nii.gz", save)}

    def video(self, name: str) -> dict[str, Any]:
        """Folders of six to eight frames."""
        from PIL import Image

        def save(folder: Path, row: int) -> None:
            folder.mkdir()
            for frame in range(6 + row % 3):
                Image.fromarray(np.clip(255 * self.grid((16, 16), row), 0, 255).astype(np.uint8)).save(folder / f"{frame}.png")

        return {"kind": "video", **self.named(name, "", save)}

    def timeseries(self, name: str) -> dict[str, Any]:
        """Two channels over 20 to 24 steps, a line a step."""
        lines = [
            (each, step, np.sin(step * (1 + self.grade[row]) / 3) + self.rng.normal(scale=0.3), self.rng.normal())
            for row, each in enumerate(IDS)
            for step in range(20 + row % 5)
        ]
        pd.DataFrame(lines, columns=["id", "t", "a", "b"]).to_csv(self.folder / f"{name}.csv", index=False)
        return {"kind": "timeseries", "file": f"{name}.csv", "time": "t", "channels": ["a", "b"], "length": 24}

    def audio(self, name: str) -> dict[str, Any]:
        """Tones of 0.3 s."""
        import soundfile

        def save(path: Path, row: int) -> None:
            tone = np.sin(2 * np.pi * 500 * (1 + self.grade[row]) * np.arange(2400) / 8000)
            soundfile.write(path, 0.3 * tone + 0.05 * self.rng.normal(size=2400), 8000)

        return {"kind": "audio", **self.named(name, ".wav", save, rate=8000, seconds=0.3, mels=16)}

    def text(self, name: str) -> dict[str, Any]:
        """Notes of three to eight words."""
        told = ["well", "unwell", "critical"]
        words = ["pain", "fever", "cough", "none"]
        self.columns[name] = [" ".join([*self.rng.choice(words, size=self.rng.integers(2, 8)), told[grade]]) for grade in self.grade]
        return {"kind": "text", "file": "labels.csv", "column": name}

    def sequence(self, name: str) -> dict[str, Any]:
        """DNA of 20 to 30 bases."""
        shares = [(0.4, 0.1, 0.1, 0.4), (0.25, 0.25, 0.25, 0.25), (0.1, 0.4, 0.4, 0.1)]
        self.columns[name] = ["".join(self.rng.choice(list("ACGT"), size=self.rng.integers(20, 31), p=shares[each])) for each in self.grade]
        return {"kind": "sequence", "file": "labels.csv", "column": name, "alphabet": "dna"}

    def graph(self, name: str) -> dict[str, Any]:
        """Nine joints of a skeleton, in a plane."""
        bones = pd.DataFrame([(joint, joint + 1) for joint in range(8)], columns=["source", "target"])
        bones.to_csv(self.folder / f"{name}_bones.csv", index=False)

        def save(path: Path, row: int) -> None:
            np.save(path, self.rng.normal(size=(9, 2)) + self.grade[row])

        return {"kind": "graph", **self.named(name, ".npy", save, edges=f"{name}_bones.csv")}

    def grid(self, shape: tuple[int, ...], row: int) -> np.ndarray:
        """Noise, and a block whose brightness and size say the grade."""
        return self.rng.uniform(0, 0.3, size=shape) + 0.5 * self.block(shape, row)

    def block(self, shape: tuple[int, ...], row: int) -> np.ndarray:
        """1 in the block, else 0."""
        values = np.zeros(shape, np.uint8)
        values[tuple(slice(size // 4, size // 4 + size // 4 * (1 + self.grade[row])) for size in shape)] = 1
        return values

    def _mask(self, path: Path, row: int) -> None:
        from PIL import Image

        Image.fromarray(self.block((16, 16), row)).save(path)

    def _solid(self, path: Path, row: int) -> None:
        import nibabel

        nibabel.save(nibabel.Nifti1Image(self.block((16, 16, 16), row), np.eye(4)), path)


def manifest(study: PublishedStudy, entries: Mapping[tuple[str, int], dict[str, Any]], folder: Path) -> Path:
    """Write the manifest of a study: its modalities, each with files of its own kind, and its task."""
    seen, modalities = Counter[str](), {}
    for name, kind in kinds(study):
        modalities[name] = entries[kind, seen[kind]]
        seen[kind] += 1
    path = folder / f"{study.key}.yaml"
    path.write_text(yaml.safe_dump({"id": "id", **task_of(study), "modalities": modalities}), encoding="utf-8")
    return path


def attempt(study: PublishedStudy, path: Path, folder: Path, epochs: int) -> Iterator[tuple[str, Any]]:
    """Go the whole way with a study; give what each step found, so that the last one tells where it ended."""
    result = check_data(path)
    yield "check", "; ".join(problem.what for problem in result.problems) if not result.ok else None
    data = load_data(path)
    yield "load", None
    graph = study.bind(data.modalities)
    yield "bind", None
    headline = data.task.headline
    run = run_search(
        SearchSpace(data.modalities, balances=data.task.balances, solved=data.task.solved, dense=data.task.dense),
        TrainingEvaluator(data, epochs=epochs, folds=2),
        (headline, "macs"),
        out=folder / "runs" / study.key,
        trials=1,
        first=[graph],
        executor="inline",
        max_memory=4 * 2**30,  # study 1 joins what its pictures say of each pixel
    )
    record = run.records()[0]
    yield "train", record.reason
    yield "score", f"{headline} {record.objectives[headline]:.3f}, {record.objectives['macs']:,.0f} MACs"
    bundle = export(run, folder / "bundles" / study.key, pick=record.digest, seeds=1)
    yield "export", None
    yield "predict", predict(bundle, path, data)


def predict(bundle: Path, path: Path, data: Dataset) -> str | None:
    """Predict the files of a study with its bundle; return what is wrong."""
    modalities = yaml.safe_load(path.read_text(encoding="utf-8"))["modalities"]
    inputs = json.loads((bundle / "inputs.json").read_text(encoding="utf-8"))["modalities"]
    options = [word for name, each in inputs.items() for word in (each["option"], str(path.parent / modalities[name]["file"]))]
    out = bundle / "predictions.csv"
    command = [sys.executable, "-W", "ignore", str(bundle / "predict.py"), *options, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=path.parent, check=False)
    if done.returncode:
        return (done.stderr.strip() or done.stdout.strip()).splitlines()[-1]
    rows = len(pd.read_csv(out))
    return None if rows == len(data) else f"{rows} predictions of {len(data)} samples"


def measure(study: PublishedStudy, entries: Mapping[tuple[str, int], dict[str, Any]], folder: Path, epochs: int) -> dict[str, Any]:
    """Return one record: yes, or the step that failed and why."""
    record = {"number": study.number, "study": study.key, "kinds": sorted({kind for _, kind in kinds(study)}), "task": study.facts.task}
    start, step = time.perf_counter(), "manifest"
    try:
        for step, found in attempt(study, manifest(study, entries, folder), folder, epochs):
            if step == "score":
                record["score"] = found
            elif found is not None:
                return {**record, "works": False, "step": step, "reason": found}
    except (FusearchError, KeyError, ValueError, RuntimeError) as error:
        told = str(error).strip().splitlines()
        return {**record, "works": False, "step": f"after {step}", "reason": told[0] if told else type(error).__name__}
    return {**record, "works": True, "seconds": time.perf_counter() - start}


def main() -> None:
    """Try every study, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=list(STUDIES), choices=list(STUDIES), metavar="STUDY", help="keys of studies")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=None, help="where files, runs and bundles are kept (default: nowhere)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        entries, records = Writer(folder).write(), []
        for key in options.only:
            records.append(record := measure(STUDIES[key], entries, folder, options.epochs))
            said = f"yes  {record['score']}" if record["works"] else f"no   {record['step']}: {record['reason']}"
            print(
                f"{record['number']:>3} {key:<30} {', '.join(record['kinds']):<32} {said}",
                file=sys.stderr if options.json else sys.stdout,
                flush=True,
            )
    works = sum(record["works"] for record in records)
    if options.json:
        print(json.dumps({"works": works, "studies": records}))
    else:
        print(f"{works} of {len(records)} work")


if __name__ == "__main__":
    main()
