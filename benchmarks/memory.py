"""How much memory a search over a folder of images takes, and how often an image is decoded: 20,000 of 64 x 64 by default.

python benchmarks/memory.py --images 20000 --channels 1 --json

The images are written to a temporary folder. A process of its own then searches them inline: two trials, as a worker does. Its peak is the
resident memory of that process, with what Python, torch and the libraries take.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

SIDE = 64


def write_images(folder: Path, count: int, channels: int) -> Path:
    """Write noise with a brighter half, PNG, and return the manifest."""
    from PIL import Image

    rng = np.random.default_rng(0)
    (folder / "images").mkdir()
    bright = np.arange(count) % 2
    for row in range(count):
        pixels = rng.integers(0, 200, (SIDE, SIDE, channels), dtype=np.uint8)
        pixels[: SIDE // 2] += np.uint8(40 * bright[row])
        Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(folder / "images" / f"{row}.png", compress_level=1)
    table = {"id": range(count), "file": [f"images/{row}.png" for row in range(count)], "half": np.where(bright, "upper", "none")}
    pd.DataFrame(table | {"age": rng.integers(20, 90, count)}).to_csv(folder / "labels.csv", index=False)
    manifest = folder / "images.yaml"
    manifest.write_text(
        "id: id\n"
        "task: {kind: classification, file: labels.csv, column: half}\n"
        "modalities:\n"
        "  image: {kind: image2d, file: labels.csv, column: file}\n"
        "  age: {kind: tabular, file: labels.csv, columns: [age]}\n",
        encoding="utf-8",
    )
    return manifest


def search(manifest: Path) -> dict[str, float]:
    """Search with two trials in this process, and say what it took."""
    import resource

    from fusearch.data import load_data
    from fusearch.data.files import pictures
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search import run_search
    from fusearch.search_space import SearchSpace

    decoded = 0
    read = pictures._read_image

    def counted(*given: object) -> object:
        nonlocal decoded
        decoded += 1
        return read(*given)

    pictures._read_image = counted

    def peak() -> float:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

    start, before = time.perf_counter(), peak()
    data = load_data(manifest)
    loaded, held = time.perf_counter() - start, peak()
    space = SearchSpace(data.modalities, encoders={"image": ["cnn(stages=2)"], "age": ["mlp(layers=1)"]}, max_fusions=1)
    evaluator, count = TrainingEvaluator(data, folds=2, epochs=1), len(data)
    del data  # a worker has the rows of the search alone
    run_search(space, evaluator, ("accuracy", "macs"), out=manifest.parent / "run", trials=2, executor="inline")
    return {
        "imported GiB": before,
        "loaded GiB": held,
        "peak GiB": peak(),
        "decoded": decoded / count,
        "load seconds": loaded,
        "search seconds": time.perf_counter() - start - loaded,
    }


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--channels", type=int, choices=(1, 3), default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--manifest", type=Path, help="search this one here (for the process that is measured)")
    options = parser.parse_args()
    if options.manifest is not None:
        sys.stderr.write(json.dumps(search(options.manifest)))
        return
    with tempfile.TemporaryDirectory() as folder:
        manifest = write_images(Path(folder), options.images, options.channels)
        environment = {**os.environ, "FUSEARCH_CACHE": str(Path(folder) / "cache")}
        command = [sys.executable, __file__, "--manifest", str(manifest)]
        done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        measured = json.loads(done.stderr.splitlines()[-1])
    values = options.images * options.channels * SIDE**2 * 4 / 2**30
    found = {"images": options.images, "channels": options.channels, "values GiB": values, **measured}
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:16}{value:,.3g}" if isinstance(value, float) else f"{name:16}{value:,}")


if __name__ == "__main__":
    main()
