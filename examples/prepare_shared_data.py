"""Turn three public multi-omics and clinical data sets into CSV files and manifests.

    python examples/prepare_shared_data.py FOLDER OUT

FOLDER holds any of `rosmap_mogonet/rosmap.npz`, `brca263_mogonet/brca263.npz`, `proctor_opcnn/PrOCTOR_sample_data_all.csv.gz`; each that
is there becomes OUT/NAME/ with one table a modality, `labels.csv` and `NAME.yaml`. Then: `fusearch check OUT/rosmap/rosmap.yaml`.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from sklearn.model_selection import train_test_split


def write(out: Path, labels: pd.DataFrame, views: dict[str, pd.DataFrame], *, task: dict, splits: dict) -> Path:
    """Write the tables and the manifest; every table has the ids of `labels` as its index."""
    out.mkdir(parents=True, exist_ok=True)
    labels.to_csv(out / "labels.csv")
    for name, view in views.items():
        view.to_csv(out / f"{name}.csv")
    document = {
        "name": out.name,
        "id": labels.index.name,
        "task": {"kind": "classification", "file": "labels.csv", **task},
        "modalities": {name: {"kind": "tabular", "file": f"{name}.csv"} for name in views},
        "splits": splits,
    }
    path = out / f"{out.name}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def rosmap(source: Path, out: Path) -> Path:
    """Alzheimer's disease or control, 351 subjects. Test is the authors' test split; val is a fifth of their training rows."""
    with np.load(source, allow_pickle=False) as arrays:
        data = {key: arrays[key] for key in arrays.files}
    codes = np.concatenate([data["y_train"], data["y_test"]])
    ids = pd.Index([f"subject{row:03d}" for row in range(len(codes))], name="subject")
    split = np.array(["train"] * len(data["y_train"]) + ["test"] * len(data["y_test"]))
    _, val = train_test_split(np.arange(len(data["y_train"])), test_size=0.2, stratify=data["y_train"], random_state=0)
    split[val] = "val"
    labels = pd.DataFrame({"diagnosis": np.where(codes == 1, "alzheimer", "control"), "split": split}, index=ids)
    views = {
        name: pd.DataFrame(
            np.concatenate([data[f"{name}_train"], data[f"{name}_test"]]), index=ids, columns=data[f"{name}_names"].astype(str)
        )
        for name in ("mrna", "meth", "mirna")
    }
    return write(out, labels, views, task={"column": "diagnosis", "labels": ["control", "alzheimer"]}, splits={"column": "split"})


def brca263(source: Path, out: Path) -> Path:
    """PAM50 subtypes of breast cancer. Of 263 rows, 247: the other 16 are pairs of identical rows, most with contradicting labels."""
    with np.load(source, allow_pickle=False) as arrays:
        data = {key: arrays[key] for key in arrays.files}
    keep = np.flatnonzero(data["is_unique"])
    ids = pd.Index([f"sample{row:03d}" for row in keep], name="sample")
    subtypes = np.array(["normal", "basal", "her2", "luma", "lumb"])
    labels = pd.DataFrame({"subtype": subtypes[data["y"][keep]]}, index=ids)
    names = {"mrna": None, "meth": None, "mirna": data["mirna_names"].astype(str)}
    views = {name: pd.DataFrame(data[name][keep], index=ids, columns=columns) for name, columns in names.items()}
    views = {name: view if names[name] is not None else view.add_prefix(f"{name}_") for name, view in views.items()}
    return write(out, labels, views, task={"column": "subtype"}, splits={"fractions": [0.6, 0.2, 0.2], "seed": 0})


def proctor(source: Path, out: Path) -> Path:
    """Drugs that passed, or failed for toxicity. Drugs with the same target and tissue values look alike to two modalities: one group."""
    table = pd.read_csv(source).set_index("Drug").rename_axis("drug")
    chem, target, tissue = table.iloc[:, 1:14], table.iloc[:, 14:18], table.iloc[:, 18:]
    look_alike = [*target.columns, *tissue.columns]
    group = table.groupby(look_alike, dropna=False, sort=False).ngroup()
    labels = pd.DataFrame({"outcome": table["Label"], "target_group": [f"g{number:03d}" for number in group]}, index=table.index)
    splits = {"fractions": [0.6, 0.2, 0.2], "seed": 0, "group": "target_group"}
    task = {"column": "outcome", "labels": ["passed", "failed"]}
    return write(out, labels, {"chem": chem, "target": target, "tissue": tissue}, task=task, splits=splits)


SOURCES = {
    rosmap: "rosmap_mogonet/rosmap.npz",
    brca263: "brca263_mogonet/brca263.npz",
    proctor: "proctor_opcnn/PrOCTOR_sample_data_all.csv.gz",
}


def main(folder: Path, out: Path) -> list[Path]:
    """Prepare every set that the folder holds, and return the manifests."""
    return [prepare(folder / file, out / prepare.__name__) for prepare, file in SOURCES.items() if (folder / file).is_file()]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python examples/prepare_shared_data.py FOLDER OUT")
    manifests = main(Path(sys.argv[1]), Path(sys.argv[2]))
    if not manifests:
        sys.exit(f"{sys.argv[1]}: none of {', '.join(SOURCES.values())}")
    print("\n".join(map(str, manifests)))
