"""Turn the breast cancer study of scikit-survival (GSE7390) into CSV files and a manifest: 198 patients, 76 genes, 4 clinical facts.

    pip install 'fusearch[survival]'
    python examples/prepare_survival_data.py OUT

The target is the time to distant metastasis, in days (Desmedt et al. 2007). Then: `fusearch check OUT/breast_cancer.yaml`.
"""

import sys
from pathlib import Path

import pandas as pd
import yaml
from sksurv.datasets import load_breast_cancer

CLINICAL = ["age", "er", "grade", "size"]


def main(out: Path) -> Path:
    """Write labels, genes, clinical facts and the manifest, and return where that is."""
    measured, outcome = load_breast_cancer()
    ids = pd.Index([f"patient{row:03d}" for row in range(len(measured))], name="patient")
    measured.index = ids
    out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({"days": outcome["t.tdm"], "metastasis": outcome["e.tdm"].astype(int)}, index=ids).to_csv(out / "labels.csv")
    measured.drop(columns=CLINICAL).to_csv(out / "genes.csv")
    measured[CLINICAL].to_csv(out / "clinical.csv")
    document = {
        "name": "breast_cancer",
        "id": "patient",
        "task": {"kind": "survival", "file": "labels.csv", "time": "days", "event": "metastasis"},
        "modalities": {
            "genes": {"kind": "tabular", "file": "genes.csv"},
            "clinical": {"kind": "tabular", "file": "clinical.csv", "categorical": ["er", "grade"]},
        },
        "splits": {"folds": 5, "seed": 0},
    }
    path = out / "breast_cancer.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    print(f"{path}: {len(measured)} patients, {int(outcome['e.tdm'].sum())} with a metastasis")
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1]))
