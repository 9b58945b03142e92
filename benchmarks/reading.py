"""How long a wide text file takes: pandas alone, fusearch's reader, and the columns that `predict.py` takes of it.

python benchmarks/reading.py --columns 20000 --rows 300 --json
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from fusearch.data.files.frames import TextFormat, read_table
from fusearch.evaluators.export.predict import read_columns


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the least of some runs."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--columns", type=int, default=20_000)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    names = [f"g{column}" for column in range(options.columns)]
    frame = pd.DataFrame(rng.normal(size=(options.rows, options.columns)).round(5), columns=names)
    frame.insert(0, "id", [f"{row:04d}" for row in range(options.rows)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rna.csv"
        frame.to_csv(path, index=False)
        alone = seconds(lambda: pd.read_csv(path, dtype={"id": str}, low_memory=False), options.repeats)
        ours = seconds(lambda: read_table(path, lambda _: {"id"}), options.repeats)
        read = read_table(path, lambda _: {"id"})
        modality = {"numeric": names[::-1], "categorical": {}}
        taken = seconds(lambda: read_columns(path, read, modality, TextFormat()), options.repeats)
    found = {"columns": options.columns, "rows": options.rows, "pandas": alone, "read_table": ours, "columns_of_predict": taken}
    found["ratio"] = ours / alone
    if options.json:
        print(json.dumps(found))
        return
    print(f"{options.rows} rows x {options.columns} columns, least of {options.repeats}")
    print(f"pandas.read_csv      {alone:.2f} s")
    print(f"read_table           {ours:.2f} s ({ours / alone:.2f} times)")
    print(f"columns of predict   {taken:.2f} s")


if __name__ == "__main__":
    main()
