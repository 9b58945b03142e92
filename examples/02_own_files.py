"""Your own files: a first manifest for a folder, what `check` says of it, and a search. Half a minute on 2 cores.

    python examples/02_own_files.py FOLDER OUT

The folder is made here, with three files that one patient id joins. Put yours in its place, and leave `write_three_files` out.
"""

import sys
from pathlib import Path

from three_files import write_three_files

import fusearch as fs
from fusearch.data import check_data, draft_manifest

if __name__ == "__main__":
    folder, out = (Path(name) for name in (sys.argv[1:] or ("ward", "runs/ward")))
    write_three_files(folder, patients=100)

    manifest = draft_manifest(folder, targets=["outcome"], force=True).path
    print(manifest.read_text(encoding="utf-8"))

    checked = check_data(manifest)  # never raises for bad data
    for problem in checked.problems:
        print(problem.severity, problem.where, problem.what)
    if not checked.ok:
        sys.exit(1)

    data = fs.load_data(manifest)
    space = fs.SearchSpace(data.modalities, operators=["cat", "low_rank"], max_fusions=1)
    evaluator = fs.TrainingEvaluator(data, folds=2, epochs=3)
    run = fs.run_search(space, evaluator, objectives=["auroc", "macs"], trials=9, executor="inline", out=out)
    for record in run.front():
        print(record.objectives, record.formula, sep="\n")
