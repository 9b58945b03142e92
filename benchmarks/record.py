"""Run a benchmark and keep what it printed, for the page of benchmarks: `docs/benchmarks.md` is made from what is kept.

    OMP_NUM_THREADS=1 python benchmarks/record.py pack --members 5,15
    OMP_NUM_THREADS=1 python benchmarks/record.py pack --note "two helpers ran beside it" --members 5,15

The results with the command, the date, the machine and the versions go to `benchmarks/results/NAME.json`, or, with `--part PART`, to
`NAME.PART.json` beside it; `make reference` writes the page.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
PACKAGES = ("torch", "ray", "optuna", "scikit-learn")


def record(name: str, arguments: list[str], note: str) -> dict[str, Any]:
    """Run a benchmark and return what is kept of it.

    Raises:
        CalledProcessError: The benchmark failed.
    """
    run = subprocess.run([sys.executable, HERE / f"{name}.py", *arguments, "--json"], stdout=subprocess.PIPE, check=True, text=True)
    return {
        # A manifest is named by itself: where it lies says nothing to a reader.
        "command": " ".join(["python", f"benchmarks/{name}.py", *(Path(each).name if "/" in each else each for each in arguments)]),
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {_card()}",
        "versions": {package: version(package) for package in PACKAGES},
        "note": note,
        "results": json.loads(run.stdout),
    }


def _card() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"


def main() -> None:
    """Run, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(path.stem for path in HERE.glob("*.py") if path != Path(__file__)))
    parser.add_argument("--note", default="", help="what a reader should know of this run")
    parser.add_argument("--part", default="", help="one of several runs of this benchmark that are kept")
    given, rest = parser.parse_known_args()
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{given.name}{f'.{given.part}' if given.part else ''}.json"
    path.write_text(json.dumps(record(given.name, rest, given.note), indent=1) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
