"""Write three files as a hospital might hand them over: labels, blood values, and heart signals of the same patients.

    python examples/three_files.py ward

The outcome hangs on a blood value and on the height of the signal, so that two modalities together tell more than either.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd


def write_three_files(folder: Path, patients: int = 160) -> None:
    """Write `labels.csv`, `blood.csv` and `ecg.npz`; rows of the others are in another order, and some patients have no blood values."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    ids = [f"p{number:03d}" for number in range(patients)]
    crp, height = rng.normal(size=patients), rng.normal(size=patients)
    risk = 1.5 * crp + 1.5 * height + rng.normal(size=patients)
    labels = {"patient": ids, "hospital": rng.choice(["north", "south", "west"], patients), "outcome": np.where(risk > 0, "died", "alive")}
    pd.DataFrame(labels).to_csv(folder / "labels.csv", index=False)
    blood = pd.DataFrame(
        {"patient": ids, "crp": 40 + 12 * crp, "sodium": rng.normal(140, 3, patients), "age": rng.integers(30, 90, patients)}
    )
    blood.sample(frac=0.95, random_state=1).to_csv(folder / "blood.csv", index=False, float_format="%.2f")
    beats = np.sin(np.linspace(0, 6 * np.pi, 32))[None, :] * (1 + 0.3 * height)[:, None] + 0.2 * rng.normal(size=(patients, 32))
    np.savez(folder / "ecg.npz", patient=np.array(ids[::-1]), x=beats[::-1, :, None].astype(np.float32))


if __name__ == "__main__":
    write_three_files(Path(sys.argv[1]))
